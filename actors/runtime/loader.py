"""Brings streams to life: many of them per round trip, a bounded number of round trips at once."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from actors.ports import Clock, Journal, RuntimeMeters
from actors.runtime.cell import Cell
from actors.runtime.cell_host import Activation, Phase
from actors.runtime.limits import RuntimeLimits
from actors.runtime.replay import Folded, ReplayFailed, Slices, apply_all, begin
from protocol.faults import StorageFault
from protocol.log import Entry, LoadedStream, is_cut

log = logging.getLogger("pantherahive.loader")

T = TypeVar("T")


class LoadEvents(Protocol):
    """Whom the loader tells."""

    async def settled(self, stream: str) -> None:
        """Waits until no write of an earlier incarnation is in flight."""
        ...

    def was_halted(self, stream: str) -> bool:
        """Whether the stream could not be replayed when it was last loaded."""
        ...

    def load_succeeded(self, cell: Cell, newest: Entry | None) -> None:
        """The cell is live. `newest` is its newest entry when the stream was halted before."""
        ...

    def load_failed(self, cell: Cell, reason: str) -> None:
        """The stream cannot be replayed to its end; the cell is halted."""
        ...

    def load_crashed(self, cell: Cell) -> None:
        """Loading ran into a defect that says nothing about the stream."""
        ...


class Loader:
    """Cells that wait to be loaded, and the tasks that load them."""

    def __init__(
        self, journal: Journal, events: LoadEvents, clock: Clock, meters: RuntimeMeters, limits: RuntimeLimits
    ) -> None:
        self._journal = journal
        self._events = events
        self._clock = clock
        self._meters = meters
        self._limits = limits
        # Cells that nobody loads yet.
        self._waiting: deque[Cell] = deque()
        # Tasks that load, at most `concurrent_loads_max`.
        self._tasks: set[asyncio.Task[None]] = set()
        # Whether a start of tasks is already on the loop's list.
        self._scheduled = False

    def load(self, cell: Cell) -> None:
        """Starts the cell when its stream is loaded. Loads that are asked for in one tick share their round trip."""
        self._waiting.append(cell)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._start_tasks)

    def _start_tasks(self) -> None:
        self._scheduled = False
        while self._waiting and len(self._tasks) < self._limits.concurrent_loads_max:
            task = asyncio.create_task(self._load_some(), name="load streams")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            if len(self._waiting) <= self._limits.streams_per_load_max * len(self._tasks):
                return

    async def _load_some(self) -> None:
        while self._waiting:
            cells = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._limits.streams_per_load_max))]
            try:
                await self._load_together(cells)
            except Exception:
                log.exception("loading failed")
                for cell in cells:
                    if cell.phase is Phase.LOADING:
                        self._events.load_crashed(cell)

    async def _load_together(self, cells: list[Cell]) -> None:
        for cell in cells:
            await self._events.settled(cell.stream)
        streams = [cell.stream for cell in cells]
        loaded = await self._with_patience(partial(self._journal.load, streams, *self._limits.load_page))
        for cell in cells:
            await self._activate(cell, loaded[cell.stream])

    def close(self) -> None:
        """Stops loading; the cells stay as they are."""
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()

    async def _with_patience(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Repeats a read until the database answers; callers meanwhile run into their own deadlines."""
        backoff_s = self._limits.retry_backoff_min_s
        while True:
            try:
                return await attempt()
            except StorageFault as fault:
                log.warning("cannot load yet: %s", fault)
                await asyncio.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, self._limits.retry_backoff_max_s)

    async def _activate(self, cell: Cell, loaded: LoadedStream) -> None:
        began_s = self._clock.monotonic_s()
        folded = await self._begin(cell, loaded)
        try:
            await self._fold(cell, *folded)
        except ReplayFailed as failure:
            if self._events.was_halted(cell.stream):
                log.warning("stream still halted: %s", failure)
            else:
                log.exception("stream halted")
            self._meters.stream_halted(cell.actor.kind)
            await self._halt(cell, loaded, folded[0].seq, str(failure))
            return
        newest = await self._newest_if_healed(cell, folded[0])
        if cell.phase is not Phase.LOADING:
            return
        self._meters.actor_activated(cell.actor.kind, folded[0].replayed, self._clock.monotonic_s() - began_s)
        cell.start(_activation_of(folded[0]))
        self._events.load_succeeded(cell, newest)

    async def _halt(self, cell: Cell, loaded: LoadedStream, last_good_seq: int, reason: str) -> None:
        """Folds once more up to the last good entry: the one after it may have half changed the state."""
        folded, loaded = await self._begin(cell, loaded)
        await self._fold(cell, folded, loaded, last_good_seq)
        if cell.phase is Phase.LOADING:
            cell.start(_activation_of(folded), halted=True)
            cell.last_used_s = self._clock.monotonic_s()  # the wait until the log is tried again begins now
            self._events.load_failed(cell, reason)

    async def _newest_if_healed(self, cell: Cell, folded: Folded) -> Entry | None:
        """The entry at which a stream stands that was halted before: its followers have not heard of it."""
        if folded.seq == 0 or not self._events.was_halted(cell.stream):
            return None
        page = await self._with_patience(partial(self._journal.read, cell.stream, folded.seq - 1, 1))
        return page[0] if page and page[0].seq == folded.seq else None

    async def _begin(self, cell: Cell, loaded: LoadedStream) -> tuple[Folded, LoadedStream]:
        async def load_before(seq: int) -> LoadedStream:
            return await self._with_patience(
                partial(self._journal.load_at, cell.stream, seq, None, *self._limits.load_page)
            )

        return await begin(cell.actor, cell.stream, loaded, load_before, self._limits, self._clock)

    async def _fold(self, cell: Cell, folded: Folded, loaded: LoadedStream, last_seq: int | None = None) -> None:
        """Folds what follows: to the end of the stream, or up to `last_seq`. Raises ReplayFailed."""

        def is_too_far(entry: Entry) -> bool:
            return last_seq is not None and entry.seq > last_seq

        slices = Slices(self._clock, self._limits.loop_slice_s)
        page, complete = loaded.tail, loaded.complete
        while await apply_all(cell.actor, folded, page, slices, until=is_too_far) and not complete:
            page = await self._with_patience(
                partial(self._journal.read, cell.stream, folded.seq, *self._limits.load_page)
            )
            complete = not is_cut(page, *self._limits.load_page)


def _activation_of(folded: Folded) -> Activation:
    return Activation(folded.state, folded.seq, folded.epoch, folded.memory, folded.snapshot_seq, folded.weight_bytes)
