"""Looks after what this process depends on, once a second, so that /readyz can tell the truth at once.

The database has to answer, and its log has to take entries: a full disk, or a lock, keeps them out while reads go on.
A consumer has to make progress while there is something to do: one that makes none keeps the read tables old, and then
the lists answer `behind`. A shard whose next entry it cannot read is told and does not count: the lists leave the
projects of that shard out, and nothing but another build or a repair would move it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from actors.ports import Clock
from protocol.faults import StorageFault
from protocol.log import SHARDS
from server.consumers.runner import Runner, Stall

log = structlog.get_logger("pantherahive.vitals")

INTERVAL_S: Final = 1.0
AGAIN_INTERVAL_S: Final = 0.1
"""How often a silent database is asked: its return is told as fast as its clients could use it."""


class Pulse(Protocol):
    """How the database is asked."""

    async def feel(self) -> None:
        """Returns when the database has answered. Raises StorageFault when it has not in time."""
        ...

    @property
    def is_lost(self) -> bool:
        """Whether the database has ended the connection since it last answered."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Progress:
    """The positions of a consumer, added up, and since when they have been the same while there was work."""

    reached: int
    since_s: float


@dataclass(frozen=True, slots=True)
class Patience:
    """How long nothing may move before the server is not ready."""

    append_stalled_after_s: float = 5.0
    consumer_stalled_after_s: float = 30.0


class Vitals:
    """`look` once, `run` it beside; `database`, `appends` and `consumers` are checks for /readyz."""

    def __init__(
        self,
        pulse: Pulse,
        append_pending_s: Callable[[], float],
        consumers: Sequence[Runner],
        clock: Clock,
        patience: Patience,
    ) -> None:
        self._pulse = pulse
        # For how long the oldest append has been on its way into the log.
        self._append_pending_s = append_pending_s
        self._consumers = consumers
        self._clock = clock
        self._patience = patience
        # Why the database cannot be used, None while it answers.
        self._silence: str | None = "the database has not been asked yet"
        # The question that is under way; None between two of them.
        self._question: asyncio.Task[None] | None = None
        # How far each consumer was, by name.
        self._progress: dict[str, _Progress] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(INTERVAL_S if self._silence is None else AGAIN_INTERVAL_S)

    async def look(self) -> None:
        """One look at everything."""
        for consumer in self._consumers:
            self._note(consumer, self._clock.monotonic_s())
        await self._ask()

    async def _ask(self) -> None:
        """One question at a time; who comes while it is asked gets the same answer."""
        if self._question is None:
            self._question = asyncio.create_task(self._feel(), name="pulse")
            self._question.add_done_callback(self._answered)
        await asyncio.shield(self._question)

    def _answered(self, question: asyncio.Task[None]) -> None:
        self._question = None
        if not question.cancelled():
            question.exception()  # whoever waits has got it; perhaps nobody does any more

    async def _feel(self) -> None:
        try:
            await self._pulse.feel()
        except StorageFault as fault:
            if self._silence is None:
                log.warning("the database does not answer", fault=str(fault))
            self._silence = "the database does not answer"
        else:
            if self._silence is not None:
                log.info("the database answers")
            self._silence = None

    def _note(self, consumer: Runner, now_s: float) -> None:
        reached = sum(consumer.position(shard) for shard in range(SHARDS))
        known = self._progress.get(consumer.name)
        if known is None or known.reached != reached or not _movable(consumer):
            self._progress[consumer.name] = _Progress(reached, now_s)

    async def database(self) -> str | None:
        """Why not ready, for /readyz. A connection that was ended since the last look is asked about anew."""
        if self._silence is None and self._pulse.is_lost:
            await self._ask()
        return self._silence

    async def appends(self) -> str | None:
        """Why not ready, for /readyz. Nothing waits in the log of a server that nobody asks to write."""
        pending_s = self._append_pending_s()
        if pending_s <= self._patience.append_stalled_after_s:
            return None
        return f"the log takes no entries: the oldest has been waiting for {pending_s:.0f} s"

    async def consumers(self) -> str | None:
        """Why not ready, for /readyz."""
        now_s = self._clock.monotonic_s()
        reasons = [reason for consumer in self._consumers if (reason := self._why(consumer, now_s)) is not None]
        return "; ".join(reasons) or None

    def _why(self, consumer: Runner, now_s: float) -> str | None:
        known = self._progress.get(consumer.name)
        if known is None or not _movable(consumer) or now_s - known.since_s <= self._patience.consumer_stalled_after_s:
            return None
        return (
            f"{consumer.name} has made no progress for {now_s - known.since_s:.0f} s "
            f"({_movable(consumer)} entries wait, {consumer.failures} failures)"
        )

    def stalled(self) -> Mapping[str, Mapping[int, Stall]]:
        """Consumer → the shards where it stands still. Those that stand nowhere are left out."""
        return {consumer.name: consumer.stalled for consumer in self._consumers if consumer.stalled}

    def close(self) -> None:
        """Gives the connection up."""
        if self._question is not None:
            self._question.cancel()
        self._pulse.close()


def waiting(consumer: Runner) -> int:
    """Entries that are known to be committed and have had no effect yet."""
    return sum(consumer.lag(shard) for shard in range(SHARDS))


def _movable(consumer: Runner) -> int:
    """Those of them that are not behind an entry that cannot be read."""
    return sum(consumer.lag(shard) for shard in range(SHARDS) if shard not in consumer.stalled)
