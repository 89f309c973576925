"""Fires timers: when one is due, its stream gets the command that its actor has for it.

The table of timers is a projection of the log, so none is lost in a crash. A fired timer's opId comes from (stream,
name, due time), so firing it again changes nothing: after a crash, or when it is set once more for the same time.

What the stream refuses rests: an entry of the stream can set or wake it, and it is forgotten after `REST`.

A stream that cannot answer now (halted, in quarantine, overloaded) keeps its timers and costs nobody else theirs: it is
left out of the rounds for a pause, and they go on behind it also when too many streams are stuck to be remembered.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from actors.ports import Clock, Timers
from actors.runtime.actor import AnyActor
from actors.runtime.request import Accepted, Outcome, Request
from actors.runtime.router import Router
from actors.runtime.shards import ShardTable
from actors.runtime.stuck_streams import StuckStreams
from protocol.base import datetime_of, instant_of
from protocol.derived_ids import derived_id
from protocol.errors import ErrorCode, Rejection
from protocol.event import SYSTEM
from protocol.faults import StorageFault
from protocol.log import DueTimer
from protocol.messages import digest_of

log = logging.getLogger("pantherahive.timers")

TIMERS_PER_ROUND_MAX = 100

LINES_PER_ROUND_MAX = 10
"""So many streams that begin to be stuck are named in the log; of the others it has the number."""

REST: Final = timedelta(days=2)
"""So long after its time a refused timer can be woken. The day that a timer reminds of is over by then."""


def timer_op_id(timer: DueTimer) -> str:
    """The opId of a firing: the same however often it is tried, and nobody else can use it."""
    return derived_id(SYSTEM.id, "timer", timer.stream, timer.name, timer.due_at)


@dataclass(frozen=True, slots=True)
class _End:
    """How a stream's turn in a round ended: `why` not all of its timers are out of the way."""

    stream: str
    fired: int
    why: Rejection | StorageFault | None


class TimerService:
    """Looks for due timers of the owned shards once a beat. `command_deadline_s` bounds one firing."""

    def __init__(
        self,
        actors: Sequence[AnyActor],
        timers: Timers,
        router: Router,
        shards: ShardTable,
        clock: Clock,
        command_deadline_s: float,
    ) -> None:
        self._actors: Mapping[str, AnyActor] = {actor.kind: actor for actor in actors}
        self._timers = timers
        self._router = router
        self._shards = shards
        self._clock = clock
        self._command_deadline_s = command_deadline_s
        self._stuck = StuckStreams()
        # The last timer of the page before, when there may be more behind it.
        self._behind: DueTimer | None = None

    @property
    def stuck_streams(self) -> int:
        """How many streams have due timers that wait because the stream does not take them."""
        return len(self._stuck)

    async def run(self, beat_s: float) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.fire_due()
            except StorageFault as fault:
                log.warning("cannot fire due timers: %s", fault)
            await asyncio.sleep(beat_s)

    async def fire_due(self) -> int:
        """Fires a page of what is due now, its streams side by side; the next round goes on behind it.

        Returns how many timers are out of the way. Raises StorageFault once all streams had their turn.
        """
        by_stream: dict[str, list[DueTimer]] = defaultdict(list)
        for timer in await self._next_page():
            by_stream[timer.stream].append(timer)
        async with asyncio.TaskGroup() as group:
            turns = [group.create_task(self._turn(stream, timers)) for stream, timers in by_stream.items()]
        ends = [turn.result() for turn in turns]
        self._remember(ends)
        for end in ends:
            if isinstance(end.why, StorageFault):
                raise end.why
        return sum(end.fired for end in ends)

    async def _next_page(self) -> Sequence[DueTimer]:
        owned = self._shards.owned
        now_s = self._clock.monotonic_s()
        self._stuck.forget_others(owned, now_s)
        behind, self._behind = self._behind, None
        if not owned:
            return ()
        due = await self._timers.due(
            sorted(owned),
            self._clock.now(),
            TIMERS_PER_ROUND_MAX,
            behind=behind,
            without=self._stuck.pausing(now_s),
        )
        if len(due) == TIMERS_PER_ROUND_MAX:
            self._behind = due[-1]
        return due

    def _remember(self, ends: Collection[_End]) -> None:
        """Which streams are stuck, and says so once for each."""
        now_s = self._clock.monotonic_s()
        new = [
            f"{end.stream} ({end.why.code.value}: {end.why.message})"
            for end in ends
            if isinstance(end.why, Rejection) and self._stuck.refused(end.stream, now_s)
        ]
        for stream in new[:LINES_PER_ROUND_MAX]:
            log.warning("due timers wait until their stream takes them: %s", stream)
        if len(new) > LINES_PER_ROUND_MAX:
            log.warning("due timers of %d more streams wait", len(new) - LINES_PER_ROUND_MAX)
        again = [end.stream for end in ends if end.why is None and self._stuck.took(end.stream)]
        if again:
            log.info("%d streams take their timers again: %s", len(again), ", ".join(again[:LINES_PER_ROUND_MAX]))

    async def _turn(self, stream: str, timers: Sequence[DueTimer]) -> _End:
        """Fires them one after the other, up to the first that has to wait."""
        for fired, timer in enumerate(timers):
            try:
                refusal = await self._fire(timer)
            except StorageFault as fault:
                return _End(stream, fired, fault)
            if refusal is not None:
                return _End(stream, fired, refusal)
        return _End(stream, len(timers), None)

    async def _fire(self, timer: DueTimer) -> Rejection | None:
        """None when it is out of the way, or why it stays."""
        if timer.has_rested:
            await self._timers.done(timer)
            return None
        outcome = await self._command(timer)
        if isinstance(outcome, Rejection):
            if outcome.retryable or outcome.code is ErrorCode.STREAM_HALTED:
                return outcome
            # A reminder of a task that was completed meanwhile, for example: the task may be opened again.
            log.info("timer %s of %s has nothing to do: %s", timer.name, timer.stream, outcome.message)
            await self._timers.rest(timer, instant_of(datetime_of(timer.due_at) + REST))
            return None
        if not isinstance(outcome, Accepted):
            raise TypeError(outcome)
        await self._timers.done(timer)
        return None

    async def _command(self, timer: DueTimer) -> Outcome:
        command = self._actors[timer.stream.partition("/")[0]].timer_command(timer.name, timer.due_at)
        request = Request(
            stream=timer.stream,
            op_id=timer_op_id(timer),
            command=command,
            principal=SYSTEM,
            digest=digest_of(SYSTEM.id, command, None, None),
            deadline_s=self._clock.monotonic_s() + self._command_deadline_s,
        )
        return await self._router.command(request)
