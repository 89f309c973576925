"""The loop of a consumer: takes what is new in each shard's log, hands it on in batches, knows how far it is.

The handler's effect and the checkpoint's step are one transaction, begun by the compare-and-swap of the checkpoint: a
runner that was paused, or that has a rival, writes nothing late.

A batch that the storage did not take may have been too much for it: the next ones are smaller, down to one entry, and
grow again while they are taken. So what is slow has its effect late, and nothing behind it waits for ever.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import structlog

from protocol.base import datetime_of
from protocol.faults import StorageFault
from protocol.log import SHARDS, Entry, is_cut
from protocol.messages import UnreadableEvent
from server.consumers.feed import ShardFeed
from storage.ports import Move

log = structlog.get_logger("pantherahive.consumers")


class ShardLog(Protocol):
    """The part of `actors.ports.Journal` that a consumer needs."""

    async def read_shard(self, shard: int, after_pos: int, limit: int, bytes_max: int | None = None) -> Sequence[Entry]:
        """Entries with `pos > after_pos`, ascending, up to the one with which their payloads reach `bytes_max`.

        Raises NotApplied.
        """
        ...


class Checkpoints(Protocol):
    """The part of `storage.ports.Consumers` that a runner needs."""

    async def positions(self, name: str) -> Mapping[int, int]:
        """The consumer's position in each of the 128 shards. Raises NotApplied, OutcomeUnknown."""
        ...


class Handler(Protocol):
    """What a consumer does with entries."""

    async def apply(self, moves: Mapping[int, Move], entries: Sequence[Entry]) -> bool:
        """The effect of these entries and the checkpoint's step, together or not at all.

        False: a checkpoint stands elsewhere. Raises StorageFault, and UnreadableEvent before anything is written.
        """
        ...


@dataclass(frozen=True, slots=True)
class RunnerLimits:
    """`pause_s` lets a consumer gather more for one write, where nobody waits for it."""

    batch_entries_max: int = 2000
    batch_bytes_max: int = 8 << 20
    backoff_first_s: float = 0.1
    backoff_max_s: float = 0.5
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Stall:
    """The entry that this build cannot read; its consumer stands before it until another build starts."""

    stream: str
    seq: int
    recorded_at: str
    why: str

    def __str__(self) -> str:
        return f"{self.stream}, entry {self.seq}: {self.why}"


class LogGap(Exception):
    """A shard's log has a hole, which the append rules out: nothing may be done on top of it."""


@dataclass(slots=True)
class _Waiter:
    """Somebody who waits until every one of these positions is reached."""

    positions: dict[int, int]
    # The shards that stand still before theirs.
    reached: asyncio.Future[frozenset[int]]


class Runner:
    """One consumer over many shards. `offer` feeds it after commits; `run` works until it is cancelled."""

    def __init__(
        self,
        name: str,
        checkpoints: Checkpoints,
        journal: ShardLog,
        handler: Handler,
        *,
        feed: ShardFeed | None = None,
        limits: RunnerLimits | None = None,
        shards: Iterable[int] = range(SHARDS),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self.feed = feed if feed is not None else ShardFeed()
        self._checkpoints = checkpoints
        self._journal = journal
        self._handler = handler
        self._limits = limits if limits is not None else RunnerLimits()
        self._shards = tuple(shards)
        self._sleep = sleep
        # Shard → the position up to which the effect is committed.
        self._positions: dict[int, int] = dict.fromkeys(self._shards, 0)
        # Whether the positions are the checkpoints'; after a failure they have to be asked again.
        self._knows_positions = False
        # Shard → when the oldest entry was recorded that the handler has in hand now.
        self._in_hand: dict[int, str] = {}
        # Shards whose table may hold more than the feed has told of.
        self._unread: set[int] = set(self._shards)
        # Shard → before what it stands still.
        self._stalled: dict[int, Stall] = {}
        # Where the next batch begins to look, so that a busy shard does not keep the others waiting.
        self._first = 0
        # Failures since the last success.
        self._failures = 0
        # Entries that the next batch may have: half of what failed, twice what succeeded, at most the limit.
        self._room = self._limits.batch_entries_max
        self._waiters: list[_Waiter] = []
        # Set when a waiter comes.
        self._wanted = asyncio.Event()
        # Set with the next progress, and then replaced.
        self.next_step = asyncio.Event()

    def offer(self, entries: Sequence[Entry]) -> None:
        """Committed entries of one shard, which come in its order. Never waits."""
        self.feed.offer(entries)

    def position(self, shard: int) -> int:
        """The position up to which the shard's entries have had their effect."""
        return self._positions.get(shard, 0)

    def lag(self, shard: int) -> int:
        """Entries of the shard that are known to be committed and have had no effect yet."""
        return max(0, self.feed.head(shard) - self.position(shard))

    def behind_s(self, shard: int, now: str) -> float:
        """How old the oldest known entry without effect is: 0 when there is none, infinite when it is not known."""
        if self._knows_positions and self.lag(shard) == 0:
            return 0.0
        stall = self._stalled.get(shard)
        oldest = stall.recorded_at if stall is not None else self._in_hand.get(shard) or self.feed.oldest(shard)
        if oldest is None or not self._knows_positions:
            return math.inf
        return max(0.0, (datetime_of(now) - datetime_of(oldest)).total_seconds())

    @property
    def stalled(self) -> Mapping[int, Stall]:
        """Shards that stand still, and before what."""
        return dict(self._stalled)

    @property
    def failures(self) -> int:
        """Failures of the storage since the last success."""
        return self._failures

    async def caught_up(self, positions: Mapping[int, int]) -> frozenset[int]:
        """Returns when each shard has reached its position, but for those that it gives: they stand still before it.

        The positions have to be committed ones: an entry that was never offered is then looked for in the table.
        """
        for shard, pos in positions.items():
            self.feed.tell_head(shard, pos)
        waiter = _Waiter(dict(positions), asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        self._wanted.set()
        self._tell_waiters()
        try:
            return await waiter.reached
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    async def run(self) -> None:
        """Works until it is cancelled. Faults of the storage are waited out; LogGap and defects end it."""
        while True:
            try:
                if not self._knows_positions:
                    await self._reload()
                taken = await self._step()
                if not taken:
                    await self.feed.news.wait()
                elif self._limits.pause_s and not self._is_full(taken):
                    await self._rest()
            except StorageFault as fault:
                await self._back_off(fault)

    async def _rest(self) -> None:
        """Lets entries gather, so that many become one write; not while somebody waits for them."""
        if self._waiters:
            return
        self._wanted.clear()
        pause = asyncio.ensure_future(self._sleep(self._limits.pause_s))
        wanted = asyncio.ensure_future(self._wanted.wait())
        try:
            await asyncio.wait({pause, wanted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            wanted.cancel()

    async def _reload(self) -> None:
        """Forgets what was believed and asks the checkpoints."""
        positions = await self._checkpoints.positions(self.name)
        self._unread = set(self._shards)
        self._positions = {shard: positions[shard] for shard in self._shards}
        self._knows_positions = True
        self._tell_waiters()

    async def _back_off(self, fault: StorageFault) -> None:
        """The outcome of the last batch may be unknown: the checkpoints will tell."""
        delay_s = min(self._limits.backoff_max_s, self._limits.backoff_first_s * 2 ** min(self._failures, 20))
        self._failures += 1
        self._knows_positions = False
        self._in_hand = {}
        log.warning("consumer_waits", consumer=self.name, fault=str(fault), delay_s=delay_s)
        await self._sleep(delay_s)

    def _is_full(self, batch: Sequence[Entry]) -> bool:
        """Whether the batch had as much as there may be, or was kept small: then more may be waiting."""
        limit = self._limits.batch_entries_max
        return self._room < limit or is_cut(batch, limit, self._limits.batch_bytes_max)

    async def _step(self) -> Sequence[Entry]:
        """The entries of one batch; there may be none."""
        self.feed.news.clear()
        batch: Mapping[int, Sequence[Entry]] = {}
        try:
            batch = await self._gather()
            if not batch:
                return ()
            await self._take(batch)
        except StorageFault:
            self._room = max(1, (_size(batch) or self._room) // 2)
            raise
        self._room = min(self._limits.batch_entries_max, 2 * self._room)
        self._failures = 0
        self._in_hand = {}
        return list(chain.from_iterable(batch.values()))

    async def _take(self, batch: Mapping[int, Sequence[Entry]]) -> None:
        try:
            await self._hand_over(batch)
        except UnreadableEvent:
            await self._hand_over_one_by_one(batch)

    async def _gather(self) -> dict[int, Sequence[Entry]]:
        """The next entries of each shard: together `_room`, or until they reach `batch_bytes_max`."""
        batch: dict[int, Sequence[Entry]] = {}
        room, room_bytes = self._room, self._limits.batch_bytes_max
        behind = self._behind()
        turn = self._shards[self._first :] + self._shards[: self._first]
        for shard in [shard for shard in turn if shard in behind]:
            if entries := await self._next(shard, room, room_bytes):
                batch[shard] = entries
                self._in_hand[shard] = entries[0].recorded_at
                room -= len(entries)
                room_bytes -= sum(len(entry.payload) for entry in entries)
                if room == 0 or room_bytes <= 0:
                    self._first = (self._shards.index(shard) + 1) % len(self._shards)
                    break
        return batch

    def _behind(self) -> set[int]:
        """Shards that may have something new. The others, most of the 128, are not looked at ten times a second."""
        told = {shard for shard, head in self.feed.heads.items() if head > self.position(shard)}
        return (told | self._unread).difference(self._stalled)

    async def _next(self, shard: int, limit: int, bytes_max: int) -> Sequence[Entry]:
        position = self._positions[shard]
        entries: Sequence[Entry] = self.feed.take(shard, position, limit, bytes_max)
        if not entries and (shard in self._unread or self.feed.is_behind(shard, position)):
            entries = await self._journal.read_shard(shard, position, limit, bytes_max)
            if not is_cut(entries, limit, bytes_max):
                self._unread.discard(shard)
        if entries and (entries[0].pos, entries[-1].pos) != (position + 1, position + len(entries)):
            raise LogGap(f"shard {shard} has a hole after {position}")
        return entries

    async def _hand_over(self, batch: Mapping[int, Sequence[Entry]]) -> None:
        moves = {shard: Move(self._positions[shard], entries[-1].pos) for shard, entries in batch.items()}
        entries = list(chain.from_iterable(batch.values()))
        if await self._handler.apply(moves, entries):
            self._positions.update((shard, move.to_pos) for shard, move in moves.items())
            self._tell_waiters()
        else:
            log.warning("checkpoints_moved_by_another", consumer=self.name)
            await self._reload()

    async def _hand_over_one_by_one(self, batch: Mapping[int, Sequence[Entry]]) -> None:
        """Finds the entry that cannot be read: its shard stands before it, the others go on."""
        for shard, entries in batch.items():
            for entry in entries:
                if entry.pos != self._positions[shard] + 1:
                    break
                try:
                    await self._hand_over({shard: [entry]})
                except UnreadableEvent as error:
                    self._stall(shard, entry, error)
                    break

    def _stall(self, shard: int, entry: Entry, error: UnreadableEvent) -> None:
        self._stalled[shard] = Stall(entry.stream, entry.seq, entry.recorded_at, str(error))
        self.feed.tell_head(shard, entry.pos)
        log.error("shard_stalled", consumer=self.name, shard=shard, reason=str(self._stalled[shard]))
        self._tell_waiters()

    def _tell_waiters(self) -> None:
        self.next_step.set()
        self.next_step = asyncio.Event()
        for waiter in list(self._waiters):
            missing = {shard for shard, pos in waiter.positions.items() if self.position(shard) < pos}
            if waiter.reached.done() or not missing <= self._stalled.keys():
                continue
            self._waiters.remove(waiter)
            waiter.reached.set_result(frozenset(missing))


def _size(batch: Mapping[int, Sequence[Entry]]) -> int:
    return sum(map(len, batch.values()))
