"""Committed entries on their way to a consumer, from memory: the table is read only to catch up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from protocol.log import Entry


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """What waits in memory for a consumer that is behind. What goes over is read from the table later."""

    entries_per_shard_max: int = 10_000
    payload_bytes_max: int = 32 * 1024 * 1024


class ShardFeed:
    """One queue per shard, each without a gap. It may forget, but it never skips: what it gives is contiguous."""

    def __init__(self, limits: FeedLimits | None = None) -> None:
        self._limits = limits if limits is not None else FeedLimits()
        # Shard → committed entries with consecutive positions, oldest first.
        self._queues: dict[int, deque[Entry]] = {}
        # Shard → the highest position that is known to be committed.
        self._heads: dict[int, int] = {}
        # The payloads of all queues together.
        self._payload_bytes = 0
        # Set whenever there is something new; the consumer clears it before it looks.
        self.news = asyncio.Event()

    def offer(self, entries: Sequence[Entry]) -> None:
        """Takes consecutive entries of one shard after their commit. Never waits; may forget what is queued."""
        shard, last_pos = entries[0].shard, entries[-1].pos
        self.tell_head(shard, last_pos)
        queue = self._queues.setdefault(shard, deque())
        if queue and entries[0].pos <= queue[-1].pos:
            entries = entries[queue[-1].pos + 1 - entries[0].pos :]
            if not entries:
                return
        size = sum(len(entry.payload) for entry in entries)
        if self._is_over(len(queue) + len(entries), size) or (queue and entries[0].pos != queue[-1].pos + 1):
            self._forget(queue)
        queue.extend(entries)
        self._payload_bytes += size

    def tell_head(self, shard: int, head: int) -> None:
        """Makes it known that the shard's log reaches at least so far."""
        if head > self._heads.get(shard, 0):
            self._heads[shard] = head
        if not self.news.is_set():
            self.news.set()

    def head(self, shard: int) -> int:
        """The highest known position of the shard, 0 while none is known."""
        return self._heads.get(shard, 0)

    @property
    def heads(self) -> Mapping[int, int]:
        """The highest known position of every shard that was told of."""
        return self._heads

    def oldest(self, shard: int) -> str | None:
        """When the oldest waiting entry was recorded; None when none waits."""
        queue = self._queues.get(shard)
        return queue[0].recorded_at if queue else None

    def take(self, shard: int, after_pos: int, limit: int, bytes_max: int) -> list[Entry]:
        """Entries from `after_pos + 1` on; none when the queue does not begin there.

        At most `limit`, up to the one with which their payloads reach `bytes_max`.
        """
        queue = self._queues.get(shard)
        if queue is None:
            return []
        while queue and queue[0].pos <= after_pos:
            self._pop(queue)
        if not queue or queue[0].pos != after_pos + 1:
            return []
        taken: list[Entry] = []
        taken_bytes = 0
        for entry in islice(queue, limit):
            taken.append(entry)
            taken_bytes += len(entry.payload)
            if taken_bytes >= bytes_max:
                break
        self._payload_bytes -= taken_bytes
        if len(taken) == len(queue):
            queue.clear()
        else:
            for _ in taken:
                queue.popleft()
        return taken

    def is_behind(self, shard: int, position: int) -> bool:
        """Whether a consumer at this position lacks entries that the queue cannot give."""
        queue = self._queues.get(shard)
        return self.head(shard) > position and not (queue and queue[0].pos <= position + 1)

    @property
    def payload_bytes(self) -> int:
        """The payloads that wait in memory."""
        return self._payload_bytes

    def _is_over(self, waiting: int, more_bytes: int) -> bool:
        over = self._payload_bytes + more_bytes > self._limits.payload_bytes_max
        return over or waiting > self._limits.entries_per_shard_max

    def _forget(self, queue: deque[Entry]) -> None:
        while queue:
            self._pop(queue)

    def _pop(self, queue: deque[Entry]) -> Entry:
        entry = queue.popleft()
        self._payload_bytes -= len(entry.payload)
        return entry
