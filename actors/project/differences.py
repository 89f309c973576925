"""What of a record a restoration brings back: what people say of it, not when that was, nor who watches or reacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_BROUGHT_BACK: Final[Mapping[str, tuple[str, ...]]] = {
    "tasks": (
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
        "parentId",
    ),
    "comments": ("body",),
}
"""Collection → fields. Records of the others are brought back whole."""

Record = Mapping[str, Any] | None


def is_back(collection: str, then: Record, now: Record) -> bool:
    """Whether nothing is left to do about a record: it is as it was, or a tombstone in place of what was not there."""
    if then == now:
        return True
    names = _BROUGHT_BACK.get(collection)
    if names is None or now is None:
        return False
    if then is None:
        return now["deletedAt"] is not None
    return (then["deletedAt"] is None) == (now["deletedAt"] is None) and all(then[name] == now[name] for name in names)
