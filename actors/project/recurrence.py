"""Tasks that come again: the next one is made in the entry that completes the one before."""

from __future__ import annotations

from collections.abc import Sequence

from actors.project.dating import Dating
from actors.project.limits import ProjectLimits
from actors.project.milestones import refuse_tasks
from actors.project.permissions import broken
from actors.project.places import end_rank
from actors.project.recurring_dates import NextDates, next_dates
from actors.project.state import CLOSED_GROUPS, ProjectState
from actors.runtime.actor import Context
from protocol.errors import Rejection
from protocol.projects import ProjectView, StateGroup
from protocol.tasks import TaskCreated, TaskRecurred, TaskView


def come_again(
    state: ProjectState,
    project: ProjectView,
    before: TaskView,
    after: TaskView,
    dating: Dating,
    context: Context,
    limits: ProjectLimits,
) -> Sequence[TaskRecurred | TaskCreated] | Rejection:
    """What a change of a task from `before` to `after` adds to its entry: nothing, or the next task.

    Only completing counts, not cancelling. History brings its next tasks itself. A task whose next day lies beyond the
    calendar does not come again, nor one in a project that has no open state for it.
    """
    rule = after["recurrence"]
    if rule is None or context.origin is not None or not _completes(project, before, after):
        return ()
    dates = next_dates(after, rule, dating.at)
    open_state = next((one["id"] for one in project["states"] if one["group"] not in CLOSED_GROUPS), None)
    if dates is None or open_state is None:
        return ()
    if len(state.tasks) >= limits.tasks_max:
        return broken("tasks_limit", f"a project has at most {limits.tasks_max} tasks")
    refused = refuse_tasks(
        state, after["milestoneId"], limits, coming=1 if after["milestoneId"] == before["milestoneId"] else 2
    )
    if refused is not None:
        return refused
    task = _next_task(state, project, after, open_state, dates, context.new_id(), dating)
    return TaskRecurred(task_id=after["id"], next_task_id=task["id"], was=rule), TaskCreated(task=task)


def _completes(project: ProjectView, before: TaskView, after: TaskView) -> bool:
    groups: dict[str, StateGroup] = {state["id"]: state["group"] for state in project["states"]}
    return groups[after["stateId"]] == "completed" and groups[before["stateId"]] != "completed"


def _next_task(
    state: ProjectState,
    project: ProjectView,
    task: TaskView,
    state_id: str,
    dates: NextDates,
    task_id: str,
    dating: Dating,
) -> TaskView:
    """The same work again, open, for those assignees who are still there."""
    number = state.next_number
    return {
        "id": task_id,
        "key": f"{project['key']}-{number}",
        "number": number,
        "title": task["title"],
        "description": task["description"],
        "stateId": state_id,
        "priority": task["priority"],
        "labels": task["labels"],
        "assigneeIds": [person for person in task["assigneeIds"] if person in state.members],
        "startDate": dates.start,
        "dueDate": dates.due,
        "estimate": task["estimate"],
        "externalId": None,
        "parentId": task["parentId"] if not _is_gone(state, task["parentId"]) else None,
        "milestoneId": task["milestoneId"],
        "watcherIds": [],
        "fields": task["fields"],
        "recurrence": dates.rule,
        "rank": end_rank(state, state_id),
        "createdBy": dating.author,
        "createdAt": dating.at,
        "updatedAt": dating.at,
        "closedAt": None,
        "deletedAt": None,
    }


def _is_gone(state: ProjectState, task_id: str | None) -> bool:
    """Nothing new comes under a tombstone."""
    return task_id is not None and state.tasks[task_id]["deletedAt"] is not None
