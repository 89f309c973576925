"""What takes an entry back: several things at once, places on the board, and the rules that hold for it too."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project.limits import ProjectLimits
from protocol.comments import AddComment, DeleteComment, EditComment
from protocol.custom_fields import DefineField, EditField, RemoveField
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command
from protocol.members import RemoveMember
from protocol.milestones import CreateMilestone, DeleteMilestone
from protocol.projects import ArchiveProject, EditProject
from protocol.ranks import MoveTask
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks
from tests.actors.given import (
    ADMIN,
    COMMENT,
    MATZ,
    MEMBER,
    OTHER_TASK,
    OWNER,
    TASK,
    Life,
    a_task,
    a_team,
    as_imported,
    broken,
    happened,
    refused,
    uuid,
)
from tests.actors.undoing import given, newest, redo, seen, undo

MILESTONE, FIELD, NOBODY = (uuid(0x900 + number) for number in range(3))
CHANGED = (ErrorCode.CONFLICT, "changed_by_others")
NOTHING_LEFT = broken("nothing_to_undo")


def test_a_bulk_edit_is_undone_in_one_entry() -> None:
    life = a_team()
    tasks = [uuid(0xA00 + number) for number in range(5)]
    life.given(*((MEMBER, CreateTask(task_id=task_id, title="t")) for task_id in tasks))
    ranks = [life.state.tasks[task_id]["rank"] for task_id in tasks]
    edits = [EditTask(task_id=task_id, state_id="done", add_labels=["x"]) for task_id in [*tasks, NOBODY]]
    life.given((MEMBER, EditTasks(edits=edits)))
    happened(undo(life, newest(life), MEMBER))
    found = [life.state.tasks[task_id] for task_id in tasks]
    assert [(one["stateId"], one["rank"], one["labels"]) for one in found] == [("backlog", rank, []) for rank in ranks]


def test_a_recurring_task_comes_no_more_and_comes_again() -> None:
    life = given(EditTask(task_id=TASK, recurrence={"every": 1, "unit": "week"}))
    life.given((MEMBER, EditTask(task_id=TASK, state_id="done")))
    meant = newest(life)
    following = next(task_id for task_id in life.state.tasks if task_id != TASK)
    happened(undo(life, meant, MEMBER))
    assert life.state.tasks[TASK]["recurrence"] == {"every": 1, "unit": "week"}
    assert life.state.tasks[following]["deletedAt"] is not None
    happened(redo(life, meant, MEMBER))
    assert (life.state.tasks[TASK]["recurrence"], life.state.tasks[following]["deletedAt"]) == (None, None)
    assert len(life.state.tasks) == 2
    life.given((ADMIN, EditTask(task_id=following, title="worked on")))
    assert refused(undo(life, meant, MEMBER)) == CHANGED


def test_a_deleted_milestone_comes_back_with_its_tasks() -> None:
    life = given(CreateMilestone(milestone_id=MILESTONE, name="One"), EditTask(task_id=TASK, milestone_id=MILESTONE))
    was = seen(life)
    life.given((OWNER, DeleteMilestone(milestone_id=MILESTONE)))
    meant = newest(life)
    happened(undo(life, meant, OWNER))
    assert seen(life) == was
    life.given((OWNER, DeleteMilestone(milestone_id=MILESTONE)), (ADMIN, CreateMilestone(name="one")))
    assert refused(undo(life, newest(life) - 1, OWNER)) == (ErrorCode.ALREADY_EXISTS, None)


def test_a_removed_field_comes_back_with_its_values() -> None:
    life = a_task()
    life.given(
        (OWNER, DefineField(field_id=FIELD, name="Notes", type="text")),
        (MEMBER, EditTask(task_id=TASK, fields={FIELD: "words"})),
    )
    was = seen(life)
    life.given((OWNER, RemoveField(field_id=FIELD)))
    meant = newest(life)
    happened(undo(life, meant, OWNER))
    assert seen(life) == was
    happened(redo(life, meant, OWNER))
    assert (life.state.fields, life.state.tasks[TASK]["fields"]) == ({}, {})
    happened(undo(life, meant, OWNER))
    assert seen(life) == was


def test_a_field_is_unmade_unless_others_have_filled_it() -> None:
    life = a_task()
    life.given((OWNER, DefineField(field_id=FIELD, name="Notes", type="text")))
    meant = newest(life)
    life.given((OWNER, EditTask(task_id=TASK, fields={FIELD: "own"})))
    happened(undo(life, meant, OWNER))
    happened(redo(life, meant, OWNER))
    assert life.state.tasks[TASK]["fields"] == {FIELD: "own"}
    life.given((MEMBER, EditTask(task_id=TASK, fields={FIELD: "theirs"})))
    assert refused(undo(life, meant, OWNER)) == CHANGED


def test_a_choice_that_is_in_use_stays_retired() -> None:
    life = a_task()
    choices: list[Any] = [{"id": "red", "name": "Red"}]
    life.given(
        (OWNER, DefineField(field_id=FIELD, name="Colour", type="choice")),
        (OWNER, EditField(field_id=FIELD, add_choices=[*choices, {"id": "blue", "name": "Blue"}])),
        (MEMBER, EditTask(task_id=TASK, fields={FIELD: "red"})),
    )
    meant = newest(life) - 1
    happened(undo(life, meant, OWNER))
    assert life.state.fields[FIELD]["choices"] == [{"id": "red", "name": "Red", "retired": True}]
    happened(redo(life, meant, OWNER))
    assert [choice["retired"] for choice in life.state.fields[FIELD]["choices"]] == [False, False]


def test_the_project_itself_goes_back_and_leaves_the_archive() -> None:
    life = a_team()
    life.given((OWNER, EditProject(name="Gemini")), (OWNER, ArchiveProject()))
    archived = newest(life)
    assert refused(undo(life, archived - 1, OWNER)) == broken("project_archived")
    happened(undo(life, archived, OWNER))
    assert life.state.project["status"] == "Active"
    happened(undo(life, archived - 1, OWNER))
    assert life.state.project["name"] == "Apollo"
    happened(redo(life, archived, OWNER))
    assert life.state.project["status"] == "Archived"


def test_a_place_that_was_taken_meanwhile_is_made_beside_it() -> None:
    life = a_team()
    first, moved, last, other = (uuid(0xA00 + number) for number in range(4))
    life.given(*((MEMBER, CreateTask(task_id=one, title="t")) for one in (first, moved, last, other)))
    life.given((MEMBER, MoveTask(task_id=moved, state_id="done")))
    meant = newest(life)
    life.given((ADMIN, MoveTask(task_id=other, after=first)))
    assert life.state.tasks[other]["rank"] == "a2", "the place that is free by now"
    happened(undo(life, meant, MEMBER))
    assert _order(life) == [first, moved, other, last]


def test_a_place_is_found_again_among_neighbours_with_other_ranks() -> None:
    life = a_team(ProjectLimits(rank_short_characters_max=2, reranked_tasks_max=8))
    tasks = [uuid(0xA00 + number) for number in range(6)]
    life.given(*((MEMBER, CreateTask(task_id=one, title="t")) for one in tasks))
    for one in (tasks[3], tasks[4], tasks[5], tasks[3]):
        before = _order(life)
        life.given((MEMBER, MoveTask(task_id=one, after=tasks[0])))
        after = _order(life)
        happened(undo(life, newest(life), MEMBER))
        assert _order(life) == before
        happened(redo(life, newest(life) - 1, MEMBER))
        assert _order(life) == after


def test_a_place_means_nothing_in_another_state() -> None:
    life = a_team()
    life.given(*((MEMBER, CreateTask(task_id=one, title="t")) for one in (TASK, OTHER_TASK)))
    life.given((MEMBER, MoveTask(task_id=TASK, after=OTHER_TASK)), (MEMBER, EditTask(task_id=TASK, state_id="done")))
    assert refused(undo(life, newest(life) - 1, MEMBER)) == NOTHING_LEFT


@pytest.mark.parametrize("between", [EditTask(task_id=TASK, state_id="done"), MoveTask(task_id=TASK, state_id="todo")])
def test_a_place_is_found_again_though_the_task_was_in_another_state_meanwhile(between: Command) -> None:
    life, others = a_team(), [uuid(0xA00 + number) for number in range(2)]
    life.given(*((MEMBER, CreateTask(task_id=one, title="t")) for one in (others[0], TASK, others[1])))
    before = _order(life)
    life.given((MEMBER, MoveTask(task_id=TASK)))
    after, meant = _order(life), newest(life)
    assert before != after
    for turn, expected in ((undo, before), (redo, after), (undo, before)):
        life.given((MEMBER, between))
        happened(undo(life, newest(life), MEMBER))
        happened(turn(life, meant, MEMBER))
        assert _order(life) == expected


def test_a_place_means_something_again_once_the_task_is_back_in_its_state() -> None:
    life = a_team()
    life.given(*((MEMBER, CreateTask(task_id=one, title="t")) for one in (TASK, OTHER_TASK)))
    life.given((MEMBER, MoveTask(task_id=TASK)))
    meant = newest(life)
    life.given((MEMBER, EditTask(task_id=TASK, state_id="done")))
    assert refused(undo(life, meant, MEMBER)) == NOTHING_LEFT
    life.given((MEMBER, EditTask(task_id=TASK, state_id="backlog")))
    assert _order(life) == [OTHER_TASK, TASK]
    happened(undo(life, meant, MEMBER))
    assert _order(life) == [TASK, OTHER_TASK]


def _order(life: Life, state_id: str = "backlog") -> list[str]:
    return [task_id for _, task_id in life.state.cards[state_id]]


@pytest.mark.parametrize(
    ("before", "command", "after", "reason"),
    [
        (
            [CreateTask(task_id=OTHER_TASK, title="o"), EditTask(task_id=TASK, parent_id=OTHER_TASK)],
            EditTask(task_id=TASK, parent_id=None),
            EditTask(task_id=OTHER_TASK, parent_id=TASK),
            "cycle",
        ),
        (
            [EditTask(task_id=TASK, due_date="2026-04-01")],
            EditTask(task_id=TASK, due_date="2026-06-01"),
            EditTask(task_id=TASK, start_date="2026-05-01"),
            "due_before_start",
        ),
        ([], EditTask(task_id=TASK, title="Other"), DeleteTask(task_id=TASK), "task_deleted"),
        (
            [AddComment(comment_id=COMMENT, task_id=TASK, body="said")],
            EditComment(comment_id=COMMENT, body="meant"),
            DeleteComment(comment_id=COMMENT),
            "comment_deleted",
        ),
    ],
)
def test_an_undo_breaks_no_rule(before: list[Command], command: Command, after: Command, reason: str) -> None:
    life = given(*before, command)
    meant = newest(life)
    life.given((ADMIN, after))
    outcome = undo(life, meant, MEMBER)
    assert isinstance(outcome, Rejection)
    assert outcome.details["reason"] == reason


def test_who_has_left_does_not_come_back_but_people_of_an_import_do() -> None:
    life = a_team()
    life.send(CreateTask(task_id=TASK, title="old", assignee_ids=[MATZ]), OWNER, origin=as_imported())
    life.given(
        (OWNER, EditTask(task_id=TASK, add_assignees=[MEMBER.id], add_watchers=[MEMBER.id])),
        (
            OWNER,
            EditTask(task_id=TASK, remove_assignees=[MEMBER.id, MATZ], remove_watchers=[MEMBER.id], title="new"),
        ),
    )
    meant = newest(life)
    life.given((OWNER, RemoveMember(user_id=MEMBER.id)))
    happened(undo(life, meant, OWNER))
    task = life.state.tasks[TASK]
    assert (task["assigneeIds"], task["watcherIds"], task["title"]) == ([MATZ], [], "old")
