"""Whom an entry about what is gone, or about very much, concerns."""

from __future__ import annotations

from actors.project.notices import NOTICES_PER_PERSON_MAX, notices
from actors.user.limits import UserLimits
from protocol.comments import AddComment, EditComment
from protocol.event import Principal
from protocol.milestones import CreateMilestone, DeleteMilestone
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks, RestoreTask
from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from protocol.undo import UndoCommand
from protocol.watchers import WatchTask
from tests.actors.given import (
    COMMENT,
    MEMBER,
    OWNER,
    TASK,
    VIEWER,
    Life,
    a_task,
    events_of,
    happened,
    project_state,
    uuid,
)
from tests.actors.undoing import facts_of, newest, restore

MILESTONE = uuid(0x401)


def told(life: Life, by: Principal, each_max: int = NOTICES_PER_PERSON_MAX) -> list[tuple[str, str | None, str]]:
    """Of the life's last entry: who is told, of which task, and why."""
    found = notices(project_state(life), events_of(life.entries[-1]), by.id, each_max=each_max)  # type: ignore[arg-type]
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


# --------------------------------------------------------------------------- of very much at once


def a_milestone_of(count: int) -> tuple[Life, list[str]]:
    """Tasks of one milestone that the viewer watches, all of them; and the first of them the member."""
    life = a_task()
    tasks = [uuid(0x1000 + number) for number in range(count)]
    life.given((OWNER, CreateMilestone(milestone_id=MILESTONE, name="M")))
    for task_id in tasks:
        life.given((OWNER, CreateTask(task_id=task_id, title="x", milestone_id=MILESTONE)))
        life.given((VIEWER, WatchTask(task_id=task_id)))
    life.given((MEMBER, WatchTask(task_id=tasks[0])))
    return life, tasks


def test_who_watches_very_many_tasks_of_one_entry_is_told_once_and_others_of_theirs() -> None:
    life, tasks = a_milestone_of(NOTICES_PER_PERSON_MAX + 1)
    happened(life.send(DeleteMilestone(milestone_id=MILESTONE), OWNER))
    assert told(life, OWNER) == [(VIEWER.id, None, "watched"), (MEMBER.id, tasks[0], "watched")]
    undo(life, OWNER)
    assert told(life, OWNER) == [(VIEWER.id, None, "watched"), (MEMBER.id, tasks[0], "watched")]


def test_who_watches_as_many_as_they_are_told_of_singly_is_told_of_each() -> None:
    life, tasks = a_milestone_of(NOTICES_PER_PERSON_MAX)
    happened(life.send(DeleteMilestone(milestone_id=MILESTONE), OWNER))
    mine = [line for line in told(life, OWNER) if line[0] == VIEWER.id]
    assert mine == [(VIEWER.id, task_id, "watched") for task_id in tasks]


def test_what_means_the_person_themself_keeps_its_notice_behind_the_one_of_the_project() -> None:
    life, tasks = a_milestone_of(5)
    edits = [EditTask(task_id=task_id, title="y") for task_id in tasks]
    edits[0] = EditTask(task_id=tasks[0], add_assignees=[VIEWER.id])
    edits[3] = EditTask(task_id=tasks[3], add_assignees=[VIEWER.id])
    life.given((OWNER, EditTasks(edits=edits)))
    own = [(VIEWER.id, tasks[0], "assigned watched"), (VIEWER.id, tasks[3], "assigned watched")]
    others = [(MEMBER.id, tasks[0], "watched")]
    assert told(life, OWNER, each_max=4) == [(VIEWER.id, None, "watched"), own[0], *others, own[1]]
    assert told(life, OWNER, each_max=3) == [(VIEWER.id, None, "watched"), own[0], *others, own[1]]
    assert told(life, OWNER, each_max=2) == [(VIEWER.id, None, "assigned watched"), own[0], *others]
    assert told(life, OWNER, each_max=1) == [(VIEWER.id, None, "assigned watched"), *others]


def test_what_one_entry_tells_leaves_most_of_an_inbox_to_others() -> None:
    assert UserLimits().inbox_notifications_max >= NOTICES_PER_PERSON_MAX * 10
