"""The whole state for a client that has fallen too far behind: each record once, instead of every entry it missed."""

from __future__ import annotations

from actors.runtime.feeds import Conflated
from actors.runtime.hub import Following
from protocol.wire import RESET, ResetMessage
from server.gateway.hall import Hall
from server.gateway.parsers import Parser


class Conflation:
    """Of one connection. Fits `server.gateway.delivery.States`."""

    def __init__(self, hall: Hall, parser: Parser) -> None:
        self._hall = hall
        self._parser = parser

    async def frames(self, following: Following) -> list[bytes] | int:
        """See the port. Raises StorageFault."""
        hall, stream = self._hall, following.hub.stream
        deadline_s = hall.clock.monotonic_s() + hall.limits.command_deadline_s
        conflated = await hall.feeds.conflate(following, deadline_s)
        if not isinstance(conflated, Conflated):
            return conflated
        frames = await hall.snapshots.of(self._parser, stream, conflated.cursor, conflated.parts)
        hall.meters.conflated()
        reset = ResetMessage(stream=stream, cursor=str(conflated.cursor), parts=len(frames), reason="behind")
        return [self._parser.event(RESET, reset), *frames]
