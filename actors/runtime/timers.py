"""Fires timers: when one is due, its stream gets the command that its actor has for it.

The table of timers is a projection of the log, so none is lost in a crash. A fired timer's opId comes from (stream,
name, due time), so firing it again changes nothing: after a crash, or when it is set once more for the same time.

What the stream refuses rests: an entry of the stream can set or wake it, and it is forgotten after `REST`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid5

from actors.ports import Clock, Timers
from actors.runtime.actor import AnyActor
from actors.runtime.request import Accepted, Outcome, Request
from actors.runtime.router import Router
from actors.runtime.shards import ShardTable
from protocol.base import datetime_of, instant_of
from protocol.errors import ErrorCode, Rejection
from protocol.event import SYSTEM
from protocol.faults import StorageFault
from protocol.log import DueTimer
from protocol.messages import digest_of

log = logging.getLogger("pantherahive.timers")

_NAMESPACE = UUID("5b0f6f43-6f0c-5a39-9d3b-5d4a6f0d6f43")

TIMERS_PER_ROUND_MAX = 100

REST: Final = timedelta(days=2)
"""So long after its time a refused timer can be woken. The day that a timer reminds of is over by then."""

OP_IDS_MAX = 8
"""So many opIds of a firing are tried. They can be foreseen, and who may write to the stream can have used one."""


def timer_op_id(timer: DueTimer, taken: int = 0) -> str:
    """The opId of a firing: the same however often it is tried. `taken` of its opIds belong to other commands."""
    suffix = f"\n{taken}" if taken else ""
    return str(uuid5(_NAMESPACE, f"{timer.stream}\n{timer.name}\n{timer.due_at}{suffix}"))


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

    async def run(self, beat_s: float) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.fire_due()
            except StorageFault as fault:
                log.warning("cannot look for due timers: %s", fault)
            await asyncio.sleep(beat_s)

    async def fire_due(self) -> int:
        """Fires what is due now; returns how many timers are out of the way. Raises StorageFault."""
        owned = sorted(self._shards.owned)
        due = await self._timers.due(owned, self._clock.now(), TIMERS_PER_ROUND_MAX) if owned else ()
        return sum([await self._fire(timer) for timer in due])

    async def _fire(self, timer: DueTimer) -> bool:
        if timer.has_rested:
            await self._timers.done(timer)
            return True
        outcome = await self._command(timer, 0)
        for taken in range(1, OP_IDS_MAX):
            if not isinstance(outcome, Rejection) or outcome.code is not ErrorCode.OP_ID_REUSED:
                break
            outcome = await self._command(timer, taken)
        if isinstance(outcome, Rejection):
            if outcome.retryable or outcome.code is ErrorCode.STREAM_HALTED:
                return False
            # A reminder of a task that was completed meanwhile, for example: the task may be opened again.
            log.info("timer %s of %s has nothing to do: %s", timer.name, timer.stream, outcome.message)
            await self._timers.rest(timer, instant_of(datetime_of(timer.due_at) + REST))
            return True
        if not isinstance(outcome, Accepted):
            raise TypeError(outcome)
        await self._timers.done(timer)
        return True

    async def _command(self, timer: DueTimer, taken: int) -> Outcome:
        command = self._actors[timer.stream.partition("/")[0]].timer_command(timer.name, timer.due_at)
        request = Request(
            stream=timer.stream,
            op_id=timer_op_id(timer, taken),
            command=command,
            principal=SYSTEM,
            digest=digest_of(SYSTEM.id, command, None, None),
            deadline_s=self._clock.monotonic_s() + self._command_deadline_s,
        )
        return await self._router.command(request)
