"""One connection of Engine.IO v4 over WebSocket, without stock's queue, its writer task and its tasks per packet.

Stock creates two tasks, a timer and a queue entry per packet, never bounds that queue, compresses per recipient, and
keeps a dead connection's tasks pinned. Here a packet out is a `transport.write`, a packet in is a plain call, a
connection that has nothing to say has no task, and its end is reached in one place.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType

from server.farewells import Farewells
from server.gateway.frames import PING_FRAME, close_frame, open_frame, pong_frame
from server.gateway.limits import GatewayLimits
from server.gateway.link import Link
from server.gateway.outlet import EndOfTick, Outlet
from server.gateway.parsers import Parser
from server.gateway.turns import Turns
from server.gateway.upgrade import Handed
from server.tcp import ended_half

log = logging.getLogger("pantherahive.gateway")

PARTING_S: Final = 1.0
"""How long a client that was told that its connection ends may take to end it."""
_ON_ITS_WAY: Final = 0.1
"""Share of the time for a pong in which the kernel of a client that keeps up has acknowledged the ping."""

# Codes of close frames (RFC 6455 §7.4.1).
_NORMAL = 1000
_PROTOCOL_ERROR = 1002
# Never in a frame; stock takes it, and whatever lies beyond the last code that anybody may use (§7.4.2).
_ABNORMAL = 1006
_CODE_MAX = 4999
_INTERNAL_ERROR = 1011

# What a client is told of its frames, by the code.
_WRONG_FRAMES: Final[dict[int, str]] = {
    WSCloseCode.MESSAGE_TOO_BIG: "packet too large",
    WSCloseCode.INVALID_TEXT: "text that is no UTF-8",
}
_NO_FRAME = "a frame that a client may not send"


class Connection(Protocol):
    """What lives on top of one engine socket."""

    def received(self, message: str | bytes) -> None:
        """An Engine.IO message, without its type digit, in the form of the socket's parser. Raises BadPacket."""
        ...

    def bad_packet(self, why: str) -> None:
        """The client has sent what is no packet, so it is being let go; `why` holds nothing of it."""
        ...

    def slow(self) -> None:
        """The client reads nothing, or a state too slowly, so it is being cut off."""
        ...

    def lost(self) -> None:
        """The transport is gone; called exactly once."""
        ...


class Entrance(Protocol):
    """Where sockets come from, and what they share (`server.gateway.engine.Engine`)."""

    limits: GatewayLimits
    parser: Parser
    tick: EndOfTick
    turns: Turns
    farewells: Farewells

    def left(self, socket: EngineSocket) -> None:
        """The connection is over; called exactly once."""
        ...


class EngineSocket(Outlet):
    """One WebSocket. Writes of one tick leave in one `write`; order of calls is order on the wire."""

    __slots__ = (
        *("sid", "remote", "_entrance", "_loop", "_link", "_connection"),
        *("_timer", "_pong_after_bytes", "_waiting", "_has_ended"),
    )

    def __init__(self, sid: str, remote: str, entrance: Entrance) -> None:
        self._link = Link(self, entrance.limits.packet_bytes_max, entrance.turns)
        self._link.limit_packets(entrance.limits.connect_packet_bytes_max)
        super().__init__(entrance.limits, entrance.parser, entrance.tick)
        self.sid = sid
        self.remote = remote
        self._entrance = entrance
        self._loop = asyncio.get_running_loop()
        # What lives on top of it, while it serves.
        self._connection: Connection | None = None
        # The next ping, or the end of the wait for a pong; once it closes, the end of the wait for its client to read.
        self._timer: asyncio.TimerHandle | None = None
        # While a pong is awaited: how much has to be read before one can be an answer.
        self._pong_after_bytes: int | None = None
        # The task that handles messages whose sender has to read first.
        self._waiting: asyncio.Task[None] | None = None
        # Whether nothing of it is left.
        self._has_ended = False

    def serve(self, handed: Handed, connect: Callable[[EngineSocket], Connection]) -> None:
        """Greets, and handles from now on what comes, until the connection is lost."""
        self._open(handed.transport)
        limits = self._limits
        self.write(open_frame(self.sid, limits.ping_interval_s, limits.ping_timeout_s, limits.packet_bytes_max))
        self._connection = connect(self)
        self._timer = self._loop.call_later(limits.ping_interval_s, self._ping)
        self._link.begin(handed)

    def let_in(self) -> None:
        """It is known who this is. Until then it may send no more than that takes: to read much takes much time."""
        self._link.limit_packets(self._limits.packet_bytes_max)

    # — from the link ————————————————————————————————————————————————————————————————————————————————

    def take(self, message: WSMessage) -> bool:
        """Handles a message in the call that brought it, unless its sender does not read: then it has to wait."""
        if self._waiting is not None:
            return False
        if self.is_slow:
            self._waiting = asyncio.create_task(self._handle_waiting(), name="wait for a sender")
            return False
        self._handle(message)
        return True

    def broken(self, error: BaseException) -> None:
        """See the port."""
        if isinstance(error, WebSocketError):
            self._refuse(str(error), _WRONG_FRAMES.get(error.code, _NO_FRAME), int(error.code))
        else:
            log.error("a connection's frames could not be read", exc_info=error)
            self.close("the end", code=_INTERNAL_ERROR)

    def _refuse(self, why: str, reason: str, code: int = _PROTOCOL_ERROR) -> None:
        """Lets a client go that has sent what is no packet. `reason` is for the client, `why` for the log."""
        if self._connection is not None and not self.closing:
            self._connection.bad_packet(why)
        self.close(reason, code=code)

    def hung_up(self) -> None:
        """See the port. As little as possible, and nothing more is sent: to write to who is gone takes long."""
        self.closing, self._is_clear = True, False
        self._entrance.farewells.add(self._shut)

    def _shut(self, *, after_client: bool = False) -> None:
        """Closes the transport, perhaps only after the client has; who does not read what is in it is cut off."""
        if self._timer is not None:
            self._timer.cancel()
        transport = self._transport
        if transport is None:
            return
        if after_client and ended_half(transport):
            self._timer = self._loop.call_later(PARTING_S, self._shut)
            return
        transport.close()
        self._timer = self._loop.call_later(self._limits.slow_follower_grace_s, transport.abort)

    def lost(self) -> None:
        """See the port. As little as possible: thousands may be lost in one turn of the loop."""
        self.closing, self._is_clear = True, False
        self._entrance.farewells.add(self._gone)

    def _gone(self) -> None:
        """The transport is gone. Until then it holds a place, however long ago it was told to close."""
        if self._timer is not None:
            self._timer.cancel()
        self._link.release()
        try:
            self._end()
        finally:
            self._entrance.left(self)

    def _end(self) -> None:
        """Lets go of what lives on top; a second time does nothing."""
        if self._has_ended:
            return
        self._has_ended = True
        self._release()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.lost()

    # — messages —————————————————————————————————————————————————————————————————————————————————————

    async def _handle_waiting(self) -> None:
        """Handles what had to wait as its sender reads, a slice at a time; one that reads nothing is let go."""
        ends_s = time.perf_counter() + self._limits.read_slice_s
        try:
            while not self.closing:
                if self.is_slow and not await self.drained():
                    return
                if time.perf_counter() >= ends_s:
                    await asyncio.sleep(0)
                    ends_s = time.perf_counter() + self._limits.read_slice_s
                message = await self._link.next()
                if message is None:
                    break
                self._handle(message)
            if not self.closing and (error := self._link.error) is not None:
                self.broken(error)
        finally:
            self._waiting = None

    def give_up(self) -> None:
        """See the port."""
        if not self.closing and self._connection is not None:
            self._connection.slow()
        self.abort()

    def _handle(self, message: WSMessage) -> None:
        connection = self._connection
        if connection is None or self.closing:
            return  # what had arrived when somebody else, a token's end for example, ended the connection
        try:
            if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                self._packet(message.data, connection)
            elif message.type is WSMsgType.PING:
                self.write(pong_frame(message.data))
            elif message.type is WSMsgType.CLOSE:
                self.close("the end", code=_close_code(message.data))
        except Exception:
            log.exception("a connection failed")
            self.close("internal error", code=_INTERNAL_ERROR)

    def _packet(self, message: str | bytes, connection: Connection) -> None:
        is_binary = self.parser.is_binary
        if isinstance(message, bytes):
            if is_binary:
                connection.received(message)
            else:
                self._refuse("a binary frame", "no binary packets here")
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
            self._refuse("no packet of Engine.IO", "unknown packet")

    def _ping(self) -> None:
        if self.closing:
            return
        self.write(PING_FRAME)
        self.flush()
        self._pong_after_bytes = self.read_bytes + self.unread_bytes - self.out_bytes  # those come behind it
        # Whether the client is behind shows only when its kernel has had the time to acknowledge the ping itself.
        on_its_way_s = self._limits.ping_timeout_s * _ON_ITS_WAY
        left_s = self._limits.ping_timeout_s - on_its_way_s
        self._timer = self._loop.call_later(on_its_way_s, self._wait_for_pong, left_s)

    def _wait_for_pong(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._still_silent, self.read_bytes)

    def _still_silent(self, read_before: int) -> None:
        """The ping is behind what a slow client still reads: it is waited for as long as that goes on.

        What it has acknowledged may wait in its own kernel, so as long as there is more it may be at that.
        """
        after, read_bytes = self._pong_after_bytes, self.read_bytes
        was_behind = after is not None and read_before < after
        if read_bytes > read_before and (was_behind or self.unread_bytes):
            self._wait_for_pong(self._limits.ping_timeout_s)
        else:
            self.abort()

    def _pong(self) -> None:
        """Only an answer counts: a client that sends pongs and reads nothing would live for ever."""
        after = self._pong_after_bytes
        if after is None or self._timer is None or self.read_bytes < after:
            return
        self._pong_after_bytes = None
        self._timer.cancel()
        self._timer = self._loop.call_later(self._limits.ping_interval_s, self._ping)

    # — the end ——————————————————————————————————————————————————————————————————————————————————————

    def close(self, reason: str, code: int = _NORMAL, parting: bytes = b"", *, after_client: bool = False) -> None:
        """Says why, then ends the connection; one that does not read what is said is cut off.

        Nothing more is taken or written; the rest is done among the other ends: thousands may part in one turn.

        `after_client`: it may be sending. Were it closed with something unread, its kernel would be told to forget what
        it has not read yet, the last acks and the reason among it; so it gets a moment to end the connection itself.
        """
        if self.closing:
            return
        self._held = None  # whoever has so much to read is only told why it ends
        self.flush()
        self.closing, self._is_clear = True, False
        self._entrance.farewells.add(partial(self._part, parting + close_frame(code, reason), after_client))

    def _part(self, parting: bytes, after_client: bool) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            self._is_clear = self._has_sent_all  # to the kernel now: our half may be ended next
            self._send(parting)
            self._is_clear = False
        self._shut(after_client=after_client)
        self._end()


def _close_code(said: int) -> int:
    """What to answer to a close frame that holds this code, or 0 for none."""
    return _PROTOCOL_ERROR if said == _ABNORMAL or said > _CODE_MAX else _NORMAL
