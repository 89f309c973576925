"""Whom an entry about what is gone, or about very much, concerns."""

from __future__ import annotations

from actors.project.decider import ProjectActor
from protocol.comments import AddComment, EditComment
from protocol.event import Principal
from protocol.milestones import CreateMilestone, DeleteMilestone
from protocol.tasks import CreateTask, DeleteTask, EditTask, RestoreTask
from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from protocol.undo import UndoCommand
from protocol.watchers import WatchTask
from tests.actors.given import COMMENT, MEMBER, OWNER, TASK, VIEWER, Life, a_task, events_of, happened, uuid
from tests.actors.undoing import facts_of, newest, restore

MILESTONE = uuid(0x401)


def told(life: Life, by: Principal) -> list[tuple[str, str | None, str]]:
    """Of the life's last entry: who is told, of which task, and why."""
    found = ProjectActor().notices(life.state, events_of(life.entries[-1]), by.id)  # type: ignore[arg-type]
    return [(notice["userId"], notice["taskId"], " ".join(notice["reasons"])) for notice in found]


def undo(life: Life, by: Principal) -> None:
    command = UndoCommand(op_id=life.entries[-1].op_id)
    happened(life.send(command, by, facts=facts_of(life, command)))


# --------------------------------------------------------------------------- of tombstones


def test_who_is_assigned_a_task_by_the_entry_that_deletes_it_is_not_told() -> None:
    life = a_task()
    life.given((VIEWER, WatchTask(task_id=TASK)), (OWNER, EditTask(task_id=TASK, add_assignees=[MEMBER.id])))
    life.given((OWNER, DeleteTask(task_id=TASK)))
    point = newest(life)
    life.given((OWNER, RestoreTask(task_id=TASK)), (OWNER, EditTask(task_id=TASK, remove_assignees=[MEMBER.id])))
    happened(restore(life, RestoreTaskTo(task_id=TASK, as_of=point), OWNER))
    task = life.state.tasks[TASK]
    assert (task["assigneeIds"], task["deletedAt"] is None) == ([MEMBER.id], False)
    assert told(life, OWNER) == [(VIEWER.id, TASK, "watched")]


def test_a_milestone_that_goes_and_comes_back_tells_nobody_of_its_deleted_tasks() -> None:
    life = a_task()
    other = uuid(0x2FE)
    life.given(
        (OWNER, CreateMilestone(milestone_id=MILESTONE, name="M")), (OWNER, CreateTask(task_id=other, title="x"))
    )
    for task_id in (TASK, other):
        life.given((OWNER, EditTask(task_id=task_id, milestone_id=MILESTONE)), (VIEWER, WatchTask(task_id=task_id)))
    life.given((OWNER, DeleteTask(task_id=TASK)), (OWNER, DeleteMilestone(milestone_id=MILESTONE)))
    assert told(life, OWNER) == [(VIEWER.id, other, "watched")]
    undo(life, OWNER)
    assert life.state.tasks[TASK]["milestoneId"] == MILESTONE
    assert told(life, OWNER) == [(VIEWER.id, other, "watched")]


def test_who_is_mentioned_again_in_a_comment_of_a_deleted_task_is_not_told() -> None:
    life = a_task()
    life.given((OWNER, AddComment(comment_id=COMMENT, task_id=TASK, body="?")))
    before = newest(life)
    edit = EditComment(comment_id=COMMENT, body="@member")
    happened(life.send(edit, OWNER, facts={"mentionedIds": [[MEMBER.id]]}))
    assert told(life, OWNER) == [(MEMBER.id, TASK, "mentioned")]
    life.given((OWNER, DeleteTask(task_id=TASK)))
    point = newest(life)
    happened(restore(life, RestoreProjectTo(as_of=before), OWNER))
    assert life.state.comments[COMMENT]["mentions"] == []
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert life.state.tasks[TASK]["deletedAt"] is not None
    assert told(life, OWNER) == []
