"""Due dates: a timer per task, and the entry by which people are told in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from actors.project.permissions import broken, no_project, refusal
from actors.project.projects import Outcome, is_archived
from actors.project.state import ProjectState
from actors.runtime.actor import Context, Decision, EntryMeta, TimerChange, TimerStep, TimersWoken, TimerWoken
from protocol.base import Day, instant_of
from protocol.due_dates import DueDateNeared, RemindOfDueDate
from protocol.errors import ErrorCode, Rejection
from protocol.event import SYSTEM
from protocol.tasks import TaskView

REMINDER: Final = "due:"
"""What the names of these timers begin with; the task's id follows."""

TIMER_EVENTS: Final = frozenset({"TaskCreated", "TaskEdited", "TaskRestored", "ProjectEdited", "ProjectRestored"})

_AHEAD: Final = timedelta(days=1)


def timers(kind: str, data: Mapping[str, Any], meta: EntryMeta) -> Sequence[TimerStep]:
    """One timer per task, set with its due date, moved and cleared with it.

    One that was refused, since its task was closed or gone, rests. It is woken when task or project come back.
    """
    match kind:
        case "TaskCreated":
            task = data["task"]
            return [_timer(task["id"], task["dueDate"], meta)] if task["dueDate"] is not None else ()
        case "TaskEdited" if "dueDate" in data["changes"]:
            return [_timer(data["taskId"], data["changes"]["dueDate"], meta)]
        case "TaskEdited" if not _opens(data):
            return ()
        case "TaskEdited" | "TaskRestored":
            return [TimerWoken(f"{REMINDER}{data['taskId']}")]
        case "ProjectEdited" if data["was"].get("status") != "Archived":
            return ()
        case "ProjectEdited" | "ProjectRestored":
            return [TimersWoken(REMINDER)]
        case _:
            return ()


def _opens(edit: Mapping[str, Any]) -> bool:
    """Whether a `TaskEdited` opens its task; most say nothing of `closedAt`."""
    return "closedAt" in edit and edit["closedAt"] is None


def _timer(task_id: str, due: Day | None, meta: EntryMeta) -> TimerChange:
    """A date that had passed when it was recorded, as history's has, reminds nobody."""
    is_past = due is not None and due < meta.recorded_at[:10]
    return TimerChange(f"{REMINDER}{task_id}", None if due is None or is_past else _begins(due))


def _begins(due: Day) -> str:
    """When the day before begins."""
    day = date.fromisoformat(due)
    before = day - _AHEAD if day > date.min else day
    return instant_of(datetime(before.year, before.month, before.day, tzinfo=UTC))


def timer_command(name: str, due_at: str) -> RemindOfDueDate:
    """The command of a timer that `timers` has set."""
    due = date.fromisoformat(due_at[:10]) + _AHEAD
    return RemindOfDueDate(task_id=name.removeprefix(REMINDER), due_date=due.isoformat())


def decide_remind(state: ProjectState, command: RemindOfDueDate, context: Context) -> Outcome:
    """The server alone reminds; strangers do not learn that there is a project."""
    refused = refusal(state, context.principal, "project.view")
    if refused is not None or state.project is None:
        return refused or no_project()
    if context.principal.kind != "system":
        return Rejection(ErrorCode.FORBIDDEN, "only the server reminds people")
    rests = state.project["deletedAt"] is not None or is_archived(state)
    task = state.tasks.get(command.task_id)
    if rests or task is None or not _is_due(task, command, context):
        return broken("not_due", "there is nothing to remind of: the task is closed, or due another day")
    return Decision([DueDateNeared(task_id=task["id"], due_date=command.due_date)], SYSTEM.id, context.now)


def _is_due(task: TaskView, command: RemindOfDueDate, context: Context) -> bool:
    is_open = task["closedAt"] is None and task["deletedAt"] is None
    return is_open and task["dueDate"] == command.due_date and context.now[:10] <= command.due_date
