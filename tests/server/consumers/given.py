"""A log, checkpoints and a handler in memory, for the loop of a consumer."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import accumulate

from protocol.faults import NotApplied
from protocol.log import SHARDS, Entry
from protocol.messages import UnreadableEvent
from server.consumers.feed import FeedLimits, ShardFeed
from server.consumers.runner import Runner, RunnerLimits
from storage.ports import Move

NOW = "2026-03-01T12:00:00.000Z"
DEADLINE_S = 10.0


def entry_at(shard: int, pos: int, payload: bytes = b"payload") -> Entry:
    """An entry of which only the place matters."""
    return Entry(f"project/{shard}", pos, 1, shard, pos, f"op-{shard}-{pos}", b"", payload, "system", NOW, NOW)


@dataclass
class FakeLog:
    """Committed entries by shard; counts how often the table was read."""

    entries: defaultdict[int, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    reads: int = 0
    faults: int = 0

    def commit(self, shard: int, payload: bytes = b"payload") -> Entry:
        """Appends the shard's next entry."""
        entry = entry_at(shard, len(self.entries[shard]) + 1, payload)
        self.entries[shard].append(entry)
        return entry

    async def read_shard(self, shard: int, after_pos: int, limit: int, bytes_max: int | None = None) -> Sequence[Entry]:
        self.reads += 1
        if self.faults:
            self.faults -= 1
            raise NotApplied("the database is away")
        entries = self.entries[shard][after_pos : after_pos + limit]
        sizes = accumulate((len(entry.payload) for entry in entries), initial=0)
        return [entry for entry, before in zip(entries, sizes, strict=False) if bytes_max is None or before < bytes_max]


@dataclass
class Effect:
    """Handler and checkpoints: what had an effect, in which batches."""

    positions_now: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(SHARDS), 0))
    batches: list[list[Entry]] = field(default_factory=list)
    faults: int = 0
    unknown_outcomes: int = 0
    unreadable: frozenset[tuple[int, int]] = frozenset()
    # More in one batch, or one of these entries, takes longer than the database lets it.
    in_time_max: int | None = None
    too_slow: frozenset[tuple[int, int]] = frozenset()

    async def positions(self, name: str) -> Mapping[int, int]:
        return dict(self.positions_now)

    async def apply(self, moves: Mapping[int, Move], entries: Sequence[Entry]) -> bool:
        await asyncio.sleep(0)
        if any((entry.shard, entry.pos) in self.unreadable for entry in entries):
            raise UnreadableEvent("from another time")
        if self.faults:
            self.faults -= 1
            raise NotApplied("the database is away")
        places = {(entry.shard, entry.pos) for entry in entries}
        if not places.isdisjoint(self.too_slow) or (self.in_time_max is not None and len(places) > self.in_time_max):
            raise NotApplied("canceling statement due to statement timeout")
        if any(self.positions_now[shard] != move.from_pos for shard, move in moves.items()):
            return False
        self.batches.append(list(entries))
        self.positions_now.update((shard, move.to_pos) for shard, move in moves.items())
        if self.unknown_outcomes:
            self.unknown_outcomes -= 1
            raise NotApplied("the answer was lost")
        return True

    def seen(self, shard: int) -> list[int]:
        """The positions of a shard that had an effect, in their order."""
        return [entry.pos for batch in self.batches for entry in batch if entry.shard == shard]


@dataclass
class Scene:
    """A runner at work."""

    log: FakeLog
    effect: Effect
    runner: Runner
    slept_s: list[float]
    task: asyncio.Task[None]

    async def caught_up(self, positions: Mapping[int, int]) -> frozenset[int]:
        """Waits for the runner, but not for ever; the shards that stand still."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.runner.caught_up(positions)


@asynccontextmanager
async def a_scene(
    *,
    log: FakeLog | None = None,
    effect: Effect | None = None,
    feed: FeedLimits | None = None,
    batch: int = 200,
    batch_bytes: int = 1 << 20,
) -> AsyncIterator[Scene]:
    """A running consumer whose sleeps are noted and not slept."""
    log, effect, slept_s = log or FakeLog(), effect or Effect(), []

    async def sleep(seconds: float) -> None:
        slept_s.append(seconds)
        await asyncio.sleep(0)

    limits = RunnerLimits(batch_entries_max=batch, batch_bytes_max=batch_bytes)
    runner = Runner("tester", effect, log, effect, feed=ShardFeed(feed), limits=limits, sleep=sleep)
    task = asyncio.create_task(runner.run())
    try:
        yield Scene(log, effect, runner, slept_s, task)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
