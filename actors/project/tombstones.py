"""Deleted tasks. A tombstone keeps everything, its key and its external id too, and comes back whole."""

from __future__ import annotations

from actors.project.dating import date_content
from actors.project.permissions import broken, missing, refusal
from actors.project.projects import Outcome, archived, is_archived
from actors.project.state import ProjectState, note_content
from actors.runtime.actor import Context, EntryMeta
from protocol.errors import ErrorCode, Rejection
from protocol.tasks import DeleteTask, RestoreTask, TaskDeleted, TaskRestored, TaskView


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
    if refused is not None:
        return refused
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
    return dating.decision([TaskRestored(task_id=command.task_id)])


def evolve_deleted(state: ProjectState, event: TaskDeleted, meta: EntryMeta) -> None:
    task = state.tasks[event.task_id]
    state.tasks[event.task_id] = {**task, "deletedAt": meta.at, "updatedAt": meta.at}
    note_content(state, meta)


def evolve_restored(state: ProjectState, event: TaskRestored, meta: EntryMeta) -> None:
    task = state.tasks[event.task_id]
    state.tasks[event.task_id] = {**task, "deletedAt": None, "updatedAt": meta.at}
    note_content(state, meta)
