"""Tasks that come again: the next one is made in the entry that completes the one before."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import MAXYEAR, date, timedelta
from typing import Final, NamedTuple

from actors.project.dating import Dating
from actors.project.limits import ProjectLimits
from actors.project.milestones import refuse_tasks
from actors.project.permissions import broken
from actors.project.places import end_rank
from actors.project.state import CLOSED_GROUPS, ProjectState
from actors.runtime.actor import Context
from protocol.base import Day
from protocol.errors import Rejection
from protocol.projects import ProjectView, StateGroup
from protocol.tasks import Recurrence, TaskCreated, TaskRecurred, TaskView

_MONTHS: Final = {"month": 1, "year": 12}
_DAYS: Final = {"day": 1, "week": 7}


class NextDates(NamedTuple):
    """When a task comes again, and the rule that its next one has."""

    start: Day | None
    due: Day | None
    rule: Recurrence


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


def next_dates(task: TaskView, rule: Recurrence, completed_at: str) -> NextDates | None:
    """The task's dates moved by the rule; without any, it is due that long after the day of its completion (UTC).

    A day that its month does not have becomes the month's last one, and the rule remembers the day it goes back to.
    None when a day would lie beyond the year 9999.
    """
    start, due = task["startDate"], task["dueDate"]
    if start is None and due is None:
        due = completed_at[:10]
    next_start = _moved(start, rule, rule.get("startDay")) if start is not None else None
    next_due = _moved(due, rule, rule.get("dueDay")) if due is not None else None
    if (start is not None and next_start is None) or (due is not None and next_due is None):
        return None
    following: Recurrence = {"every": rule["every"], "unit": rule["unit"]}
    if next_start is not None and next_start.wanted is not None:
        following["startDay"] = next_start.wanted
    if next_due is not None and next_due.wanted is not None:
        following["dueDay"] = next_due.wanted
    first, last = next_start and next_start.day, next_due and next_due.day
    if start is not None and due is not None and first is not None and last is not None and start <= due:
        first = min(first, last)
    return NextDates(first, last, following)


class _Moved(NamedTuple):
    """A day, and the day of the month that it would be if its month were long enough."""

    day: Day
    wanted: int | None


def _moved(day: Day, rule: Recurrence, wanted: int | None) -> _Moved | None:
    moment = date.fromisoformat(day)
    if rule["unit"] in _DAYS:
        try:
            return _Moved((moment + timedelta(days=rule["every"] * _DAYS[rule["unit"]])).isoformat(), None)
        except OverflowError:
            return None
    months = moment.year * 12 + moment.month - 1 + rule["every"] * _MONTHS[rule["unit"]]
    year, month = months // 12, months % 12 + 1
    if year > MAXYEAR:
        return None
    # Only a day that its month cut short goes back: whoever has moved the date since meant what they said.
    was_cut = wanted is not None and wanted > moment.day == monthrange(moment.year, moment.month)[1]
    number = wanted if was_cut and wanted is not None else moment.day
    length = monthrange(year, month)[1]
    return _Moved(date(year, month, min(number, length)).isoformat(), number if number > length else None)
