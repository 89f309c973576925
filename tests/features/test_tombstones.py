"""Deleted tasks: what is hidden, what stays taken, and that everything comes back."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project.comments import list_comments, view_comment
from actors.project.tasks import list_tasks, view_task
from protocol.comments import AddComment, EditComment
from protocol.errors import ErrorCode, Rejection
from protocol.projects import DEFAULT_STATES, DeleteProject, EditProject, WorkflowState
from protocol.tasks import CreateTask, DeleteTask, EditTask, RestoreTask, TaskDeleted, TaskRestored
from tests.actors.given import (
    ADMIN,
    ALREADY_EXISTS,
    COMMENT,
    COMMENTER,
    FORBIDDEN,
    LATER,
    MEMBER,
    NOT_FOUND,
    NOW,
    OTHER_TASK,
    OWNER,
    STRANGER,
    TASK,
    VIEWER,
    Life,
    a_task,
    as_imported,
    broken,
    happened,
    project_state,
    refused,
)

DELETED = broken("task_deleted")


def a_tombstone() -> Life:
    """A task with a comment and an external id, deleted."""
    life = a_task()
    life.given(
        (MEMBER, CreateTask(task_id=OTHER_TASK, title="Return", external_id="github:a/b#1", assignee_ids=[MEMBER.id])),
        (COMMENTER, AddComment(comment_id=COMMENT, task_id=OTHER_TASK, body="One small step")),
    )
    life.given((MEMBER, DeleteTask(task_id=OTHER_TASK)), now=LATER)
    return life


def test_deleting_marks_the_task_and_nothing_else() -> None:
    life = a_task()
    before = life.state.tasks[TASK]
    [deleted] = happened(life.send(DeleteTask(task_id=TASK), MEMBER, now=LATER))
    assert deleted == TaskDeleted(task_id=TASK)
    assert life.actor.answer([deleted]) == {}
    assert life.state.tasks[TASK] == {**before, "deletedAt": LATER, "updatedAt": LATER}
    [restored] = happened(life.send(RestoreTask(task_id=TASK), MEMBER, now=LATER))
    assert restored == TaskRestored(task_id=TASK)
    assert life.state.tasks[TASK] == {**before, "updatedAt": LATER}


def test_a_tombstone_is_in_no_list_and_is_read_by_its_id() -> None:
    state = project_state(a_tombstone())
    page = list_tasks(state, VIEWER)
    assert isinstance(page, list)
    assert [task["id"] for task in page] == [TASK]
    assert view_task(state, VIEWER, OTHER_TASK) == state.tasks[OTHER_TASK]
    assert refused(view_task(state, STRANGER, OTHER_TASK)) == NOT_FOUND


def test_pages_are_full_where_tombstones_lie_between() -> None:
    life = a_tombstone()
    life.given(*((MEMBER, CreateTask(title="x")) for _ in range(4)))
    state = project_state(life)
    first, second = list_tasks(state, VIEWER, 0, 3), list_tasks(state, VIEWER, 4, 3)
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert ([task["number"] for task in first], [task["number"] for task in second]) == ([1, 3, 4], [5, 6])


@pytest.mark.parametrize(
    "command",
    [
        EditTask(task_id=OTHER_TASK, title="x"),
        EditTask(task_id=OTHER_TASK),
        DeleteTask(task_id=OTHER_TASK),
        AddComment(task_id=OTHER_TASK, body="x"),
        EditComment(comment_id=COMMENT, body="x"),
    ],
)
def test_commands_on_a_tombstone_are_refused(command: Any) -> None:
    refusal = a_tombstone().decide(command, OWNER)
    assert refused(refusal) == DELETED
    assert isinstance(refusal, Rejection)
    assert refusal.details["taskId"] == OTHER_TASK


def test_key_and_external_id_stay_taken() -> None:
    life = a_tombstone()
    [created] = happened(life.send(CreateTask(title="Next"), MEMBER))
    assert created.task["key"] == "APOLLO-3"
    again = life.decide(CreateTask(title="x", external_id="github:a/b#1"), MEMBER)
    assert isinstance(again, Rejection)
    assert (again.code, again.details["taskId"]) == (ErrorCode.ALREADY_EXISTS, OTHER_TASK)
    assert refused(life.decide(CreateTask(task_id=OTHER_TASK, title="x"), MEMBER)) == ALREADY_EXISTS


def test_comments_are_hidden_with_their_task_and_come_back() -> None:
    life = a_tombstone()
    state = project_state(life)
    assert refused(list_comments(state, VIEWER, OTHER_TASK)) == NOT_FOUND
    assert refused(view_comment(state, VIEWER, COMMENT)) == NOT_FOUND
    life.given((MEMBER, RestoreTask(task_id=OTHER_TASK)))
    [comment] = list_comments(state, VIEWER, OTHER_TASK)  # type: ignore[misc]
    assert comment == {**state.comments[COMMENT], "replyCount": 0}
    assert view_comment(state, VIEWER, COMMENT) == state.comments[COMMENT]
    assert comment["body"] == "One small step"


def test_the_place_is_kept() -> None:
    life = a_tombstone()
    before = life.state.tasks[OTHER_TASK]
    life.given((MEMBER, EditTask(task_id=TASK, state_id="todo")), (MEMBER, RestoreTask(task_id=OTHER_TASK)))
    restored = life.state.tasks[OTHER_TASK]
    assert restored == {**before, "deletedAt": None}
    assert (restored["stateId"], restored["number"]) == ("backlog", 2)


def test_a_tombstone_holds_no_state_and_comes_back_in_the_first_one_that_is_open_as_it_was() -> None:
    life = a_tombstone()
    states = [state for state in DEFAULT_STATES if state["id"] != "backlog"]
    assert refused(life.decide(EditProject(states=states), OWNER)) == broken("state_in_use"), "the other task"
    life.given((MEMBER, EditTask(task_id=TASK, state_id="todo")), (OWNER, EditProject(states=states)))
    assert life.state.tasks[OTHER_TASK]["stateId"] == "backlog"
    restored, moved = happened(life.send(RestoreTask(task_id=OTHER_TASK), MEMBER))
    assert (restored.kind, moved.kind) == ("TaskRestored", "TaskEdited")
    task = life.state.tasks[OTHER_TASK]
    assert (task["stateId"], task["closedAt"], task["deletedAt"]) == ("todo", None, None)
    assert task["rank"] > life.state.tasks[TASK]["rank"], "behind those that are there"


def test_a_closed_tombstone_comes_back_closed_where_there_is_a_closed_state_left() -> None:
    for gone, home in (({"done"}, "cancelled"), ({"done", "cancelled"}, "backlog")):
        life = a_task()
        life.given((MEMBER, EditTask(task_id=TASK, state_id="done")), (MEMBER, DeleteTask(task_id=TASK)))
        states = [state for state in DEFAULT_STATES if state["id"] not in gone]
        life.given((OWNER, EditProject(states=states)), (MEMBER, RestoreTask(task_id=TASK)))
        task = life.state.tasks[TASK]
        assert (task["stateId"], task["closedAt"] is not None) == (home, home == "cancelled")


def test_a_state_may_close_what_is_deleted_in_it_which_comes_back_closed() -> None:
    life = a_tombstone()
    closing: list[WorkflowState] = [
        {**state, "group": "cancelled"} if state["id"] == "backlog" else state for state in DEFAULT_STATES
    ]
    life.given((MEMBER, EditTask(task_id=TASK, state_id="todo")), (OWNER, EditProject(states=closing)))
    assert life.state.tasks[OTHER_TASK]["closedAt"] is None
    life.given((MEMBER, RestoreTask(task_id=OTHER_TASK)))
    assert life.state.tasks[OTHER_TASK]["closedAt"] is not None
    life.given((MEMBER, DeleteTask(task_id=OTHER_TASK)), (OWNER, EditProject(states=list(DEFAULT_STATES))))
    life.given((MEMBER, RestoreTask(task_id=OTHER_TASK)))
    assert life.state.tasks[OTHER_TASK]["closedAt"] is None


def test_who_may_delete_may_restore_and_nobody_else() -> None:
    for person in (OWNER, ADMIN, MEMBER):
        happened(a_task().decide(DeleteTask(task_id=TASK), person))
        happened(a_tombstone().decide(RestoreTask(task_id=OTHER_TASK), person))
    for person, answer in ((COMMENTER, FORBIDDEN), (VIEWER, FORBIDDEN), (STRANGER, NOT_FOUND)):
        assert refused(a_task().decide(DeleteTask(task_id=TASK), person)) == answer
        assert refused(a_tombstone().decide(RestoreTask(task_id=OTHER_TASK), person)) == answer


def test_only_what_is_there_is_deleted_and_only_what_is_deleted_comes_back() -> None:
    life = a_task()
    assert refused(life.decide(DeleteTask(task_id=OTHER_TASK), MEMBER)) == NOT_FOUND
    assert refused(life.decide(RestoreTask(task_id=OTHER_TASK), MEMBER)) == NOT_FOUND
    assert refused(life.decide(RestoreTask(task_id=TASK), MEMBER)) == broken("task_not_deleted")


def test_archived_and_deleted_projects_bury_nothing() -> None:
    life = a_tombstone()
    life.given((OWNER, EditProject(status="Archived")))
    for command in (DeleteTask(task_id=TASK), RestoreTask(task_id=OTHER_TASK)):
        assert refused(life.decide(command, OWNER)) == broken("project_archived")
    life.given((OWNER, DeleteProject()))
    assert refused(life.decide(RestoreTask(task_id=OTHER_TASK), OWNER)) == broken("project_deleted")


def test_a_deletion_counts_as_content_and_history_may_bring_it() -> None:
    life = a_task()
    assert {TaskDeleted.kind, TaskRestored.kind} <= life.actor.content_events
    closed = life.decide(DeleteTask(task_id=TASK), OWNER, origin=as_imported(NOW))
    assert refused(closed) == broken("import_closed")
