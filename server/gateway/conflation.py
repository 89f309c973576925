"""The whole state for a client that has fallen too far behind: each record once, instead of every entry it missed."""

from __future__ import annotations

from actors.runtime.hub import Following
from protocol.cursors import Cursor
from protocol.event import Principal
from protocol.wire import RESET, ResetMessage
from server.gateway.hall import Hall
from server.gateway.loads import NoRoom
from server.gateway.parsers import Parser
from server.gateway.snapshots import HeldState


class Conflation:
    """Of one connection. Fits `server.gateway.delivery.States`. While too many states are on their way, there is none
    to be had: the entries that were missed take no room."""

    def __init__(self, hall: Hall, parser: Parser, principal: Principal) -> None:
        self._hall = hall
        self._parser = parser
        self._principal = principal

    async def size_bytes(self, following: Following) -> int | None:
        """See the port. Raises StorageFault."""
        kept_bytes = self._hall.snapshots.kept_bytes(self._parser, following.hub.stream)
        if kept_bytes is not None:
            return kept_bytes
        held = await self._hold(following)
        if held is None:
            return None
        _, state = held
        state.release()
        return state.size_bytes

    def promised(self) -> None:
        """See the port."""
        self._hall.meters.conflation_promised()

    async def state(self, following: Following) -> HeldState | int | None:
        """See the port. Raises StorageFault."""
        held = await self._hold(following)
        if held is None:
            return None
        point, state = held
        if state.size_bytes >= following.missed_bytes or not following.pass_over(point):
            state.release()
            return state.size_bytes
        self._hall.meters.conflated()
        stream, cursor = following.hub.stream, str(point)
        reset = ResetMessage(stream=stream, cursor=cursor, parts=len(state.frames), reason="behind")
        state.begin_with(self._parser.event(RESET, reset))
        return state

    async def _hold(self, following: Following) -> tuple[Cursor, HeldState] | None:
        """The state as of now."""
        hall = self._hall
        state = await hall.feeds.state_for(following, hall.clock.monotonic_s() + hall.limits.command_deadline_s)
        if state is None:
            return None
        stream, cursor = following.hub.stream, state.cursor
        try:
            return cursor, await hall.snapshots.hold(self._parser, stream, cursor, state.parts, self._principal)
        except NoRoom:
            return None
