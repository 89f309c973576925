"""Undo and redo: what comes back, what stays, and what stands in the way."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project.event_permissions import NEEDED
from actors.project.inverses import BESIDE, INVERSES, MARKERS
from actors.project.undone import UNDONE_REMEMBERED_MAX, Undoing, evolve_undone
from actors.runtime.actor import EntryMeta
from protocol.comments import AddComment, CommentDeleted, DeleteComment, EditComment, RestoreComment
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command
from protocol.links import AddLink, RemoveLink
from protocol.members import ChangeMemberRole, RemoveMember
from protocol.milestones import CreateMilestone, DeleteMilestone, EditMilestone
from protocol.projects import DEFAULT_STATES, DeleteProject, EditProject, WorkflowState
from protocol.ranks import MoveTask
from protocol.reactions import AddReaction, RemoveReaction
from protocol.roles import DefineRole
from protocol.tasks import CreateTask, DeleteTask, EditTask, Recurrence, RestoreTask, TaskCreated, TaskDeleted
from protocol.undo import CommandRedone, CommandUndone, RedoCommand, UndoCommand
from protocol.watchers import UnwatchTask, WatchTask
from tests.actors.given import (
    ADMIN,
    COMMENT,
    LATER,
    MEMBER,
    NOW,
    OTHER_TASK,
    OWNER,
    STRANGER,
    TASK,
    VIEWER,
    Life,
    a_task,
    a_team,
    as_imported,
    broken,
    events_of,
    happened,
    refused,
    uuid,
)
from tests.actors.undoing import facts_of, given, newest, redo, seen, undo

MILESTONE, LINK, NOBODY, ROLE = (uuid(0x900 + number) for number in range(4))
NOT_YOURS = (ErrorCode.FORBIDDEN, "not_your_command")
NOTHING_LEFT = broken("nothing_to_undo")
NOT_UNDOABLE = broken("not_undoable")

MUCH_LATER = "2026-06-05T12:00:00.000Z"
QA: WorkflowState = {"id": "qa", "name": "QA", "group": "started", "waiting": False}


SIMPLE: list[tuple[list[Command], Command]] = [
    ([], EditTask(task_id=TASK, title="Other", priority="high", due_date="2026-05-01", estimate=3.0)),
    ([], EditTask(task_id=TASK, add_labels=["bug", "ui"], add_assignees=[MEMBER.id], add_watchers=[ADMIN.id])),
    ([EditTask(task_id=TASK, add_labels=["a", "b"])], EditTask(task_id=TASK, remove_labels=["a"], add_labels=["c"])),
    ([], EditTask(task_id=TASK, state_id="done")),
    (
        [EditTask(task_id=TASK, due_date="2026-02-28", recurrence={"every": 1, "unit": "month", "dueDay": 31})],
        EditTask(task_id=TASK, due_date=None),
    ),
    ([EditTask(task_id=TASK, state_id="done")], EditTask(task_id=TASK, state_id="todo")),
    ([CreateTask(task_id=OTHER_TASK, title="o")], EditTask(task_id=TASK, parent_id=OTHER_TASK)),
    ([CreateTask(task_id=OTHER_TASK, title="o")], MoveTask(task_id=TASK, after=OTHER_TASK)),
    ([CreateTask(task_id=OTHER_TASK, title="o")], MoveTask(task_id=TASK, state_id="done")),
    (
        [CreateTask(task_id=OTHER_TASK, title="o")],
        AddLink(link_id=LINK, type="blocks", task_id=TASK, other_id=OTHER_TASK),
    ),
    (
        [
            CreateTask(task_id=OTHER_TASK, title="o"),
            AddLink(link_id=LINK, type="blocks", task_id=TASK, other_id=OTHER_TASK),
        ],
        RemoveLink(link_id=LINK),
    ),
    ([], DeleteTask(task_id=TASK)),
    ([DeleteTask(task_id=TASK)], RestoreTask(task_id=TASK)),
    ([], WatchTask(task_id=TASK)),
    ([WatchTask(task_id=TASK)], UnwatchTask(task_id=TASK)),
    ([AddComment(comment_id=COMMENT, task_id=TASK, body="said")], EditComment(comment_id=COMMENT, body="meant")),
    (
        [
            AddComment(comment_id=COMMENT, task_id=TASK, body="said"),
            EditComment(comment_id=COMMENT, body="meant"),
            AddReaction(comment_id=COMMENT, emoji="👍"),
        ],
        DeleteComment(comment_id=COMMENT),
    ),
    (
        [AddComment(comment_id=COMMENT, task_id=TASK, body="said"), DeleteComment(comment_id=COMMENT)],
        RestoreComment(comment_id=COMMENT),
    ),
    ([AddComment(comment_id=COMMENT, task_id=TASK, body="said")], AddReaction(comment_id=COMMENT, emoji="👍")),
    (
        [
            AddComment(comment_id=COMMENT, task_id=TASK, body="said"),
            AddReaction(comment_id=COMMENT, emoji="❤"),
        ],
        RemoveReaction(comment_id=COMMENT, emoji="❤\ufe0f"),
    ),
    ([], CreateMilestone(milestone_id=MILESTONE, name="One")),
    (
        [CreateMilestone(milestone_id=MILESTONE, name="One")],
        EditMilestone(milestone_id=MILESTONE, name="Two", status="Closed"),
    ),
    ([CreateMilestone(milestone_id=MILESTONE, name="One")], EditTask(task_id=TASK, milestone_id=MILESTONE)),
]


@pytest.mark.parametrize(("before", "command"), SIMPLE, ids=lambda value: getattr(type(value), "__name__", ""))
def test_a_command_is_undone_and_redone(before: list[Command], command: Command) -> None:
    life = given(*before)
    was = seen(life)
    life.given((MEMBER, command))
    done, meant = seen(life), newest(life)
    assert was != done
    marker, *changes = happened(undo(life, meant, MEMBER, LATER))
    assert marker == CommandUndone(op_id=life.entries[meant - 1].op_id, seq=meant)
    assert changes
    _same(seen(life), was)
    marker, *changes = happened(redo(life, meant, MEMBER, LATER))
    assert marker == CommandRedone(op_id=life.entries[meant - 1].op_id, seq=meant)
    _same(seen(life), done)
    assert refused(redo(life, meant, MEMBER)) == broken("not_undone")
    happened(undo(life, meant, MEMBER, LATER))
    _same(seen(life), was)
    assert refused(undo(life, meant, MEMBER)) == broken("already_undone")
    assert life.replayed() == life.state


def _same(now: dict[str, Any], then: dict[str, Any]) -> None:
    """What was made is a tombstone where it can be one."""
    assert {**now, "comments": {}} == {**then, "comments": {}}
    for comment_id, comment in then["comments"].items():
        assert now["comments"][comment_id] == comment


def test_what_was_made_becomes_a_tombstone_and_keeps_its_key() -> None:
    life = a_team()
    life.given((MEMBER, CreateTask(task_id=TASK, title="one")), (MEMBER, AddComment(task_id=TASK, body="b")))
    comment, task = newest(life), newest(life) - 1
    assert happened(undo(life, comment, MEMBER))[1:] == [CommentDeleted(comment_id=next(iter(life.state.comments)))]
    assert happened(undo(life, task, MEMBER))[1:] == [TaskDeleted(task_id=TASK)]
    life.given((MEMBER, CreateTask(title="two")))
    assert [one["key"] for one in life.state.tasks.values()] == ["APOLLO-1", "APOLLO-2"]
    happened(redo(life, task, MEMBER))
    assert life.state.tasks[TASK]["deletedAt"] is None


def test_only_who_sent_it_undoes_it() -> None:
    life = given(EditTask(task_id=TASK, title="Other"))
    for somebody in (OWNER, ADMIN, VIEWER):
        assert refused(undo(life, newest(life), somebody)) == NOT_YOURS
    assert refused(undo(life, newest(life), STRANGER)) == (ErrorCode.NOT_FOUND, None)


def test_what_is_not_in_the_log_cannot_be_undone() -> None:
    life = a_task()
    command = UndoCommand(op_id=NOBODY)
    outcome = life.send(command, MEMBER, facts=facts_of(life, command))
    assert refused(outcome) == (ErrorCode.NOT_FOUND, None)
    assert isinstance(outcome, Rejection)
    assert outcome.details == {"what": "command"}


def test_the_permission_is_judged_as_it_is_now() -> None:
    life = given(EditTask(task_id=TASK, title="Other"))
    meant = newest(life)
    life.given((OWNER, ChangeMemberRole(user_id=MEMBER.id, role="viewer")))
    assert refused(undo(life, meant, MEMBER)) == (ErrorCode.FORBIDDEN, None)
    life.given((OWNER, RemoveMember(user_id=MEMBER.id)))
    assert refused(undo(life, meant, MEMBER)) == (ErrorCode.NOT_FOUND, None)


def test_who_may_make_may_take_back_though_not_delete() -> None:
    life = given(CreateMilestone(milestone_id=MILESTONE, name="One"))
    assert refused(life.send(DeleteMilestone(milestone_id=MILESTONE), MEMBER)) == (ErrorCode.FORBIDDEN, None)
    meant = newest(life)
    happened(undo(life, meant, MEMBER))
    assert life.state.milestones == {}
    happened(redo(life, meant, MEMBER))
    assert life.state.milestones[MILESTONE]["name"] == "One"


@pytest.mark.parametrize(
    "command",
    [
        ChangeMemberRole(user_id=VIEWER.id, role="member"),
        RemoveMember(user_id=VIEWER.id),
        DeleteProject(),
    ],
)
def test_what_is_no_content_is_not_undone(command: Command) -> None:
    life = a_team()
    life.given((OWNER, command))
    outcome = undo(life, newest(life), OWNER)
    expected = broken("project_deleted") if isinstance(command, DeleteProject) else NOT_UNDOABLE
    assert refused(outcome) == expected


def test_an_undo_is_taken_back_by_a_redo_and_not_by_an_undo() -> None:
    life = given(EditTask(task_id=TASK, title="Other"))
    undo(life, newest(life), MEMBER)
    assert refused(undo(life, newest(life), MEMBER)) == NOT_UNDOABLE


def test_history_is_undone_by_nobody_and_no_undo_is_imported() -> None:
    life = a_team()
    life.send(CreateTask(task_id=TASK, title="old"), OWNER, origin=as_imported())
    assert refused(undo(life, newest(life), OWNER)) == NOT_YOURS
    command = UndoCommand(op_id=life.entries[-1].op_id)
    assert refused(life.send(command, OWNER, origin=as_imported(), facts=facts_of(life, command))) == broken(
        "not_importable"
    )


def test_a_command_that_changed_nothing_leaves_nothing_to_undo() -> None:
    life = given(EditTask(task_id=TASK, title="Land on the moon"))
    assert refused(undo(life, newest(life), MEMBER)) == NOTHING_LEFT


def test_every_undoable_event_has_its_permission() -> None:
    assert set(NEEDED) == set(INVERSES) | BESIDE
    assert not MARKERS & set(NEEDED)


def test_the_oldest_undoings_are_forgotten() -> None:
    undone: dict[str, Undoing] = {}
    for number in range(UNDONE_REMEMBERED_MAX + 1):
        meta = EntryMeta(number + 2, uuid(number), MEMBER.id, NOW, NOW)
        evolve_undone(undone, CommandUndone(op_id=uuid(number + 1), seq=1), meta)
    assert (len(undone), next(iter(undone))) == (UNDONE_REMEMBERED_MAX, uuid(2))


def test_an_undo_that_was_overtaken_by_another_asks_again() -> None:
    life = given(EditTask(task_id=TASK, title="Other"))
    meant = newest(life)
    undo(life, meant, MEMBER)
    command = RedoCommand(op_id=life.entries[meant - 1].op_id)
    stale = facts_of(life, command)
    redo(life, meant, MEMBER)
    undo(life, meant, MEMBER)
    assert refused(life.send(command, MEMBER, facts=stale)) == (ErrorCode.CONFLICT, "undone_anew")


def test_what_one_did_is_undone_from_the_newest_to_the_oldest_with_a_state_and_what_was_made_in_it() -> None:
    life = a_team()
    before = seen(life)
    life.given(
        (OWNER, EditProject(states=[*DEFAULT_STATES, QA])), (OWNER, CreateTask(task_id=TASK, title="t", state_id="qa"))
    )
    edited, created = newest(life) - 1, newest(life)
    happened(undo(life, created, OWNER))
    happened(undo(life, edited, OWNER))
    assert seen(life)["project"] == before["project"]
    happened(redo(life, created, OWNER))
    assert life.state.tasks[TASK]["stateId"] == "backlog", "its own state is gone"
    happened(undo(life, created, OWNER))
    happened(redo(life, edited, OWNER))
    happened(redo(life, created, OWNER))
    assert life.replayed() == life.state


def test_a_task_that_came_back_without_its_state_is_deleted_again_by_the_undo() -> None:
    life = a_team()
    life.given(
        (OWNER, EditProject(states=[*DEFAULT_STATES, QA])),
        (MEMBER, CreateTask(task_id=TASK, title="t", state_id="qa")),
        (MEMBER, DeleteTask(task_id=TASK)),
        (OWNER, EditProject(states=list(DEFAULT_STATES))),
    )
    deleted = newest(life) - 1
    life.given((MEMBER, RestoreTask(task_id=TASK)))
    happened(undo(life, newest(life), MEMBER))
    assert life.state.tasks[TASK]["deletedAt"] is not None
    happened(undo(life, deleted, MEMBER))
    assert (life.state.tasks[TASK]["stateId"], life.state.tasks[TASK]["deletedAt"]) == ("backlog", None)
    happened(redo(life, deleted, MEMBER))
    assert life.state.tasks[TASK]["deletedAt"] is not None
    assert life.replayed() == life.state


@pytest.mark.parametrize("left", [list(DEFAULT_STATES), [*DEFAULT_STATES, {**QA, "group": "completed"}]])
def test_who_may_delete_and_not_edit_takes_back_the_place_of_a_task_too(left: list[WorkflowState]) -> None:
    life = a_team()
    life.given(
        (OWNER, EditProject(states=[*DEFAULT_STATES, QA])),
        (OWNER, CreateTask(task_id=TASK, title="t", state_id="qa")),
        (OWNER, DeleteTask(task_id=TASK)),
        (OWNER, EditProject(states=left)),
        (OWNER, DefineRole(role_id=ROLE, name="Cleaner", permissions=["task.delete"])),
        (OWNER, ChangeMemberRole(user_id=MEMBER.id, role=ROLE)),
        (MEMBER, RestoreTask(task_id=TASK)),
    )
    restored = newest(life)
    assert [event.kind for event in events_of(life.entries[-1])] == ["TaskRestored", "TaskEdited"]
    happened(undo(life, restored, MEMBER))
    assert life.state.tasks[TASK]["deletedAt"] is not None
    happened(redo(life, restored, MEMBER))
    assert life.state.tasks[TASK]["deletedAt"] is None
    assert refused(life.send(EditTask(task_id=TASK, title="x"), MEMBER)) == (ErrorCode.FORBIDDEN, None)
    life.given((OWNER, ChangeMemberRole(user_id=MEMBER.id, role="commenter")))
    assert refused(undo(life, restored, MEMBER)) == (ErrorCode.FORBIDDEN, None)


def test_where_a_tombstone_stood_is_redone_though_the_state_is_gone() -> None:
    life = a_task()
    life.given(
        (OWNER, EditProject(states=[*DEFAULT_STATES, QA])),
        (MEMBER, EditTask(task_id=TASK, state_id="qa")),
        (MEMBER, DeleteTask(task_id=TASK)),
        (OWNER, EditProject(states=list(DEFAULT_STATES))),
    )
    moved = newest(life) - 2
    before = seen(life)
    happened(undo(life, moved, MEMBER))
    assert life.state.tasks[TASK]["stateId"] == "backlog"
    happened(redo(life, moved, MEMBER))
    assert seen(life) == before
    life.given((MEMBER, RestoreTask(task_id=TASK)))
    assert life.state.tasks[TASK]["stateId"] == "backlog"


WEEKLY: Recurrence = {"every": 1, "unit": "week"}


def test_who_may_edit_and_not_add_takes_a_completion_back_with_the_next_task() -> None:
    life = given(EditTask(task_id=TASK, recurrence=WEEKLY))
    life.given(
        (OWNER, DefineRole(role_id=ROLE, name="Editor", permissions=["task.edit"])),
        (OWNER, ChangeMemberRole(user_id=MEMBER.id, role=ROLE)),
        (MEMBER, EditTask(task_id=TASK, state_id="done")),
    )
    completed = newest(life)
    assert [event.kind for event in events_of(life.entries[-1])] == ["TaskEdited", "TaskRecurred", "TaskCreated"]
    happened(undo(life, completed, MEMBER))
    assert life.state.tasks[TASK]["recurrence"] == WEEKLY
    happened(redo(life, completed, MEMBER))
    assert life.state.tasks[TASK]["stateId"] == "done"
    assert refused(life.send(CreateTask(title="x"), MEMBER)) == (ErrorCode.FORBIDDEN, None)


def test_who_may_delete_milestones_and_not_edit_takes_that_back_with_its_tasks() -> None:
    life = given(CreateMilestone(milestone_id=MILESTONE, name="One"), EditTask(task_id=TASK, milestone_id=MILESTONE))
    life.given(
        (OWNER, DefineRole(role_id=ROLE, name="Planner", permissions=["milestone.delete"])),
        (OWNER, ChangeMemberRole(user_id=MEMBER.id, role=ROLE)),
        (MEMBER, DeleteMilestone(milestone_id=MILESTONE)),
    )
    deleted = newest(life)
    happened(undo(life, deleted, MEMBER))
    assert life.state.tasks[TASK]["milestoneId"] == MILESTONE
    happened(redo(life, deleted, MEMBER))
    assert life.state.milestones == {}


def test_a_chain_is_taken_back_from_its_end_so_that_there_are_never_two() -> None:
    life = given(EditTask(task_id=TASK, recurrence=WEEKLY))
    life.given((MEMBER, EditTask(task_id=TASK, state_id="done")), now=LATER)
    first, following = newest(life), _next_of(life)
    life.given((MEMBER, EditTask(task_id=following, state_id="done")), now=MUCH_LATER)
    second = newest(life)
    assert refused(undo(life, first, MEMBER, MUCH_LATER)) == broken("next_came_again")
    happened(undo(life, second, MEMBER, MUCH_LATER))
    happened(undo(life, first, MEMBER, MUCH_LATER))
    assert _open_chains(life) == [TASK]
    happened(redo(life, first, MEMBER, MUCH_LATER))
    happened(redo(life, second, MEMBER, MUCH_LATER))
    assert len(_open_chains(life)) == 1


def test_a_next_task_that_gave_up_its_rule_stands_in_no_way() -> None:
    life = given(EditTask(task_id=TASK, recurrence=WEEKLY))
    life.given((MEMBER, EditTask(task_id=TASK, state_id="done")), now=LATER)
    first, following = newest(life), _next_of(life)
    life.given((MEMBER, EditTask(task_id=following, recurrence=None, state_id="done")), now=MUCH_LATER)
    happened(undo(life, first, MEMBER, MUCH_LATER))
    assert _open_chains(life) == [TASK]


def _next_of(life: Life) -> str:
    [created] = [event for event in events_of(life.entries[-1]) if isinstance(event, TaskCreated)]
    return created.task["id"]


def _open_chains(life: Life) -> list[str]:
    """The tasks that will come again."""
    return [one["id"] for one in life.state.tasks.values() if one["recurrence"] and one["deletedAt"] is None]
