"""Activity: what happened, as readers are shown it."""

from __future__ import annotations

from pydantic import with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Instant, Integer, PersonId
from protocol.wire import WireEvent


@with_config(VIEW_CONFIG)
class ActivityItem(TypedDict):
    """One entry, or a run of edits of one object by one author: `entries` of them, from `firstSeq` to `seq`.

    `at` is when the newest happened, `beganAt` the oldest. The events stand in the order of the log.
    """

    seq: Integer
    firstSeq: Integer
    author: PersonId
    at: Instant
    beganAt: Instant
    entries: Integer
    events: list[WireEvent]
