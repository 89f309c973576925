"""Entries that readers of `events()` have not read yet: bounded, never dropped behind a reader's back."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pantherahive_client.cursors import cursor_of
from pantherahive_client.errors import ClientClosed, HiveError
from pantherahive_client.models import WireEntry
from pantherahive_client.settings import Settings

ENTRY_CHARACTERS = 200
"""What an entry weighs beside its texts."""


@dataclass(frozen=True, slots=True)
class ProjectEvent:
    """One event of the project, as it happened."""

    kind: str
    data: Mapping[str, Any]
    version: int
    seq: int
    """The number of its entry. Events of one entry share it: they took effect together."""
    number: int
    """Its place among the events of its entry, from 0. `seq` and `number` together name one event of the log."""
    op_id: str
    author: str
    at: str
    recorded_at: str
    recorded_by: str | None
    """Who imported it, when it is history."""
    cursor: str
    """Where to go on after this entry; safe to keep once its `last` event is handled."""
    last: bool
    """Whether this is the last event of its entry."""


class Backlog:
    """The unread entries of one project, for any number of readers."""

    def __init__(self, settings: Settings, has_room: Callable[[], None]) -> None:
        self._settings = settings
        self._has_room = has_room
        # Entries that at least one reader has not read, oldest first, without a gap.
        self._entries: deque[WireEntry] = deque()
        # The sum of their weights.
        self._characters = 0
        # Readers that somebody still holds.
        self._readers: weakref.WeakSet[EventStream] = weakref.WeakSet()

    @property
    def is_full(self) -> bool:
        """Whether one more entry would be too many."""
        return (
            len(self._entries) >= self._settings.unread_entries_max
            or self._characters >= self._settings.unread_characters_max
        )

    @property
    def is_half_empty(self) -> bool:
        """Whether it is worth fetching more."""
        return (
            len(self._entries) <= self._settings.unread_entries_max // 2
            and self._characters <= self._settings.unread_characters_max // 2
        )

    def reader(self, after_seq: int) -> EventStream:
        """A reader that starts after this entry."""
        reader = EventStream(self, after_seq)
        self._readers.add(reader)
        weakref.finalize(reader, self.trim).atexit = False
        return reader

    def append(self, entry: WireEntry) -> None:
        """Keeps it while somebody has to read it."""
        if not self._readers:
            return
        self._entries.append(entry)
        self._characters += _weight(entry)
        self._wake()

    def next_after(self, seq: int) -> WireEntry | None:
        """The entry behind `seq`, if it is here."""
        if not self._entries:
            return None
        index = seq + 1 - self._entries[0]["seq"]
        return self._entries[index] if 0 <= index < len(self._entries) else None

    def restart(self, seq: int, missed: HiveError) -> None:
        """The history that was waiting here does not lead to the new state: readers are told, and go on from `seq`."""
        self._entries.clear()
        self._characters = 0
        for reader in list(self._readers):
            reader.restart(seq, missed)
        self._wake()

    def end(self, why: HiveError) -> None:
        """Readers get what is here, and then `why`."""
        for reader in list(self._readers):
            reader.end(why)
        self._wake()

    def forget(self, reader: EventStream) -> None:
        """The reader has stopped."""
        self._readers.discard(reader)
        self.trim()

    def trim(self) -> None:
        """Lets go of what everybody has read."""
        needed_from = min((reader.seq + 1 for reader in self._readers), default=None)
        while self._entries and (needed_from is None or self._entries[0]["seq"] < needed_from):
            self._characters -= _weight(self._entries.popleft())
        if self.is_half_empty:
            self._has_room()

    def _wake(self) -> None:
        for reader in list(self._readers):
            reader.wake()


class EventStream:
    """What `project.events()` gives: an asynchronous iterator over events, each once, in order.

    Raises EventsMissed where the server had to start anew (reading may go on after it), StreamClosed at the end of
    the membership, and what ended the client otherwise; ends by itself when the project or the client was closed.
    `async with` ends the reading early; so does letting go of the object.
    """

    def __init__(self, backlog: Backlog, seq: int) -> None:
        self._backlog = backlog
        # The last entry that was read.
        self.seq = seq
        # Events of the entry that is being read, still to be given out.
        self._events: deque[ProjectEvent] = deque()
        self._changed = asyncio.Event()
        # Raised once, before going on.
        self._missed: HiveError | None = None
        # Raised when all is read.
        self._ended: HiveError | None = None

    @property
    def is_drained(self) -> bool:
        """Whether there is nothing to be read at this moment."""
        return not self._events and self._missed is None and self._backlog.next_after(self.seq) is None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ProjectEvent:
        while not self._events:
            if self._missed is not None:
                missed, self._missed = self._missed, None
                raise missed
            entry = self._backlog.next_after(self.seq)
            if entry is not None:
                self._take(entry)
            elif isinstance(self._ended, ClientClosed):
                raise StopAsyncIteration
            elif self._ended is not None:
                raise self._ended
            else:
                self._changed.clear()
                await self._changed.wait()
        return self._events.popleft()

    def _take(self, entry: WireEntry) -> None:
        self._events.extend(events_of(entry))
        self.seq = entry["seq"]
        self._backlog.trim()

    def restart(self, seq: int, missed: HiveError) -> None:
        """See Backlog.restart."""
        self.seq, self._missed = seq, missed
        self._events.clear()

    def end(self, why: HiveError) -> None:
        """See Backlog.end."""
        self._ended = why

    def wake(self) -> None:
        """Something changed: whoever waits looks again."""
        self._changed.set()

    async def aclose(self) -> None:
        """Stops reading."""
        self._backlog.forget(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def events_of(entry: WireEntry) -> list[ProjectEvent]:
    """The entry's events with what the entry says of them."""
    cursor = cursor_of(entry)
    count = len(entry["events"])
    return [
        ProjectEvent(
            kind=event["kind"],
            data=event["data"],
            version=event["version"],
            seq=entry["seq"],
            number=number,
            op_id=entry["opId"],
            author=entry["author"],
            at=entry["at"],
            recorded_at=entry["recordedAt"],
            recorded_by=entry.get("recordedBy"),
            cursor=cursor,
            last=number == count - 1,
        )
        for number, event in enumerate(entry["events"])
    ]


def _weight(value: Any) -> int:
    """Characters of all texts inside, and a flat rate for the rest."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return ENTRY_CHARACTERS + sum(map(_weight, value.values()))
    if isinstance(value, list):
        return sum(map(_weight, value))
    return 8
