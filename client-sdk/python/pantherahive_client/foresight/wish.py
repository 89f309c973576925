"""A command as foresight sees it, and the events that it makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from pantherahive_client.models import EVENT_VERSIONS, TaskView, WireEvent
from pantherahive_client.project_state import ProjectState

CLOSED_GROUPS = frozenset({"completed", "cancelled"})


class Wish(NamedTuple):
    """The data of a command, whose it is, and when its entry may be dated."""

    data: Mapping[str, Any]
    author: str
    at: str


Foresee: TypeAlias = Callable[[ProjectState, Wish], list[WireEvent]]
"""The events that a command will lead to; none where it changes nothing or will be refused for sure.

Raises KeyError, TypeError, ValueError or AttributeError for data that do not fit the schema.
"""


def event(kind: str, **data: Any) -> WireEvent:
    """An event in its newest form."""
    return {"kind": kind, "version": EVENT_VERSIONS[kind], "data": data}


def living(state: ProjectState, task_id: str) -> TaskView | None:
    """The task, unless it is deleted or was never there."""
    task = state.tasks.get(task_id)
    return task if task is not None and task["deletedAt"] is None else None


def has_state(state: ProjectState, state_id: str) -> bool:
    """Whether the project has this state of tasks."""
    return state.project is not None and any(one["id"] == state_id for one in state.project["states"])


def is_closing(state: ProjectState, state_id: str) -> bool:
    """Whether tasks in this state count as finished."""
    states = state.project["states"] if state.project is not None else []
    return any(one["id"] == state_id and one["group"] in CLOSED_GROUPS for one in states)


def changed(record: Mapping[str, Any], data: Mapping[str, Any], fields: Iterable[str]) -> tuple[dict[str, Any], ...]:
    """Which of these fields the data set to something else: their new values, and those before."""
    names = [name for name in fields if name in data and data[name] != record[name]]
    return {name: data[name] for name in names}, {name: record[name] for name in names}
