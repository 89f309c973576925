"""The newest entries of one stream, without a gap, for everybody who follows it."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final

from actors.runtime.publication import Publication
from protocol.cursors import Cursor

_PAYLOAD_BYTES: Final = 256
"""Of an entry that nothing is known of."""


class Ring:
    """Holds the publications `first_seq` … `head.seq`; it forgets the oldest beyond its limits."""

    __slots__ = ("_bytes", "_bytes_max", "_entries_max", "_items", "head")

    def __init__(self, head: Cursor, entries_max: int, bytes_max: int) -> None:
        # Where the stream stands.
        self.head = head
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        # Dense by seq, oldest first; their sizes add up to `_bytes`.
        self._items: deque[Publication] = deque()
        self._bytes = 0

    def append(self, publication: Publication) -> bool:
        """Takes the next entry in. False for one that is already behind the head.

        An entry from beyond the next seq leaves a gap, so all before it are forgotten: the log has them for followers.
        """
        seq = publication.entry.seq
        if seq <= self.head.seq:
            return False
        if seq != self.head.seq + 1:
            self.forget()
        self._items.append(publication)
        self._bytes += publication.size_bytes
        self.head = publication.cursor
        while len(self._items) > self._entries_max or (self._bytes > self._bytes_max and len(self._items) > 1):
            self._bytes -= self._items.popleft().size_bytes
        return True

    def forget(self) -> None:
        """Lets go of everything but the place where the stream stands."""
        self._items.clear()
        self._bytes = 0

    def after(self, seq: int, limit: int) -> list[Publication] | None:
        """At most `limit` entries after `seq`, oldest first; None when the ring does not reach back that far."""
        missing = self.head.seq - seq
        if missing <= 0:
            return []
        if missing > len(self._items):
            return None
        return [self._items[index] for index in range(-missing, min(limit - missing, 0))]

    def payload_bytes_after(self, seq: int) -> int:
        """How much the payloads of the entries after `seq` take; where the ring does not reach back that far, about."""
        missing, held = self.head.seq - seq, len(self._items)
        if missing <= 0:
            return 0
        if missing > held:
            return missing * (self._payload_bytes(held) // held if held else _PAYLOAD_BYTES)
        return self._payload_bytes(missing)

    def _payload_bytes(self, newest: int) -> int:
        return sum(len(publication.entry.payload) for publication in islice(reversed(self._items), newest))

    def __len__(self) -> int:
        return len(self._items)
