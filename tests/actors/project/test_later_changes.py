"""What others have done since stands in the way of an undo, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.comments import AddComment, DeleteComment, EditComment
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command
from protocol.links import AddLink
from protocol.milestones import CreateMilestone
from protocol.projects import EditProject
from protocol.reactions import AddReaction
from protocol.tasks import CreateTask, EditTask, EditTasks, TaskEdited
from protocol.watchers import UnwatchTask, WatchTask
from tests.actors.given import (
    ADMIN,
    COMMENT,
    LATER,
    MEMBER,
    NOW,
    OTHER_TASK,
    OWNER,
    TASK,
    a_team,
    happened,
    refused,
    uuid,
)
from tests.actors.undoing import given, newest, redo, undo

MILESTONE, LINK, REPLY = (uuid(0x900 + number) for number in range(3))
CHANGED = (ErrorCode.CONFLICT, "changed_by_others")


def test_a_field_that_others_have_changed_since_is_theirs() -> None:
    life = given(EditTask(task_id=TASK, title="Mine", priority="high"))
    meant = newest(life)
    life.given((ADMIN, EditTask(task_id=TASK, title="Theirs")), now=LATER)
    outcome = undo(life, meant, MEMBER)
    assert refused(outcome) == CHANGED
    assert isinstance(outcome, Rejection)
    assert outcome.details["fields"] == [
        {
            "what": "task",
            "id": TASK,
            "field": "title",
            "before": "Land on the moon",
            "yours": "Mine",
            "current": "Theirs",
            "seq": newest(life),
            "author": ADMIN.id,
            "at": LATER,
        }
    ]
    assert "title" in outcome.message


def test_other_fields_of_others_stand_in_nobodys_way() -> None:
    life = given(EditTask(task_id=TASK, title="Mine"))
    meant = newest(life)
    life.given((ADMIN, EditTask(task_id=TASK, priority="high", add_labels=["theirs"])))
    happened(undo(life, meant, MEMBER))
    task = life.state.tasks[TASK]
    assert (task["title"], task["priority"], task["labels"]) == ("Land on the moon", "high", ["theirs"])


def test_a_change_of_others_counts_though_one_has_changed_it_again() -> None:
    life = given(EditTask(task_id=TASK, title="Mine"))
    meant = newest(life)
    life.given((ADMIN, EditTask(task_id=TASK, title="Theirs")), (MEMBER, EditTask(task_id=TASK, title="Mine")))
    assert refused(undo(life, meant, MEMBER)) == CHANGED
    happened(undo(life, newest(life), MEMBER))
    assert life.state.tasks[TASK]["title"] == "Theirs"


def test_ones_own_later_changes_stand_in_nobodys_way() -> None:
    life = given(EditTask(task_id=TASK, title="One"), EditTask(task_id=TASK, title="Two"))
    happened(undo(life, newest(life) - 1, MEMBER))
    assert life.state.tasks[TASK]["title"] == "Land on the moon"


def test_a_field_that_others_have_set_back_is_left_and_the_rest_undone() -> None:
    life = given(EditTask(task_id=TASK, title="Mine", priority="high"))
    meant = newest(life)
    life.given((ADMIN, EditTask(task_id=TASK, title="Land on the moon")))
    [_, edited] = happened(undo(life, meant, MEMBER))
    assert edited == TaskEdited(
        task_id=TASK,
        changes={"priority": "none"},
        was={"priority": "high"},
    )


def test_items_of_sets_that_others_have_touched_stay_as_they_left_them() -> None:
    life = given(EditTask(task_id=TASK, add_labels=["a", "b", "c"]))
    meant = newest(life)
    life.given(
        (ADMIN, EditTask(task_id=TASK, remove_labels=["a", "b"])),
        (ADMIN, EditTask(task_id=TASK, add_labels=["a"])),
    )
    happened(undo(life, meant, MEMBER))
    assert life.state.tasks[TASK]["labels"] == ["a"]


def test_a_redo_does_not_overwrite_others_either() -> None:
    life = given(EditTask(task_id=TASK, title="Mine"))
    meant = newest(life)
    undo(life, meant, MEMBER)
    life.given((ADMIN, EditTask(task_id=TASK, title="Theirs")))
    assert refused(redo(life, meant, MEMBER)) == CHANGED


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (AddComment(comment_id=COMMENT, task_id=TASK, body="theirs"), "comment"),
        (AddLink(link_id=LINK, type="relates", task_id=OTHER_TASK, other_id=TASK), "link"),
        (EditTask(task_id=OTHER_TASK, parent_id=TASK), "task"),
        (CreateTask(title="subtask", parent_id=TASK), "task"),
        (EditTask(task_id=TASK, priority="high"), "task"),
        (EditTask(task_id=TASK, add_labels=["theirs"]), "task"),
    ],
)
def test_a_task_that_others_have_built_on_is_not_unmade(command: Command, what: str) -> None:
    life = a_team()
    life.given(
        (ADMIN, CreateTask(task_id=OTHER_TASK, title="other")),
        (MEMBER, CreateTask(task_id=TASK, title="mine")),
        (MEMBER, AddComment(task_id=TASK, body="one's own comments do not count")),
    )
    meant = newest(life) - 1
    life.given((ADMIN, command))
    outcome = undo(life, meant, MEMBER)
    assert refused(outcome) == CHANGED
    assert isinstance(outcome, Rejection)
    [dependent] = outcome.details["dependents"]
    assert (dependent["what"], dependent["author"], dependent["at"]) == (what, ADMIN.id, NOW)


@pytest.mark.parametrize(
    "command",
    [
        AddComment(comment_id=REPLY, task_id=TASK, body="answer", reply_to=COMMENT),
        AddReaction(comment_id=COMMENT, emoji="👍"),
        EditComment(comment_id=COMMENT, body="corrected"),
    ],
)
def test_a_comment_that_others_have_answered_is_not_unsaid(command: Command) -> None:
    life = given(AddComment(comment_id=COMMENT, task_id=TASK, body="said"))
    meant = newest(life)
    life.given((ADMIN, command))
    assert refused(undo(life, meant, MEMBER)) == CHANGED


def test_others_who_have_left_it_again_stand_in_nobodys_way() -> None:
    life = given(AddComment(comment_id=COMMENT, task_id=TASK, body="said"))
    meant = newest(life)
    life.given(
        (ADMIN, AddComment(comment_id=REPLY, task_id=TASK, body="answer", reply_to=COMMENT)),
        (ADMIN, DeleteComment(comment_id=REPLY)),
    )
    happened(undo(life, meant, MEMBER))
    assert life.state.comments[COMMENT]["deletedAt"] is not None


def test_a_milestone_with_tasks_of_others_is_not_unmade() -> None:
    life = given(CreateMilestone(milestone_id=MILESTONE, name="One"))
    meant = newest(life)
    life.given((MEMBER, EditTask(task_id=TASK, milestone_id=MILESTONE)))
    life.given((ADMIN, CreateTask(task_id=OTHER_TASK, title="other", milestone_id=MILESTONE)))
    assert refused(undo(life, meant, MEMBER)) == CHANGED
    life.given((ADMIN, EditTask(task_id=OTHER_TASK, milestone_id=None)))
    happened(undo(life, meant, MEMBER))
    assert life.state.tasks[TASK]["milestoneId"] is None
    happened(redo(life, meant, MEMBER))
    assert life.state.tasks[TASK]["milestoneId"] == MILESTONE


@pytest.mark.parametrize("watching", [[WatchTask(task_id=TASK)], [WatchTask(task_id=TASK), UnwatchTask(task_id=TASK)]])
def test_who_watches_a_task_has_built_nothing_on_it(watching: list[Command]) -> None:
    life = a_team()
    life.given((MEMBER, CreateTask(task_id=TASK, title="mine")))
    meant = newest(life)
    life.given(*((ADMIN, command) for command in watching))
    happened(undo(life, meant, MEMBER))
    watchers = life.state.tasks[TASK]["watcherIds"]
    happened(redo(life, meant, MEMBER))
    assert life.state.tasks[TASK]["watcherIds"] == watchers


def test_many_conflicts_are_named_up_to_a_limit() -> None:
    life = a_team()
    tasks = [uuid(0xA00 + number) for number in range(30)]
    life.given(*((ADMIN, CreateTask(task_id=task_id, title="t")) for task_id in tasks))
    life.given((MEMBER, EditTasks(edits=[EditTask(task_id=task_id, title="mine") for task_id in tasks])))
    meant = newest(life)
    life.given((ADMIN, EditTasks(edits=[EditTask(task_id=task_id, title="theirs") for task_id in tasks])))
    outcome = undo(life, meant, MEMBER)
    assert isinstance(outcome, Rejection)
    assert (len(outcome.details["fields"]), outcome.details["more"]) == (20, True)


@pytest.mark.parametrize(
    "between",
    [
        [(ADMIN, "Theirs"), (ADMIN, "Mine")],
        [(MEMBER, "Land"), (ADMIN, "Mine")],
        [(MEMBER, "Other"), (ADMIN, "Mine")],
        [(ADMIN, "Theirs"), (MEMBER, "Mine")],
    ],
)
def test_a_value_that_others_have_given_is_theirs_though_it_was_given_before(between: list[tuple[Any, str]]) -> None:
    life = given(EditTask(task_id=TASK, title="Mine"))
    mine = newest(life)
    life.given(*((by, EditTask(task_id=TASK, title=title)) for by, title in between))
    assert refused(undo(life, mine, MEMBER)) == (ErrorCode.CONFLICT, "changed_by_others")
    assert life.state.tasks[TASK]["title"] == "Mine"


def test_a_project_that_others_have_hidden_is_not_shown_by_an_old_undo() -> None:
    life = a_team()
    life.given((OWNER, EditProject(visibility="public")), (ADMIN, EditProject(visibility="private")))
    hidden = newest(life)
    life.given((ADMIN, EditProject(visibility="public")), (OWNER, EditProject(visibility="private")))
    assert refused(undo(life, hidden, ADMIN)) == (ErrorCode.CONFLICT, "changed_by_others")


def test_a_redo_asks_what_others_did_since_the_undo() -> None:
    life = given(EditTask(task_id=TASK, title="Mine"))
    mine = newest(life)
    happened(undo(life, mine, MEMBER))
    was = life.state.tasks[TASK]["title"]
    life.given((MEMBER, EditTask(task_id=TASK, title="Other")), (ADMIN, EditTask(task_id=TASK, title=was)))
    assert refused(redo(life, mine, MEMBER)) == (ErrorCode.CONFLICT, "changed_by_others")
