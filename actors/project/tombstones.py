"""Deleted tasks. A tombstone keeps everything, its key and its external id too, and comes back whole.

Only its state does not wait for it: people may take away a state in which nobody sees a task. Nor does its recurrence,
which another task of its series may carry on by now.
"""

from __future__ import annotations

from typing import Any

from actors.project.dating import Dating, date_content
from actors.project.permissions import broken, missing, no_project, refusal
from actors.project.places import end_rank
from actors.project.projects import Outcome, archived, is_archived
from actors.project.series import goes_on_elsewhere
from actors.project.state import CLOSED_GROUPS, ProjectState, is_closed, note_content, replace_task
from actors.runtime.actor import Context, EntryMeta
from protocol.errors import ErrorCode, Rejection
from protocol.messages import ProjectEvent
from protocol.projects import ProjectView
from protocol.tasks import DeleteTask, RestoreTask, TaskChanges, TaskDeleted, TaskEdited, TaskRestored, TaskView


def living(state: ProjectState, task_id: str, what: str = "task") -> TaskView | Rejection:
    """The task, for a command that works on it. A deleted one is no secret: whoever may see tasks may read it."""
    task = state.tasks.get(task_id)
    if task is None:
        return missing(what)
    if task["deletedAt"] is not None:
        details = {"reason": "task_deleted", "what": what, "taskId": task_id}
        return Rejection(ErrorCode.RULE_BROKEN, f"this {what} is deleted; it has to be restored first", details)
    return task


def is_hidden(state: ProjectState, task_id: str) -> bool:
    """Whether lists leave out what hangs on this task."""
    task = state.tasks.get(task_id)
    return task is None or task["deletedAt"] is not None


def decide_delete(state: ProjectState, command: DeleteTask, context: Context) -> Outcome:
    """Subtasks stay where they are, and so do links and comments: nothing but the task itself is marked."""
    refused = refusal(state, context.principal, "task.delete")
    if refused is not None:
        return refused
    task = living(state, command.task_id)
    if isinstance(task, Rejection):
        return task
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    if is_archived(state):
        return archived()
    return dating.decision([TaskDeleted(task_id=command.task_id)])


def decide_restore(state: ProjectState, command: RestoreTask, context: Context) -> Outcome:
    """It can always come back: while it was away its place, its links and its parent counted as if it were there."""
    refused = refusal(state, context.principal, "task.delete")
    if refused is not None or state.project is None:
        return refused or no_project()
    task = state.tasks.get(command.task_id)
    if task is None:
        return missing("task")
    if task["deletedAt"] is None:
        return broken("task_not_deleted", "the task is not deleted")
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    if is_archived(state):
        return archived()
    goes_on = goes_on_elsewhere(state, task["id"])
    return dating.decision(back(state, state.project, task, dating, comes_again=not goes_on))


def back(
    state: ProjectState, project: ProjectView, task: TaskView, dating: Dating, *, comes_again: bool = True
) -> list[ProjectEvent]:
    """A tombstone comes back: where its state is gone or closes tasks otherwise than before, with an edit beside it.

    So it is where its series goes on without it, and it is not to come again.
    """
    changes: TaskChanges = {}
    was: TaskChanges = {}
    if not comes_again and task["recurrence"] is not None:
        changes["recurrence"], was["recurrence"] = None, task["recurrence"]
    restored = TaskRestored(task_id=task["id"])
    states = [one["id"] for one in project["states"]]
    if task["stateId"] not in states:
        return [restored, _moved_home(state, project, task, dating, changes, was)]
    closes = is_closed(project, task["stateId"])
    turned: dict[str, Any] = (
        {} if closes == (task["closedAt"] is not None) else {"closed_at": dating.at if closes else None}
    )
    if not changes and not turned:
        return [restored]
    return [restored, TaskEdited(task_id=task["id"], changes=changes, was=was, **turned)]


def _moved_home(
    state: ProjectState, project: ProjectView, task: TaskView, dating: Dating, changes: TaskChanges, was: TaskChanges
) -> TaskEdited:
    """To the end of the first state that is open or closed as the task was, of the first one if there is none."""
    was_closed = task["closedAt"] is not None
    states = project["states"]
    home = next((one for one in states if (one["group"] in CLOSED_GROUPS) == was_closed), states[0])
    changes = {**changes, "stateId": home["id"], "rank": end_rank(state, home["id"])}
    was = {**was, "stateId": task["stateId"], "rank": task["rank"]}
    closed_at = dating.at if home["group"] in CLOSED_GROUPS else None
    return TaskEdited(task_id=task["id"], changes=changes, was=was, closed_at=closed_at)


def evolve_deleted(state: ProjectState, event: TaskDeleted, meta: EntryMeta) -> None:
    task = state.tasks[event.task_id]
    replace_task(state, {**task, "deletedAt": meta.at, "updatedAt": meta.at})
    note_content(state, meta)


def evolve_restored(state: ProjectState, event: TaskRestored, meta: EntryMeta) -> None:
    task = state.tasks[event.task_id]
    replace_task(state, {**task, "deletedAt": None, "updatedAt": meta.at})
    note_content(state, meta)
