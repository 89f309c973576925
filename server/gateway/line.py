"""Who has more to send to one client than fits at once: let in one after another, whoever came first, as it reads.

Were all told of the same room they would all send into it, and what waits for one client would grow with the number of
its streams; and whoever was quickest would be so again and again.
"""

from __future__ import annotations

import asyncio
import math
from types import TracebackType
from typing import Protocol, Self

from server.gateway.backlog import Room


class Client(Protocol):
    """To whom it is to be sent."""

    @property
    def is_over(self) -> bool:
        """Whether nothing can be sent any more."""
        ...

    @property
    def has_read_lately(self) -> bool:
        """False: it may be about to be given up."""
        ...

    def looks_for_room(self) -> bool:
        """Whether something may be sent now; else the line is told as soon as it may."""
        ...

    def emptied(self) -> None:
        """Nobody is left in line."""
        ...


class Line:
    """Of one client, while there are turns. No task and nothing that is to be sent is kept."""

    __slots__ = ("_called", "_turns", "client", "look_s")

    def __init__(self, client: Client, look_s: float) -> None:
        self.client = client
        self.look_s = look_s
        # In the order of their coming.
        self._turns: list[Turn] = []
        # Whose turn it is to send; it has not done so yet.
        self._called: Turn | None = None

    def join(self) -> Turn:
        """A place at its end."""
        turn = Turn(self)
        self._turns.append(turn)
        return turn

    def leave(self, turn: Turn) -> None:
        """It has sent what it came for, or will not."""
        self._turns.remove(turn)
        self.let_go(turn)
        if self._turns:
            self.call()
        else:
            self.client.emptied()

    def let_go(self, turn: Turn) -> None:
        """If it was called, it is not any more."""
        if self._called is turn:
            self._called = None

    def call(self) -> None:
        """The next may send, if there is room. Who does not wait at the moment keeps its place."""
        if self._called is not None or self.client.is_over:
            return
        waiting = next((turn for turn in self._turns if turn.waits), None)
        # To look may send something, and so call somebody.
        if waiting is not None and self.client.looks_for_room() and self._called is None:
            self._called = waiting
            waiting.hear("room")

    def end(self) -> None:
        """The client is gone."""
        for turn in self._turns:
            if turn.waits:
                turn.hear("gone")


class Turn:
    """A place in the line of a client, kept until the end of the `with`, however often it waits."""

    __slots__ = ("_line", "_verdict")

    def __init__(self, line: Line) -> None:
        self._line = line
        # While it waits.
        self._verdict: asyncio.Future[Room] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.leave(self)

    @property
    def waits(self) -> bool:
        return self._verdict is not None and not self._verdict.done()

    def hear(self, room: Room) -> None:
        """What it waited for."""
        if self._verdict is not None:
            self._verdict.set_result(room)

    async def room(self, until_s: float = math.inf) -> Room:
        """What has come of it by then, in the loop's time, or as soon as the client reads after that.

        Where it is `room`, something is to be sent before anything is awaited, or the turn given up.
        """
        line = self._line
        while not line.client.is_over:
            line.let_go(self)
            room = await self._wait(until_s)
            if room != "room" or line.client.looks_for_room():  # others than those in line may have sent since
                return room
        return "gone"

    async def _wait(self, until_s: float) -> Room:
        loop, line = asyncio.get_running_loop(), self._line
        verdict = self._verdict = loop.create_future()
        line.call()
        try:
            while not verdict.done():
                timeout_s = None if until_s == math.inf else max(0.0, until_s - loop.time())
                await asyncio.wait((verdict,), timeout=timeout_s)
                if line.client.has_read_lately:
                    break
                until_s = loop.time() + line.look_s
            return verdict.result() if verdict.done() else "slow"
        finally:
            self._verdict = None
