"""Who of a series has its recurrence once an entry is taken back: one task, or several that had it just before.

What stood side by side then may stand so again, however often it was taken back and done again in between. Who had none
then and has one by now keeps a second one away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from actors.project.permissions import broken
from actors.project.reversal import Reversal
from actors.project.series import first_of
from actors.project.state import ProjectState
from protocol.errors import ErrorCode, Rejection
from protocol.messages import EventJson, ProjectEvent
from protocol.tasks import TaskDeleted, TaskEdited, TaskRecurred, TaskRestored

_TAKES: Final = frozenset({"TaskDeleted", "TaskRecurred"})
_WHY: Final = "another task of its series has the recurrence, and the two did not have it together before"
_CAME_AGAIN: Final = broken("came_again", f"{_WHY}; take back first what was done since")
_NEXT_CAME_AGAIN: Final = broken("next_came_again", f"{_WHY}; take back first what was done since")
_MEANWHILE: Final = Rejection(ErrorCode.UNAVAILABLE, "the series was changed meanwhile; try again", {"retryAfterS": 1})


def series_to_ask(state: ProjectState, events: Iterable[EventJson]) -> list[str]:
    """The series of which somebody has to know who had the recurrence before these events of an entry.

    That is where they are taken back to more than one task with it; series are named by their first tasks.
    """
    had = _had_before(state, events)
    back: dict[str, set[str]] = {}
    for task_id in (one for one, has_had in had.items() if has_had):
        first = first_of(state, task_id)
        if task_id not in state.carriers.get(first, ()):
            back.setdefault(first, set()).add(task_id)
    stay = {first: {one for one in state.carriers.get(first, ()) if had.get(one, True)} for first in back}
    return [first for first, tasks in back.items() if len(tasks | stay[first]) > 1]


def hands_back(events: Iterable[EventJson]) -> bool:
    """Whether taking these events back may give somebody a recurrence."""
    return any(
        event["kind"] in _TAKES or (event["kind"] == "TaskEdited" and "recurrence" in event["data"]["was"])
        for event in events
    )


def _had_before(state: ProjectState, events: Iterable[EventJson]) -> dict[str, bool]:
    """Task id → whether it may have been there with a recurrence: the first event that is about that tells."""
    had: dict[str, bool] = {}
    for event in events:
        data = event["data"]
        match event["kind"]:
            case "TaskCreated":
                had.setdefault(data["task"]["id"], False)
            case "TaskRestored":
                had.setdefault(data["taskId"], False)
            case "TaskRecurred":
                had.setdefault(data["taskId"], True)
            case "TaskEdited" if "recurrence" in data["was"]:
                had.setdefault(data["taskId"], data["was"]["recurrence"] is not None)
            case "TaskDeleted" if _has_rule(state, data["taskId"]):
                had.setdefault(data["taskId"], True)
    return had


def _has_rule(state: ProjectState, task_id: str) -> bool:
    task = state.tasks.get(task_id)
    return task is not None and task["recurrence"] is not None


def carriers_of(state: ProjectState, series: Iterable[str]) -> dict[str, list[str]]:
    """First task of a series → those of it that are there with a recurrence."""
    return {first: sorted(state.carriers.get(first, ())) for first in series}


def keep_series(
    state: ProjectState, reversal: Reversal, made: Sequence[ProjectEvent]
) -> list[ProjectEvent] | Rejection:
    """The events that take an entry back, so that no series becomes two; `state` is the one before them.

    A task whose deletion they take back comes without the recurrence that another one has come by since, but not where
    that was done by an undo: what is done again is done whole.
    """
    kept = list(made)
    for first, given in _given(state, reversal.draft, made).items():
        carriers = reversal.draft.carriers[first]
        if len(carriers) == 1:
            continue
        if first not in reversal.carriers_then:
            return _MEANWHILE
        then = set(reversal.carriers_then[first])
        back = set[str]() if reversal.is_redo else given & _deleted(reversal)
        without = next((one for one in ((), back - then, back) if _is_one(carriers.difference(one), given, then)), None)
        if without is None:
            return _why(reversal, given)
        kept += [_without(reversal.draft, task_id) for task_id in sorted(without)]
    return kept


def _is_one(carriers: set[str], given: set[str], then: set[str]) -> bool:
    """Whether a series in which these tasks have the recurrence is none that this undo has made two of."""
    return len(carriers) == 1 or carriers <= then or not carriers & given


def _given(state: ProjectState, draft: ProjectState, made: Iterable[ProjectEvent]) -> Mapping[str, set[str]]:
    """First task of a series → those that have the recurrence by these events, and had none before them."""
    given: dict[str, set[str]] = {}
    for event in made:
        if not isinstance(event, TaskRestored | TaskEdited):
            continue
        first = first_of(draft, event.task_id)
        if event.task_id in draft.carriers.get(first, ()) and event.task_id not in state.carriers.get(first, ()):
            given.setdefault(first, set()).add(event.task_id)
    return given


def _deleted(reversal: Reversal) -> set[str]:
    return {event.task_id for event in reversal.entry.events if isinstance(event, TaskDeleted)}


def _why(reversal: Reversal, given: set[str]) -> Rejection:
    handed_on = (event.task_id for event in reversal.entry.events if isinstance(event, TaskRecurred))
    return _NEXT_CAME_AGAIN if given.intersection(handed_on) else _CAME_AGAIN


def _without(draft: ProjectState, task_id: str) -> TaskEdited:
    rule = draft.tasks[task_id]["recurrence"]
    return TaskEdited(task_id=task_id, changes={"recurrence": None}, was={"recurrence": rule})
