"""Watchers of tasks. Whoever leaves the project stays in the record and gets nothing: lists ask for membership."""

from __future__ import annotations

from collections.abc import Sequence

from actors.project.dating import date_other
from actors.project.limits import ProjectLimits
from actors.project.permissions import broken, deleted, refusal
from actors.project.projects import Outcome, archived, is_archived
from actors.project.state import ProjectState
from actors.project.tombstones import living
from actors.runtime.actor import Context, EntryMeta
from protocol.errors import Rejection
from protocol.tasks import EditTask, TaskView
from protocol.watchers import UnwatchTask, WatchersChanged, WatchTask


def decide_watch(state: ProjectState, command: WatchTask, context: Context, limits: ProjectLimits) -> Outcome:
    """For oneself; an archived project takes no new watchers."""
    return _decide(state, command.task_id, True, context, limits)


def decide_unwatch(state: ProjectState, command: UnwatchTask, context: Context, limits: ProjectLimits) -> Outcome:
    """For oneself; an archived project lets its watchers go."""
    return _decide(state, command.task_id, False, context, limits)


def _decide(state: ProjectState, task_id: str, watches: bool, context: Context, limits: ProjectLimits) -> Outcome:
    refused = refusal(state, context.principal, "task.view")
    if refused is not None:
        return refused
    if state.project is not None and state.project["deletedAt"] is not None:
        return deleted()
    task = living(state, task_id)
    if isinstance(task, Rejection):
        return task
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    own = context.principal.id
    if own not in state.members:
        return _not_a_member()
    changed = _changed(task, [own] if watches else [], [] if watches else [own])
    if changed is None:
        return dating.decision([])
    if watches and is_archived(state):
        return archived()
    return refuse(state, task, changed, limits) or dating.decision([changed])


def changes_of(task: TaskView, command: EditTask) -> WatchersChanged | None:
    """What an edit changes about the watchers; who is added and removed by one command stays."""
    return _changed(task, command.add_watchers, command.remove_watchers)


def _changed(task: TaskView, wished: Sequence[str], unwished: Sequence[str]) -> WatchersChanged | None:
    present = task["watcherIds"]
    added = [person for person in wished if person not in present]
    removed = [person for person in unwished if person in present and person not in wished]
    return WatchersChanged(task_id=task["id"], added=added, removed=removed) if added or removed else None


def refuse(state: ProjectState, task: TaskView, changed: WatchersChanged, limits: ProjectLimits) -> Rejection | None:
    """Members only, and not too many."""
    if any(person not in state.members for person in changed.added):
        return _not_a_member()
    if changed.added and len(_watching(task, changed)) > limits.watchers_per_task_max:
        return broken("watchers_limit", f"a task has at most {limits.watchers_per_task_max} watchers")
    return None


def _not_a_member() -> Rejection:
    """The operator is told so too: whoever is no person gets no notifications."""
    return broken("watcher_not_member", "only members can watch")


def _watching(task: TaskView, changed: WatchersChanged) -> list[str]:
    return [*(person for person in task["watcherIds"] if person not in changed.removed), *changed.added]


def evolve_changed(state: ProjectState, event: WatchersChanged, meta: EntryMeta) -> None:
    """No content: the task's `updatedAt` stays."""
    task = state.tasks[event.task_id]
    state.tasks[event.task_id] = {**task, "watcherIds": _watching(task, event)}
