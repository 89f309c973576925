"""The whole state for a client that has fallen too far behind: each record once, instead of every entry it missed."""

from __future__ import annotations

from actors.runtime.feeds import State
from actors.runtime.hub import Following
from protocol.wire import RESET, ResetMessage
from server.gateway.hall import Hall
from server.gateway.parsers import Parser


class Conflation:
    """Of one connection. Fits `server.gateway.delivery.States`."""

    def __init__(self, hall: Hall, parser: Parser) -> None:
        self._hall = hall
        self._parser = parser

    async def size_bytes(self, following: Following) -> int | None:
        """See the port. Raises StorageFault."""
        kept_bytes = self._hall.snapshots.kept_bytes(self._parser, following.hub.stream)
        if kept_bytes is not None:
            return kept_bytes
        state = await self._state(following)
        return None if state is None else sum(map(len, await self._encoded(following, state)))

    def promised(self) -> None:
        """See the port."""
        self._hall.meters.conflation_promised()

    async def frames(self, following: Following) -> list[bytes] | int | None:
        """See the port. Raises StorageFault."""
        state = await self._state(following)
        if state is None:
            return None
        frames = await self._encoded(following, state)
        size_bytes = sum(map(len, frames))
        if size_bytes >= following.missed_bytes or not following.pass_over(state.cursor):
            return size_bytes
        self._hall.meters.conflated()
        stream, cursor = following.hub.stream, str(state.cursor)
        reset = ResetMessage(stream=stream, cursor=cursor, parts=len(frames), reason="behind")
        return [self._parser.event(RESET, reset), *frames]

    async def _state(self, following: Following) -> State | None:
        hall = self._hall
        return await hall.feeds.state_for(following, hall.clock.monotonic_s() + hall.limits.command_deadline_s)

    async def _encoded(self, following: Following, state: State) -> list[bytes]:
        return await self._hall.snapshots.of(self._parser, following.hub.stream, state.cursor, state.parts)
