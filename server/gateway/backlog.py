"""What a client still has to read, from where that is too much on: how long it is waited for, and what ends the wait.

The clock is the connection's, not that of somebody who waits for room: whoever joins and leaves again and again gets no
new grace by it.
"""

from __future__ import annotations

import asyncio
from typing import Final, Literal, Protocol, TypeAlias

Room: TypeAlias = Literal["room", "slow", "gone"]
"""`room`: there is some again. `slow`: the client reads, but had too much to read for as long as was to be waited.
`gone`: nothing can be sent any more."""

LOOKS_PER_GRACE: Final = 20


class Reader(Protocol):
    """Whose backlog it is."""

    @property
    def read_bytes(self) -> int:
        """How much of all that it was ever sent it has read, as far as that can be known. It never falls."""
        ...

    def give_up(self) -> None:
        """It has read nothing for the grace."""
        ...


class Backlog:
    """Of one slow client, until it has room again. It has a timer and no task, and holds nothing that is to be sent."""

    __slots__ = ("_grace_s", "_look_s", "_loop", "_read_at_s", "_read_bytes", "_reader", "_timer", "_verdict")

    def __init__(self, reader: Reader, grace_s: float) -> None:
        self._reader = reader
        self._grace_s = grace_s
        self._look_s = grace_s / LOOKS_PER_GRACE
        self._loop = asyncio.get_running_loop()
        # How much it had read when somebody looked last, and when that last grew.
        self._read_bytes = reader.read_bytes
        self._read_at_s = self._loop.time()
        # Shared by all who wait, while somebody does.
        self._verdict: asyncio.Future[Room] | None = None
        self._timer = self._look_later()

    async def wait(self) -> Room:
        """What has come of it."""
        verdict = self._verdict
        if verdict is None:
            verdict = self._verdict = self._loop.create_future()
        return await asyncio.shield(verdict)  # who gives up must not take it from the others

    def end(self, room: Room) -> None:
        """It is over."""
        self._timer.cancel()
        verdict, self._verdict = self._verdict, None
        if verdict is not None:
            verdict.set_result(room)

    def _look_later(self) -> asyncio.TimerHandle:
        return self._loop.call_later(self._look_s, self._look)

    def _look(self) -> None:
        now_s, read_bytes = self._loop.time(), self._reader.read_bytes
        if read_bytes > self._read_bytes:
            self._read_bytes, self._read_at_s = read_bytes, now_s
        if now_s - self._read_at_s >= self._grace_s:
            self._reader.give_up()
            return
        self._timer = self._look_later()

    @property
    def has_read_lately(self) -> bool:
        return self._loop.time() - self._read_at_s < self._grace_s / 2
