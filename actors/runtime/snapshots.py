"""Writes snapshots off the hot path: packed in slices, one at a time, and given up rather than queued without end."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from actors.ports import Clock, Journal
from actors.runtime.cell import Cell
from actors.runtime.delivery import HeldCall
from actors.runtime.limits import RuntimeLimits
from actors.runtime.replay import Slices, pack_snapshot
from protocol.faults import StorageFault
from protocol.log import Snapshot

log = logging.getLogger("pantherahive.snapshots")


@dataclass(slots=True)
class _Capture:
    """A state as of one seq; `parts` reads from shallow copies, so the actor may go on meanwhile."""

    cell: Cell
    stream: str
    seq: int
    content_at: str
    schema_version: int
    memory: dict[str, Any]
    parts: Iterator[dict[str, Any]]


class Snapshotter:
    """Captures states when they are asked for and writes them when they are durable."""

    def __init__(self, journal: Journal, clock: Clock, limits: RuntimeLimits) -> None:
        self._journal = journal
        self._clock = clock
        self._limits = limits
        # Durable captures that wait to be written, with their epoch.
        self._waiting: deque[tuple[_Capture, int]] = deque()
        # The task that writes, while there is something to write.
        self._task: asyncio.Task[None] | None = None

    def capture(self, cell: Cell) -> None:
        """Takes the state as it is in this turn; it is written once that is committed."""
        if len(self._waiting) >= self._limits.snapshots_waiting_max:
            return  # the next 500 entries ask again
        cell.snapshot_seq = cell.tentative
        try:
            captured = _capture(cell)
        except Exception:
            log.exception("no snapshot of %s could be taken", cell.stream)
            return
        cell.when_durable(HeldCall(lambda epoch: self._enqueue(captured, epoch)))

    def _enqueue(self, captured: _Capture, epoch: int) -> None:
        self._waiting.append((captured, epoch))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="write snapshots")

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._write_or_give_up(*self._waiting.popleft())
        finally:
            self._task = None

    async def _write(self, captured: _Capture, epoch: int) -> None:
        slices = Slices(self._clock, self._limits.loop_slice_s)
        packed = []
        for piece in pack_snapshot(captured.memory, captured.parts):
            packed.append(piece)
            await slices.pause_if_due()
        snapshot = Snapshot(
            captured.stream,
            captured.seq,
            epoch,
            captured.content_at,
            captured.schema_version,
            b"".join(packed),
        )
        captured.cell.weight_bytes = len(snapshot.state)  # what was counted since the last one is in it
        try:
            await self._journal.save_snapshot(snapshot)
        except StorageFault as fault:
            log.warning("snapshot of %s at %d not written: %s", captured.stream, captured.seq, fault)

    async def _write_or_give_up(self, captured: _Capture, epoch: int) -> None:
        """A defect in packing costs this snapshot and no other; the log has everything anyway."""
        try:
            await self._write(captured, epoch)
        except Exception:
            log.exception("snapshot of %s at %d failed", captured.stream, captured.seq)

    async def written(self) -> None:
        """Waits until everything captured so far is written or given up."""
        while self._task is not None:
            await asyncio.wait([self._task])


def _capture(cell: Cell) -> _Capture:
    actor = cell.actor
    return _Capture(
        cell=cell,
        stream=cell.stream,
        seq=cell.tentative,
        content_at=actor.content_at(cell.state),
        schema_version=actor.schema_version,
        memory=cell.retries.memory.as_json(),
        parts=actor.parts(cell.state),
    )
