"""A lane gathers the appends of all actors of its shards into one statement at a time (group commit).

While one batch is in flight the next one fills, so the batch size follows the load and no timer lingers. Positions are
numbered when a batch is taken, and the next batch is taken only when the fate of this one is known.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Protocol

from actors.ports import AppendLane, Clock, Ids, Journal, Ownership, RuntimeMeters
from actors.runtime.cell import Cell
from actors.runtime.cell_host import Phase
from actors.runtime.limits import RuntimeLimits
from actors.runtime.shards import ShardTable
from actors.runtime.unsettled import Unsettled
from protocol.faults import DuplicateEntry, NotApplied, OutcomeUnknown
from protocol.log import AppendBatch, Appended, Entry, ShardFence, shard_of

log = logging.getLogger("pantherahive.lane")


class LaneEvents(Protocol):
    """Whom a lane tells what happened."""

    def refused(self, stream: str, op_ids: list[str]) -> None:
        """The log would not take the stream's entries; its cell has to reload."""
        ...

    def shard_lost(self, shard: int) -> None:
        """Another session owns the shard; whatever lives there must stop."""
        ...

    def committed(self, entries: list[Entry]) -> None:
        """These are in the log, in the order of their positions; for consumers."""
        ...


class Lane:
    """One connection's worth of writing. `run` is its only task."""

    def __init__(
        self,
        journal: Journal,
        ownership: Ownership,
        shards: ShardTable,
        events: LaneEvents,
        *,
        clock: Clock,
        ids: Ids,
        meters: RuntimeMeters,
        limits: RuntimeLimits,
    ) -> None:
        self._journal = journal
        self._ownership = ownership
        self._shards = shards
        self._events = events
        self._clock = clock
        self._ids = ids
        self._meters = meters
        self._limits = limits
        # Appends in the order in which the actors made them.
        self._queue: deque[Unsettled] = deque()
        # Set while there is something to take, or when the lane has to end.
        self._wake = asyncio.Event()
        self._closing = False
        # The streams of the batch in flight: nobody may load them from the log meanwhile.
        self._in_flight: frozenset[str] = frozenset()
        # Set whenever no batch is in flight.
        self._settled = asyncio.Event()
        self._settled.set()
        # Since when the batch in flight is being written, tries and all; None while there is none.
        self._writing_since_s: float | None = None

    @property
    def pending_s(self) -> float:
        """How long the batch in flight has been on its way into the log; 0 while there is none."""
        return 0.0 if self._writing_since_s is None else self._clock.monotonic_s() - self._writing_since_s

    def submit(self, unsettled: Unsettled) -> None:
        self._queue.append(unsettled)
        self._wake.set()

    async def settled(self, stream: str) -> None:
        """Waits until no batch with this stream is in flight."""
        while stream in self._in_flight:
            await self._settled.wait()

    def close(self) -> None:
        """Lets `run` end once everything that is queued is written."""
        self._closing = True
        self._wake.set()

    async def run(self) -> None:
        """Writes until it is closed. Cancelling it while a batch is in flight makes that batch's outcome unknown."""
        port = await self._journal.open_lane()
        try:
            while await self._next_work():
                batch = self._take()
                self._in_flight = frozenset([unsettled.new.stream for unsettled in batch])
                self._settled.clear()
                self._writing_since_s = self._clock.monotonic_s()
                try:
                    await self._write(port, batch)
                finally:
                    self._writing_since_s = None
                    self._in_flight = frozenset()
                    self._settled.set()
        finally:
            await port.close()

    async def _next_work(self) -> bool:
        while not self._queue:
            if self._closing:
                return False
            self._wake.clear()
            await self._wake.wait()
        return True

    def _take(self) -> list[Unsettled]:
        """The next batch: the oldest appends within the limits."""
        queue, entries_max, bytes_max = self._queue, self._limits.batch_entries_max, self._limits.batch_bytes_max
        batch: list[Unsettled] = []
        size = 0
        while queue and len(batch) < entries_max and size < bytes_max:
            unsettled = queue.popleft()
            batch.append(unsettled)
            size += len(unsettled.new.payload)
        return batch

    async def _write(self, port: AppendLane, batch: list[Unsettled]) -> None:
        """Brings a batch to a known end: each of its entries is committed, refused, or its shard is lost."""
        backoff_s = self._limits.retry_backoff_min_s
        isolating = False
        while batch := self._still_ours(batch):
            request = self._batch_of(batch)
            started_s = self._clock.monotonic_s()
            try:
                appended = await (port.append_isolating(request) if isolating else port.append(request))
            except DuplicateEntry:
                self._meters.append_failed("duplicate")
                isolating = True
                continue
            except NotApplied as fault:
                self._meters.append_failed("not_applied")
                log.warning("append was not applied, trying again: %s", fault)
                await asyncio.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, self._limits.retry_backoff_max_s)
                continue
            except OutcomeUnknown as fault:
                self._meters.append_failed("outcome_unknown")
                log.warning("the outcome of an append is unknown, claiming again: %s", fault)
                batch = await self._resolve(port, request, batch)
                continue
            took_s = self._clock.monotonic_s() - started_s
            self._confirm(request.fences, appended, batch)
            self._meters.batch_appended(len(batch), len({unsettled.new.stream for unsettled in batch}), took_s)
            return

    def _still_ours(self, batch: list[Unsettled]) -> list[Unsettled]:
        """What of the batch still waits to be written; entries of a lost shard or a dead incarnation do not."""
        return [
            unsettled
            for unsettled in batch
            if unsettled.cell.phase is not Phase.DEAD and self._shards.owns(shard_of(unsettled.new.stream))
        ]

    def _batch_of(self, batch: list[Unsettled]) -> AppendBatch:
        """Numbers the batch against what is confirmed now. A gap here would be our own defect."""
        expected: dict[str, int] = {}
        for unsettled in batch:
            stream = unsettled.new.stream
            previous = expected.get(stream, unsettled.cell.gate.durable)
            if unsettled.new.seq != previous + 1:
                raise AssertionError(f"{stream}: {unsettled.new.seq} follows {previous}")
            expected[stream] = unsettled.new.seq
        shards = sorted({shard_of(stream) for stream in expected})
        return AppendBatch(
            session=self._shards.session,
            fences=[self._shards.fence(shard) for shard in shards],
            entries=[unsettled.new for unsettled in batch],
        )

    def _confirm(self, fences: Iterable[ShardFence], appended: Appended, batch: list[Unsettled]) -> None:
        """Acts on the log's answer, shard by shard."""
        accepted: list[tuple[Unsettled, Entry]] = []
        fenced = {fence.shard: fence for fence in fences}
        # Shard → the position of its newest entry so far.
        newest: dict[int, int] = {}
        for unsettled in batch:
            new = unsettled.new
            shard = shard_of(new.stream)
            if shard in appended.heads and new.stream not in appended.refused:
                _, epoch, head = fenced[shard]
                pos = newest[shard] = newest.get(shard, head) + 1
                accepted.append((unsettled, new.committed(shard, epoch, pos)))
        for shard, head in appended.heads.items():
            self._shards.advanced(shard, head)
        self._tell(accepted)
        self._refuse(batch, appended.refused)
        for shard in sorted(fenced.keys() - appended.heads.keys()):
            self._meters.append_failed("fenced")
            self._events.shard_lost(shard)

    def _tell(self, accepted: list[tuple[Unsettled, Entry]]) -> None:
        """First the actors, whose gates open; then the consumers."""
        by_cell: dict[Cell, list[Entry]] = {}
        for unsettled, entry in accepted:
            by_cell.setdefault(unsettled.cell, []).append(entry)
        for cell, entries in by_cell.items():
            if cell.phase is not Phase.DEAD:  # it was let go while its batch was in flight: its callers know already
                cell.committed(entries)
        if accepted:
            self._events.committed([entry for _, entry in accepted])

    def _refuse(self, batch: list[Unsettled], streams: frozenset[str]) -> None:
        for stream in sorted(streams):
            self._meters.append_failed("refused")
            self._events.refused(stream, [unsettled.new.op_id for unsettled in batch if unsettled.new.stream == stream])

    async def _resolve(self, port: AppendLane, request: AppendBatch, batch: list[Unsettled]) -> list[Unsettled]:
        """Finds out what became of a batch; returns what has to be sent again. Nothing is guessed.

        Ending the old backend decides its transaction, and the new epoch shuts out whatever might still come from it;
        after that the shard's own log says what was written.
        """
        backoff_s = self._limits.retry_backoff_min_s
        while True:
            try:
                await port.abandon()
                return self._settle(request, batch, await self._claim_and_read(request))
            except (NotApplied, OutcomeUnknown) as fault:
                log.warning("cannot claim yet: %s", fault)
                await asyncio.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, self._limits.retry_backoff_max_s)

    async def _claim_and_read(self, request: AppendBatch) -> Mapping[int, list[Entry]]:
        """Shard → entries beyond the expected head, for the shards that are ours again."""
        session = self._shards.session
        wanted = {fence.shard for fence in request.fences}
        rows = await self._ownership.shards()
        seen = {row.shard: row.epoch for row in rows if row.shard in wanted and row.owner == session}
        claimed = await self._ownership.claim(session, seen, self._ids.epoch_step()) if seen else ()
        written: dict[int, list[Entry]] = {}
        expected = {fence.shard: fence.head for fence in request.fences}
        for shard in claimed:
            missing = shard.head - expected[shard.shard]
            entries = await self._journal.read_shard(shard.shard, expected[shard.shard], missing) if missing else ()
            written[shard.shard] = list(entries)
            self._shards.claimed(shard)
        return written

    def _settle(
        self, request: AppendBatch, batch: list[Unsettled], written: Mapping[int, list[Entry]]
    ) -> list[Unsettled]:
        found = {(entry.stream, entry.seq, entry.op_id): entry for entries in written.values() for entry in entries}
        accepted: list[tuple[Unsettled, Entry]] = []
        again: list[Unsettled] = []
        refused: set[str] = set()
        for unsettled in batch:
            new = unsettled.new
            entry = found.get((new.stream, new.seq, new.op_id))
            shard = shard_of(new.stream)
            if entry is not None:
                accepted.append((unsettled, entry))
            elif written.get(shard):
                refused.add(new.stream)  # the statement took others of this shard and left this stream out
            else:
                again.append(unsettled)
        self._tell(accepted)
        self._refuse(batch, frozenset(refused))
        for fence in request.fences:
            if fence.shard not in written:
                self._meters.append_failed("fenced")
                self._events.shard_lost(fence.shard)
        return again
