"""The live actors of this node's shards: found or started, fed, let go, and started again after a failure."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from actors.ports import Clock, Ids, Journal, Ownership, RuntimeMeters
from actors.runtime.actor import AnyActor
from actors.runtime.cell import Cell
from actors.runtime.cell_host import Phase
from actors.runtime.delivery import UNAVAILABLE, CommandDelivery, Delivery, ReadDelivery, Reply
from actors.runtime.lane import Lane
from actors.runtime.limits import RuntimeLimits
from actors.runtime.loader import Loader
from actors.runtime.lookup import Lookup
from actors.runtime.publication import Publication, publication_of
from actors.runtime.rejections import RejectionMemory
from actors.runtime.request import Outcome, Request
from actors.runtime.shards import ShardTable
from actors.runtime.snapshots import Snapshotter
from actors.runtime.supervisor import Supervisor
from actors.runtime.turns import Turns
from actors.runtime.unsettled import Unsettled
from protocol.derived_ids import refusal_of_derived
from protocol.errors import ErrorCode, Rejection
from protocol.log import Entry, shard_of
from protocol.messages import UnreadableEvent

log = logging.getLogger("pantherahive.region")

WEIGHT_FACTOR = 4
"""Bytes of memory per byte of packed state, measured on projects of 1,000 tasks (`benchmarks/`)."""

_UNKNOWN_KIND = Rejection(ErrorCode.NOT_FOUND, "there is no such stream")


class Outlets(Protocol):
    """Where committed entries go."""

    def publish(self, stream: str, publications: list[Publication]) -> None:
        """To the followers of one stream, in order of seq."""
        ...

    def committed(self, entries: list[Entry]) -> None:
        """To the consumers, in order of pos per shard."""
        ...


class Region:
    """All cells of a node. It is their host, and the lanes' and the loader's listener."""

    def __init__(
        self,
        actors: Sequence[AnyActor],
        journal: Journal,
        ownership: Ownership,
        shards: ShardTable,
        outlets: Outlets,
        *,
        clock: Clock,
        ids: Ids,
        meters: RuntimeMeters,
        limits: RuntimeLimits,
        lanes: int = 2,
    ) -> None:
        self.limits, self.clock, self.ids, self.meters = limits, clock, ids, meters
        self.rejections = RejectionMemory(limits.rejections_remembered_max, limits.rejection_memory_s)
        self.supervisor = Supervisor(limits)
        self.snapshots = Snapshotter(journal, clock, limits)
        self._actors: Mapping[str, AnyActor] = {actor.kind: actor for actor in actors}
        self.shards = shards
        self.turns = Turns(clock, limits.loop_slice_s)
        self._outlets = outlets
        self._loader = Loader(journal, self, clock, meters, limits)
        self._lookup = Lookup(journal, limits, self._return_to_cell)
        self._lanes = [
            Lane(journal, ownership, shards, self, clock=clock, ids=ids, meters=meters, limits=limits)
            for _ in range(lanes)
        ]
        # The live cells by stream.
        self._cells: dict[str, Cell] = {}
        # (stream, opId) of refused entries: the log is asked before they are decided again.
        self._suspects: OrderedDict[tuple[str, str], None] = OrderedDict()
        # The tasks of the lanes and the sweep, while the region runs.
        self._tasks: list[asyncio.Task[None]] = []
        # Whether it is over: nothing new is taken.
        self._stopping = False

    # — running ——————————————————————————————————————————————————————————————————————————————————————

    def start(self) -> None:
        self._tasks = [asyncio.create_task(lane.run(), name="lane") for lane in self._lanes]
        self._tasks.append(asyncio.create_task(self._sweep_for_ever(), name="sweep"))

    @property
    def failed(self) -> BaseException | None:
        """Why a task of the region ended before it was stopped, if one did."""
        ended = [task.exception() for task in self._tasks if task.done() and not task.cancelled()]
        return next((reason for reason in ended if reason is not None), None)

    @property
    def append_pending_s(self) -> float:
        """For how long the oldest append has been on its way into the log; 0 while none is."""
        return max(lane.pending_s for lane in self._lanes)

    async def stop(self, snapshots: bool = True) -> None:
        """Writes what is queued, takes snapshots of what changed, and ends. What is asked from now on is refused.

        Cancelling it ends the lanes at once; callers are told in any case that they get no answer here.
        """
        self._stopping = True
        for lane in self._lanes:
            lane.close()
        *lanes, sweep = self._tasks
        sweep.cancel()
        try:
            await asyncio.gather(*lanes, sweep, return_exceptions=True)
            if snapshots:
                for cell in list(self._cells.values()):
                    self._passivate(cell)
                await self.snapshots.written()
        finally:
            self._loader.close()
            self._lookup.close()
            for cell in list(self._cells.values()):
                self._drop(cell, UNAVAILABLE)

    # — asking ———————————————————————————————————————————————————————————————————————————————————————

    def command(self, request: Request) -> asyncio.Future[Outcome]:
        """The answer comes when it is durable."""
        reply: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.send(request, reply)
        return reply

    def send(self, request: Request, reply: Reply) -> None:
        """As `command`; the answer goes to `reply` in the turn in which it becomes durable."""
        delivery = CommandDelivery(request, reply)
        if (refusal := refusal_of_derived(request.op_id, request.principal.id, "opId")) is not None:
            delivery.refuse(refusal)
        else:
            self._deliver(request.stream, delivery)

    def read(
        self,
        stream: str,
        look: Callable[..., Any],
        *arguments: Any,
        deadline_s: float,
        opened: Callable[[Any, Any], Any] | None = None,
    ) -> asyncio.Future[Any]:
        """`look(state, *arguments)` in a turn of the actor: a Reading, or the Rejection that it returned."""
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        is_halted = partial(self.was_halted, stream)
        self._deliver(stream, ReadDelivery(look, arguments, opened, deadline_s, reply, is_halted))
        return reply

    def _deliver(self, stream: str, delivery: Delivery) -> None:
        cell = self._cells.get(stream)
        if cell is not None:
            cell.deliver(delivery)
            return
        refusal = self._refusal(stream)
        if refusal is not None:
            delivery.refuse(refusal)
            return
        self._begin(stream).deliver(delivery)

    def _refusal(self, stream: str) -> Rejection | None:
        if stream.partition("/")[0] not in self._actors:
            return _UNKNOWN_KIND
        if self._stopping or not self.shards.owns(shard_of(stream)):
            return UNAVAILABLE
        return self.supervisor.refusal(stream, self.clock.monotonic_s())

    def _begin(self, stream: str) -> Cell:
        cell = Cell(stream, self._actors[stream.partition("/")[0]], self)
        self._cells[stream] = cell
        self._loader.load(cell)
        return cell

    # — what cells ask of their host —————————————————————————————————————————————————————————————————

    def submit(self, unsettled: Unsettled) -> None:
        self._lane_of(unsettled.new.stream).submit(unsettled)

    def look_up(self, cell: Cell, delivery: CommandDelivery) -> None:
        del cell  # it may be another incarnation that gets the delivery back
        self._lookup.ask(delivery)

    def _return_to_cell(self, delivery: CommandDelivery) -> None:
        cell = self._cells.get(delivery.request.stream)
        if cell is not None:
            cell.redeliver(delivery)
        else:
            self._deliver(delivery.request.stream, delivery)

    def is_suspect(self, stream: str, op_id: str) -> bool:
        return (stream, op_id) in self._suspects

    def publish(self, stream: str, publications: list[Publication]) -> None:
        self._outlets.publish(stream, publications)

    def snapshot_due(self, cell: Cell) -> None:
        self.snapshots.capture(cell)

    def drained(self, cell: Cell) -> None:
        """A crashed cell has nothing on its way any more: the next incarnation takes its mailbox over."""
        self.supervisor.crashed(cell.stream, self.clock.monotonic_s())
        self._restart(cell)

    # — what lanes and loader tell ———————————————————————————————————————————————————————————————————

    def committed(self, entries: list[Entry]) -> None:
        self._outlets.committed(entries)

    def refused(self, stream: str, op_ids: list[str]) -> None:
        """The log knows better than our memory: drop it, and ask the log about these opIds when they come again."""
        for op_id in op_ids:
            self._suspects[(stream, op_id)] = None
        while len(self._suspects) > self.limits.rejections_remembered_max:
            self._suspects.popitem(last=False)
        cell = self._cells.get(stream)
        if cell is not None:
            log.warning("the log refused entries of %s; it reloads", stream)
            cell.abort(UNAVAILABLE)
            self._restart(cell)

    def shard_lost(self, shard: int) -> None:
        log.error("shard %d belongs to another session now", shard)
        self.shards.lost(shard)
        for cell in [cell for cell in self._cells.values() if shard_of(cell.stream) == shard]:
            self._drop(cell, UNAVAILABLE)

    async def settled(self, stream: str) -> None:
        await self._lane_of(stream).settled(stream)

    def was_halted(self, stream: str) -> bool:
        return stream in self.supervisor.halted_streams

    def load_succeeded(self, cell: Cell, newest: Entry | None) -> None:
        """Who followed the halted stream hears of where it stands now, unless they may not follow it any more."""
        if not self.supervisor.healed(cell.stream) or newest is None:
            return
        log.warning("stream %s was repaired; it stands at %d", cell.stream, newest.seq)
        try:
            publication = publication_of(newest)
        except UnreadableEvent:
            log.exception("the followers of %s are not told", cell.stream)
            return
        publication.changes_audience, publication.audience = True, cell.actor.audience(cell.state)
        self.publish(cell.stream, [publication])

    def load_failed(self, cell: Cell, reason: str) -> None:
        self.supervisor.halted(cell.stream, reason)

    def load_crashed(self, cell: Cell) -> None:
        self.meters.actor_crashed(cell.actor.kind)
        self.supervisor.crashed(cell.stream, self.clock.monotonic_s())
        self._drop(cell, UNAVAILABLE)

    def _lane_of(self, stream: str) -> Lane:
        return self._lanes[shard_of(stream) % len(self._lanes)]

    def _restart(self, cell: Cell) -> None:
        """What waits in the mailbox was not answered yet: it goes to the next incarnation, in order."""
        del self._cells[cell.stream]
        waiting = list(cell.mailbox.drain())
        refusal = self._refusal(cell.stream)
        for delivery in waiting:
            if refusal is None:
                self._deliver(cell.stream, delivery)
            else:
                delivery.refuse(refusal)

    def _drop(self, cell: Cell, rejection: Rejection) -> None:
        cell.abort(rejection)
        self._cells.pop(cell.stream, None)
        for delivery in cell.mailbox.drain():
            delivery.refuse(rejection)

    # — letting go ———————————————————————————————————————————————————————————————————————————————————

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self.limits.sweep_interval_s)
            self.sweep()

    def sweep(self) -> None:
        """Answers who waits too long, forgets what is old, and lets idle actors go, the longest idle first."""
        now_s = self.clock.monotonic_s()
        self.rejections.forget_old(now_s)
        self.supervisor.forget_old(now_s)
        idle = []
        for cell in self._cells.values():
            cell.expire(now_s)
            if cell.idle:
                idle.append(cell)
        memory = sum(cell.weight_bytes for cell in self._cells.values()) * WEIGHT_FACTOR
        for cell in sorted(idle, key=lambda cell: cell.last_used_s):
            patience_s = self.limits.halted_retry_s if cell.phase is Phase.HALTED else self.limits.idle_passivation_s
            too_long = now_s - cell.last_used_s >= patience_s
            if cell.tentative == 0 or too_long or memory > self.limits.actors_memory_max_bytes:
                memory -= cell.weight_bytes * WEIGHT_FACTOR
                self._passivate(cell)

    def _passivate(self, cell: Cell) -> None:
        """Lets an idle actor go in this turn; nothing can reach it between the check and the removal."""
        if not cell.idle:
            return
        least = self.limits.snapshot_entries_at_passivation(cell.weight_bytes)
        is_worth_it = cell.tentative - cell.snapshot_seq >= least
        if cell.phase is Phase.LIVE and is_worth_it:
            self.snapshots.capture(cell)
        cell.phase = Phase.DEAD
        del self._cells[cell.stream]
        self.meters.actor_passivated(cell.actor.kind)

    def passivate(self, stream: str) -> bool:
        """Lets one actor go now, if it is idle."""
        cell = self._cells.get(stream)
        if cell is None or not cell.idle:
            return False
        self._passivate(cell)
        return True

    # — being looked at ——————————————————————————————————————————————————————————————————————————————

    @property
    def mailbox_depth(self) -> int:
        """Deliveries that wait in all mailboxes."""
        return sum(len(cell.mailbox) for cell in self._cells.values())

    @property
    def live(self) -> int:
        """How many actors are in memory."""
        return len(self._cells)

    @property
    def memory_bytes(self) -> int:
        """What the states take, roughly."""
        return sum(cell.weight_bytes for cell in self._cells.values()) * WEIGHT_FACTOR
