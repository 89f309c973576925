"""An entry of the log that a command refers to, as the edge has found it there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from protocol.messages import ProjectEvent, decode_event


@dataclass(frozen=True, slots=True)
class PastEntry:
    """Whose it was, when, and what it did. Its events are those of a decision, so their models hold for them."""

    op_id: str
    seq: int
    author: str
    at: str
    events: Sequence[ProjectEvent]


def kinds_of(fact: Mapping[str, Any]) -> frozenset[str]:
    """The kinds of its events; one that was erased has a kind that no model has."""
    return frozenset(event["kind"] for event in fact["events"])


def past_entry(fact: Mapping[str, Any]) -> PastEntry:
    """From its form on the wire. Raises UnreadableEvent."""
    events = [cast("ProjectEvent", decode_event(event)) for event in fact["events"]]
    return PastEntry(fact["opId"], fact["seq"], fact["author"], fact["at"], events)
