"""Engine.IO v4 over WebSocket on engineio's seams, without its queue, its writer task and its tasks per packet.

What is overridden, and why, stands in GATEWAY's table: stock creates two tasks, a timer and a queue entry per packet,
never bounds that queue, compresses per recipient, and keeps a dead connection's tasks pinned. Here a packet out is a
`transport.write`, a packet in is a plain call, and the connection's end is reached in one `finally`.
"""

from __future__ import annotations

import asyncio
import logging
import socket as sockets
from collections.abc import Callable
from typing import Any, Protocol

import engineio
from aiohttp import WSMsgType, web

from server.gateway.frames import PING_FRAME, close_frame, open_frame
from server.gateway.limits import GatewayLimits

log = logging.getLogger("pantherahive.gateway")

SILENT = logging.getLogger("pantherahive.engineio")
"""For engineio's own messages: they hold tokens and whatever a client put into its URL, so they go nowhere."""
SILENT.setLevel(logging.CRITICAL + 1)

_PROTOCOL_ERROR = 1002
_NORMAL = 1000


class Connection(Protocol):
    """What lives on top of one engine socket."""

    def received(self, text: str) -> None:
        """An Engine.IO message, without its type digit. Raises BadPacket."""
        ...

    def lost(self) -> None:
        """The transport is gone; called exactly once."""
        ...


class EngineSocket:
    """One WebSocket. Writes of one tick leave in one `write`; order of calls is order on the wire."""

    def __init__(self, sid: str, request: web.Request, limits: GatewayLimits) -> None:
        self.sid = sid
        self.remote = request.remote or ""
        self._request = request
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        # Frames of this tick.
        self._out: list[bytes] = []
        # Whether a flush is already on the loop's list.
        self._flushing = False
        self.closing = False
        # The next ping, or the end of the wait for a pong.
        self._timer: asyncio.TimerHandle | None = None

    async def serve(self, connect: Callable[[EngineSocket], Connection]) -> web.WebSocketResponse:
        """The life of the connection, from upgrade to loss."""
        response = web.WebSocketResponse(compress=False, max_msg_size=self._limits.packet_bytes_max, autoping=True)
        await response.prepare(self._request)
        transport = self._request.transport
        if not isinstance(transport, asyncio.Transport):
            return response
        self._transport = transport
        self._bound_kernel_buffer(transport)
        limits = self._limits
        self.write(open_frame(self.sid, limits.ping_interval_s, limits.ping_timeout_s, limits.packet_bytes_max))
        connection = connect(self)
        self._timer = self._loop.call_later(limits.ping_interval_s, self._ping)
        try:
            await self._receive(response, connection)
        finally:
            self.closing = True
            self._timer.cancel()
            connection.lost()
        return response

    def _bound_kernel_buffer(self, transport: asyncio.Transport) -> None:
        """Without this the kernel takes about 4 MB per client before a slow one is noticed."""
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, self._limits.send_buffer_bytes)

    async def _receive(self, response: web.WebSocketResponse, connection: Connection) -> None:
        while not self.closing:
            message = await response.receive()
            if message.type is not WSMsgType.TEXT:
                if message.type is WSMsgType.BINARY:
                    self.close("binary packets are not served", code=_PROTOCOL_ERROR)
                return
            kind, rest = message.data[:1], message.data[1:]
            if kind == "4":
                connection.received(rest)
            elif kind == "3" and not rest:
                self._pong()
            elif kind == "2" and rest in ("", "probe"):
                self.write(b"\x81%c3%b" % (1 + len(rest), rest.encode()))
            elif kind == "1" and not rest:
                return
            else:
                self.close("unknown packet", code=_PROTOCOL_ERROR)

    def _ping(self) -> None:
        self.write(PING_FRAME)
        self._timer = self._loop.call_later(self._limits.ping_timeout_s, self.abort)

    def _pong(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(self._limits.ping_interval_s, self._ping)

    def write(self, frame: bytes) -> None:
        """Sends a frame at the end of this tick; nothing once the connection ends."""
        if self.closing:
            return
        self._out.append(frame)
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Hands what is written to the transport, in one piece."""
        self._flushing = False
        if self._out and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._out) if len(self._out) > 1 else self._out[0])
        self._out.clear()

    @property
    def unsent_bytes(self) -> int:
        """What the transport still has to send. Frames of this tick are not counted."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    @property
    def is_slow(self) -> bool:
        return self.unsent_bytes > self._limits.transport_buffer_max_bytes

    async def drained(self) -> bool:
        """Waits until the client has read most of what was sent. False: it did not in time, or it is gone."""
        self.flush()
        if self.closing or self._transport is None or self._transport.is_closing():
            return False
        if self.unsent_bytes < self._limits.transport_buffer_max_bytes // 4:
            return True
        try:
            async with asyncio.timeout(self._limits.slow_follower_grace_s):
                await self._request.protocol._drain_helper()
        except (TimeoutError, ConnectionError):
            return False
        return not self.closing

    def close(self, reason: str, code: int = _NORMAL, parting: bytes = b"") -> None:
        """Says why, then ends the connection; one that does not read what is said is cut off."""
        if self.closing:
            return
        if parting:
            self._out.append(parting)
        self._out.append(close_frame(code, reason))
        self.flush()
        self.closing = True
        if self._transport is not None:
            transport = self._transport
            transport.close()
            self._loop.call_later(self._limits.slow_follower_grace_s, transport.abort)

    def abort(self) -> None:
        """Cuts the connection off."""
        self.closing = True
        if self._transport is not None:
            self._transport.abort()


class Engine(engineio.AsyncServer):
    """engineio with our socket: its HTTP side (origins, versions, transports) stays as it is."""

    limits: GatewayLimits
    connect: Callable[[EngineSocket], Connection]
    origins: frozenset[str]

    def _cors_allowed_origins(self, environ: dict[str, Any]) -> list[str]:
        """Origins that a browser may come from: those of the settings and the server's own.

        Stock also believes X-Forwarded-Host, which any client can send.
        """
        request = environ["aiohttp.request"]
        return [*self.origins, f"{request.scheme}://{request.host}"]

    async def _handle_connect(self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None) -> Any:
        """Stock hard-codes its socket class here. The session id stands in no URL, and no session is ever looked up."""
        del transport, jsonp_index
        socket = EngineSocket(self.generate_id(), environ["aiohttp.request"], self.limits)
        self.sockets[socket.sid] = socket
        try:
            return await socket.serve(self.connect)
        finally:
            del self.sockets[socket.sid]
