"""Engine.IO v4 over WebSocket on engineio's seams, without its queue, its writer task and its tasks per packet.

What is overridden, and why, stands here: stock creates two tasks, a timer and a queue entry per packet,
never bounds that queue, compresses per recipient, and keeps a dead connection's tasks pinned. Here a packet out is a
`transport.write`, a packet in is a plain call, and the connection's end is reached in one `finally`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import engineio
from aiohttp import WebSocketError, WSMessage, WSMsgType, web

from protocol.errors import Rejected
from server.addresses import address_of
from server.gateway.doors import TOO_MANY_OF_ADDRESS, Doors
from server.gateway.frames import PING_FRAME, close_frame, open_frame, pong_frame
from server.gateway.limits import GatewayLimits
from server.gateway.outlet import EndOfTick, Outlet
from server.gateway.parsers import Parser
from server.gateway.upgrade import Upgrade

log = logging.getLogger("pantherahive.gateway")

SILENT = logging.getLogger("pantherahive.engineio")
"""For engineio's own messages: they hold tokens and whatever a client put into its URL, so they go nowhere."""
SILENT.setLevel(logging.CRITICAL + 1)

# Codes of close frames (RFC 6455 §7.4.1).
_NORMAL = 1000
_PROTOCOL_ERROR = 1002
# Never in a frame; stock takes it, and whatever lies beyond the last code that anybody may use (§7.4.2).
_ABNORMAL = 1006
_CODE_MAX = 4999
_INTERNAL_ERROR = 1011

_HANDLED = frozenset({WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG})


class Connection(Protocol):
    """What lives on top of one engine socket."""

    def received(self, message: str | bytes) -> None:
        """An Engine.IO message, without its type digit, in the form of the socket's parser. Raises BadPacket."""
        ...

    def slow(self) -> None:
        """The client asks and does not read; it has to be let go."""
        ...

    def lost(self) -> None:
        """The transport is gone; called exactly once."""
        ...


class EngineSocket(Outlet):
    """One WebSocket. Writes of one tick leave in one `write`; order of calls is order on the wire."""

    def __init__(self, sid: str, request: web.Request, limits: GatewayLimits, parser: Parser, tick: EndOfTick) -> None:
        super().__init__(request.protocol, limits, parser, tick)
        self.sid = sid
        self.remote = request.remote or ""
        self._request = request
        self._loop = asyncio.get_running_loop()
        # Set while the connection serves: what reads from it, and what lives on top of it.
        self._upgrade: Upgrade | None = None
        self._connection: Connection | None = None
        # The next ping, or the end of the wait for a pong.
        self._timer: asyncio.TimerHandle | None = None
        # While a pong is awaited: how much has to have left before one can be an answer.
        self._pong_after_bytes: int | None = None
        # Whether a message waits until its sender has read.
        self._waits = False

    async def serve(self, connect: Callable[[EngineSocket], Connection]) -> web.WebSocketResponse:
        """The life of the connection, from upgrade to loss."""
        response = self._upgrade = Upgrade(self._take, self._limits.packet_bytes_max)
        try:
            await response.prepare(self._request)
        except ConnectionError:
            return response  # lost during the handshake, which is nobody's defect
        transport = self._request.transport
        if transport is None:
            return response
        self._open(transport)
        limits = self._limits
        self.write(open_frame(self.sid, limits.ping_interval_s, limits.ping_timeout_s, limits.packet_bytes_max))
        connection = self._connection = connect(self)
        self._timer = self._loop.call_later(limits.ping_interval_s, self._ping)
        code = _NORMAL
        try:
            code = await self._receive(response, connection)
        except Exception:
            log.exception("a connection failed")
            code = _INTERNAL_ERROR
        finally:
            self._timer.cancel()
            self.close("the end", code=code)
            self._upgrade = self._connection = None
            self._release()
            connection.lost()
        return response

    def _take(self, message: str | bytes) -> bool:
        """Handles a message in the call that brought it, unless its sender does not read: then it has to wait."""
        connection = self._connection
        if connection is None or self._waits or self.is_slow:
            return False
        try:
            self._packet(message, connection)
        except Exception:
            log.exception("a connection failed")
            self.close("internal error", code=_INTERNAL_ERROR)
        return True

    async def _receive(self, response: Upgrade, connection: Connection) -> int:
        """Handles what could not be taken at once, until the end; the result is the code to close with."""
        while not self.closing:
            message = await response.receive()
            if message.type not in _HANDLED:
                return _close_code(message)
            self._waits = True  # until this one is handled none may overtake it
            if self.is_slow and not await self.drained():
                connection.slow()
            if message.type is WSMsgType.PING:
                self.write(pong_frame(message.data))
            elif message.type is not WSMsgType.PONG:
                self._packet(message.data, connection)
            self._waits = False
        return _NORMAL

    def _packet(self, message: str | bytes, connection: Connection) -> None:
        if self.closing:
            return  # what had arrived when somebody else, a token's end for example, ended the connection
        is_binary = self.parser.is_binary
        if isinstance(message, bytes):
            if is_binary:
                connection.received(message)
            else:
                self.close("no binary packets here", code=_PROTOCOL_ERROR)
            return
        kind, rest = message[:1], message[1:]
        if kind == "4" and not is_binary:
            connection.received(rest)
        elif kind == "3" and not rest:
            self._pong()
        elif kind == "2" and rest in ("", "probe"):
            self.write(b"\x81%c3%b" % (1 + len(rest), rest.encode()))
        elif kind == "1" and not rest:
            self.close("client disconnect")
        else:
            self.close("unknown packet", code=_PROTOCOL_ERROR)

    def _ping(self) -> None:
        self.write(PING_FRAME)
        self.flush()
        self._pong_after_bytes = self._queued_bytes
        self._wait_for_pong()

    def _wait_for_pong(self) -> None:
        left = self._left_bytes
        is_last = self._pong_after_bytes is None or left >= self._pong_after_bytes
        over = self.abort if is_last else partial(self._still_sending, left)
        self._timer = self._loop.call_later(self._limits.ping_timeout_s, over)

    def _still_sending(self, left_before: int) -> None:
        """The ping is behind what a slow client still reads: it is waited for as long as that goes on."""
        if self._left_bytes > left_before:
            self._wait_for_pong()
        else:
            self.abort()

    def _pong(self) -> None:
        """Only an answer counts: a client that sends pongs and reads nothing would live for ever."""
        after = self._pong_after_bytes
        if after is None or self._timer is None or self._left_bytes < after:
            return
        self._pong_after_bytes = None
        self._timer.cancel()
        self._timer = self._loop.call_later(self._limits.ping_interval_s, self._ping)

    def close(self, reason: str, code: int = _NORMAL, parting: bytes = b"") -> None:
        """Says why, then ends the connection; one that does not read what is said is cut off."""
        if self.closing:
            return
        if self._transport is not None and not self._transport.is_closing():
            self._out += [parting, close_frame(code, reason)]
            self.flush()
        self.closing, self._is_clear = True, False
        if self._transport is not None:
            transport = self._transport
            transport.close()
            if self._upgrade is not None:
                self._upgrade.end_reading()
            self._loop.call_later(self._limits.slow_follower_grace_s, transport.abort)

    def abort(self) -> None:
        """Cuts the connection off."""
        super().abort()
        if self._upgrade is not None:
            self._upgrade.end_reading()


def _close_code(message: WSMessage) -> int:
    """What to say to what was no message: a close frame is returned as it came, the rest is an error."""
    if message.type is WSMsgType.ERROR and isinstance(message.data, WebSocketError):
        return int(message.data.code)
    if message.type is WSMsgType.CLOSE and (message.data == _ABNORMAL or message.data > _CODE_MAX):
        return _PROTOCOL_ERROR
    return _NORMAL


class Engine(engineio.AsyncServer):
    """engineio with our socket: its HTTP side (origins, versions, transports) stays as it is."""

    limits: GatewayLimits
    parser: Parser
    tick: EndOfTick
    doors: Doors
    connect: Callable[[EngineSocket], Connection]
    origins: frozenset[str]

    def _cors_allowed_origins(self, environ: dict[str, Any]) -> list[str]:
        """Origins that a browser may come from: those of the settings and the server's own.

        Stock also believes X-Forwarded-Host, which any client can send.
        """
        request = environ["aiohttp.request"]
        return [*self.origins, f"{request.scheme}://{request.host}"]

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Session ids stand in no URL, so one that does is refused before anybody looks it up or logs it."""
        if "sid" in request.query:
            raise web.HTTPBadRequest(text="a session id stands in no URL")
        return await super().handle_request(request)  # type: ignore[no-any-return]

    async def _handle_connect(self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None) -> Any:
        """Stock hard-codes its socket class here, and keeps cookies and headers as long as the connection lives."""
        del transport, jsonp_index
        request = environ["aiohttp.request"]
        environ.clear()
        address = address_of(request, self.limits.trusted_proxies)
        if not self.doors.enter(address):
            raise Rejected(TOO_MANY_OF_ADDRESS)
        try:
            return await self._serve(request, address)
        finally:
            self.doors.leave(address)

    async def _serve(self, request: web.Request, address: str) -> web.WebSocketResponse:
        socket = EngineSocket(self.generate_id(), request, self.limits, self.parser, self.tick)
        socket.remote = address
        self.sockets[socket.sid] = socket
        try:
            return await socket.serve(self.connect)
        finally:
            del self.sockets[socket.sid]
