"""Engine.IO v4 over WebSocket on engineio's seams: its HTTP side stays, its sockets are ours.

What is overridden, and why, stands here; what a socket does otherwise than stock's, in `server.gateway.engine_socket`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, NoReturn

import engineio
from aiohttp import web

from protocol.errors import ErrorCode, Rejected, Rejection
from server.addresses import address_of
from server.farewells import Farewells
from server.gateway.doors import TOO_MANY_OF_ADDRESS, Doors
from server.gateway.engine_socket import Connection, EngineSocket
from server.gateway.limits import GatewayLimits
from server.gateway.outlet import EndOfTick
from server.gateway.parsers import Parser
from server.gateway.turns import Turns
from server.gateway.upgrade import Upgrade, check_handshake, check_origin, take_over

SILENT = logging.getLogger("pantherahive.engineio")
"""For engineio's own messages: they hold tokens and whatever a client put into its URL, so they go nowhere."""
SILENT.setLevel(logging.CRITICAL + 1)

SESSION_ID_IN_URL: Final = Rejection(ErrorCode.INVALID, "a session id stands in no URL")
NO_HANDSHAKE: Final = Rejection(ErrorCode.INVALID, "this is no handshake of Engine.IO 4 over WebSocket")
_REFUSALS: Final[dict[str, Rejection]] = {
    "Invalid transport": Rejection(ErrorCode.INVALID, "the only transport here is websocket"),
    "The client is using an unsupported version of the Socket.IO or Engine.IO protocols": Rejection(
        ErrorCode.INVALID, "the only version of Engine.IO here is 4 (Socket.IO 3 and 4, protocol 5)"
    ),
}
"""What stock says of a handshake, and what we do."""


class Engine(engineio.AsyncServer):
    """engineio with our socket: its HTTP side (versions, transports) stays as it is, but for what it answers."""

    limits: GatewayLimits
    parser: Parser
    tick: EndOfTick
    turns: Turns
    farewells: Farewells
    doors: Doors
    connect: Callable[[EngineSocket], Connection]
    emptied: Callable[[], None]
    origins: frozenset[str]

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Session ids stand in no URL, so one that does is refused before anybody looks it up or logs it.

        So is what is no handshake of WebSocket, or comes from a foreign page: see `server.gateway.upgrade`.
        """
        if "sid" in request.query:
            raise Rejected(SESSION_ID_IN_URL)
        check_handshake(request)
        check_origin(request, self.origins)
        return await super().handle_request(request)  # type: ignore[no-any-return]

    def _bad_request(self, message: str | None = None) -> NoReturn:
        """Stock answers with a text for those who read its source; here it is a refusal like every other."""
        raise Rejected(_REFUSALS.get(message or "", NO_HANDSHAKE))

    def _method_not_found(self) -> NoReturn:
        """HEAD, which has a route like GET."""
        raise Rejected(NO_HANDSHAKE)

    async def _handle_connect(self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None) -> Any:
        """Stock hard-codes its socket class here, and keeps cookies and headers as long as the connection lives."""
        del transport, jsonp_index
        request = environ["aiohttp.request"]
        environ.clear()
        address = address_of(request, self.limits.trusted_proxies)
        if not self.doors.enter(address):
            raise Rejected(TOO_MANY_OF_ADDRESS)
        upgrade, handed = Upgrade(), None
        try:
            await upgrade.prepare(request)
            handed = take_over(request)
        except ConnectionError:
            pass  # lost during the handshake, which is nobody's defect
        finally:
            if handed is None:
                self.doors.leave(address)
        if handed is not None:
            socket = EngineSocket(self.generate_id(), address, self)
            self.sockets[socket.sid] = socket
            socket.serve(handed, self.connect)
        return upgrade

    def left(self, socket: EngineSocket) -> None:
        """A socket is over."""
        del self.sockets[socket.sid]
        self.doors.leave(socket.remote)
        if not self.sockets:
            self.emptied()
