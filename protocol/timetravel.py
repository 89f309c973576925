"""Differences between two points of a stream's past."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG
from protocol.wire import CursorText


@with_config(VIEW_CONFIG)
class FieldDifference(TypedDict):
    """A field's two values."""

    was: Any
    now: Any


@with_config(VIEW_CONFIG)
class Difference(TypedDict):
    """What became of one record: `record` of one that was added or removed, `fields` of one that was changed."""

    collection: str
    id: str
    change: Literal["added", "removed", "changed"]
    record: NotRequired[dict[str, Any]]
    fields: NotRequired[dict[str, FieldDifference]]


ProjectDiff = TypedDict("ProjectDiff", {"from": CursorText, "to": CursorText, "changes": list[Difference]})
"""A page of the differences between two points."""
