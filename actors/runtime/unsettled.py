"""Entries that an actor has applied and whose way into the log is not over."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.runtime.limits import RuntimeLimits
from actors.runtime.outcomes import SeenCommand
from actors.runtime.publication import Publication
from protocol.log import Content, Entry, NewEntry

if TYPE_CHECKING:
    from actors.runtime.cell import Cell


@dataclass(slots=True)
class Unsettled:
    """An entry on its way into the log, with what will be published of it."""

    cell: Cell
    new: NewEntry
    seen: SeenCommand
    content: Content
    changes_audience: bool
    audience: frozenset[str] | None

    def publication(self, entry: Entry) -> Publication:
        content = self.content
        return Publication(entry, content.events, content.recorded_by, self.changes_audience, self.audience)


class UnsettledEntries:
    """Those of one cell, oldest first; no more are taken once it `is_full`."""

    __slots__ = ("_bytes", "_entries", "_limits")

    def __init__(self, limits: RuntimeLimits) -> None:
        self._limits = limits
        self._entries: deque[Unsettled] = deque()
        # The size of their payloads.
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether there are as many as may be, or as many bytes."""
        limits = self._limits
        return len(self._entries) >= limits.unsettled_entries_max or self._bytes >= limits.unsettled_bytes_max

    def add(self, unsettled: Unsettled) -> None:
        """The newest."""
        self._entries.append(unsettled)
        self._bytes += len(unsettled.new.payload)

    def settle(self, entry: Entry) -> Publication:
        """The oldest is in the log, as this entry."""
        unsettled = self._entries.popleft()
        unsettled.seen.epoch = entry.epoch
        self._bytes -= len(entry.payload)
        return unsettled.publication(entry)

    def clear(self) -> None:
        """None of them will ever be in the log."""
        self._entries.clear()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Unsettled]:
        return iter(self._entries)
