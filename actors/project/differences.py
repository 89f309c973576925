"""What of a record a restoration brings back: what people say of it, not when that was, nor who watches or reacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Final

from protocol.tasks import TaskView

_ITSELF: Final = (
    "title",
    "description",
    "priority",
    "stateId",
    "rank",
    "labels",
    "assigneeIds",
    "startDate",
    "dueDate",
    "estimate",
    "milestoneId",
    "recurrence",
    "fields",
)
"""A task's own fields; its parent is another one."""

Values = Callable[[Mapping[str, Any]], Any]

_OWN_VALUES: Final[Values] = itemgetter(*_ITSELF)
_BROUGHT_BACK: Final[Mapping[str, Values]] = {"tasks": itemgetter(*_ITSELF, "parentId"), "comments": itemgetter("body")}
"""Collection → what of a record comes back. Records of the others are brought back whole."""

Record = Mapping[str, Any] | None


def is_back(collection: str, then: Record, now: Record) -> bool:
    """Whether nothing is left to do about a record: it is as it was, or a tombstone in place of what was not there."""
    if then == now:
        return True
    values = _BROUGHT_BACK.get(collection)
    if values is None or now is None:
        return False
    if then is None:
        return now["deletedAt"] is not None
    return _is_same(then, now, values)


def is_back_itself(then: TaskView, now: TaskView) -> bool:
    """Whether nothing is left to do about a task but to give it its parent."""
    return _is_same(then, now, _OWN_VALUES)


def is_in_place(then: TaskView, now: TaskView) -> bool:
    """Whether it stands where it stood."""
    return then["rank"] == now["rank"] and then["stateId"] == now["stateId"]


def _is_same(then: Mapping[str, Any], now: Mapping[str, Any], values: Values) -> bool:
    return (then["deletedAt"] is None) == (now["deletedAt"] is None) and bool(values(then) == values(now))
