"""The way into one connection: frames are read in the call in which their bytes arrive, without a task."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

from aiohttp import WSMessage
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol

from server.gateway.strict_reader import StrictReader
from server.gateway.turns import Turns
from server.gateway.upgrade import Handed

_QUEUE_BYTES = 65_536
"""Messages that wait for their taker before the socket is no longer read from."""

_PIECE_BYTES: Final = 4096
"""What is handled without a look at the clock: one to twenty commands, or 682 of the smallest frames."""


class Taker(Protocol):
    """Whom a link brings everything. Nothing of it may raise."""

    closing: bool
    """Whether it takes nothing any more."""

    def take(self, message: WSMessage) -> bool:
        """Handles a message; or returns False, to have it from `Link.next` when it likes."""
        ...

    def has_room(self) -> None:
        """There is room in the transport again (`asyncio.WriteTransport.set_write_buffer_limits`)."""
        ...

    def broken(self, error: BaseException) -> None:
        """What comes next is no frame, and nothing waits any more; nothing else will come."""
        ...

    def hung_up(self) -> None:
        """The client sends nothing more. The transport stays open until the taker closes it."""
        ...

    def lost(self) -> None:
        """The connection is gone."""
        ...


class Inbox(WebSocketDataQueue):
    """Offers messages to their taker at once; what the taker does not want now waits in stock's queue.

    Stock wakes a reader's task for every message, which costs a command more than its decoding.
    """

    def __init__(self, protocol: BaseProtocol, taker: Taker, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(protocol, _QUEUE_BYTES, loop=loop)
        self._taker = taker

    def feed_data(self, data: Any, size: int) -> None:
        """See stock. Nothing overtakes what waits."""
        if self._buffer or not self._taker.take(data):
            super().feed_data(data, size)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """See stock. Nothing overtakes what waits."""
        del exc_cause
        super().set_exception(exc)
        if not self._buffer:
            self._taker.broken(exc)


class Link(BaseProtocol):
    """A WebSocket's end of the transport.

    What comes is handled in the call that brings it, unless it is much: then in pieces, as there is time, and nothing
    more is read from the transport until then. Where many send little at once, it may be the next turn of the loop.
    """

    __slots__ = ("_has_hung_up", "_inbox", "_reader", "_rest", "_rest_at", "_taker", "_turns")

    def __init__(self, taker: Taker, packet_bytes_max: int, turns: Turns) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(loop)
        self._upgraded = True  # for stock, which would stop a parser of HTTP as well when too much waits
        self._taker = taker
        self._inbox = Inbox(self, taker, loop)
        self._reader = StrictReader(self._inbox, packet_bytes_max)
        self._turns = turns
        # What has come and is not handled from `_rest_at` on; a piece of it is next, here or when there is room.
        self._rest = b""
        self._rest_at = 0
        # Whether the client has hung up behind what is not handled yet.
        self._has_hung_up = False

    def limit_packets(self, bytes_max: int) -> None:
        """From the next frame on a message may have so many bytes, or as many as there may be at all."""
        self._reader.limit_packets(bytes_max)

    def begin(self, handed: Handed) -> None:
        """Reads from now on, first what has come already."""
        self.transport = handed.transport
        handed.transport.set_protocol(self)
        if handed.early:
            self.data_received(handed.early)
        if handed.is_paused and not self._reading_paused and not self._buffer_paused:
            handed.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._taker.closing:
            return
        if self._rest:  # little that had to wait, or a transport that could not be told to
            self._rest += data
            if not self._buffer_paused:
                self._pause_reading_for_buffer()
        elif len(data) <= _PIECE_BYTES:
            if self._turns.has_time_for(len(data)):
                self._reader.feed_data(data)
            else:  # to tell thousands of transports to wait would take longer than what they might bring
                self._rest = data
                self._turns.add(self)
        else:
            self._rest = data
            self._turns.take(self)
            if self._rest:
                self._pause_reading_for_buffer()

    def read_piece(self) -> bool:
        """See `server.gateway.turns.Reader`. A frame that has begun is one piece, however long."""
        if not self._rest or self._reading_paused:
            return False
        if self._taker.closing:
            self._rest = b""
            self._be_through()
            return False
        ends_at = self._rest_at + max(_PIECE_BYTES, self._reader.to_come)
        piece, self._rest_at = self._rest[self._rest_at : ends_at], ends_at
        is_last = ends_at >= len(self._rest)
        if is_last:
            self._rest, self._rest_at = b"", 0
        self._reader.feed_data(piece)
        if is_last:
            self._be_through()
        return not is_last and not self._reading_paused

    def _be_through(self) -> None:
        """Nothing waits any more."""
        if self._buffer_paused:
            self._resume_reading_for_buffer()
        if self._has_hung_up:
            self._taker.hung_up()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """See stock: the inbox has room again."""
        super().resume_reading(resume_parser)
        if self._rest:
            self._turns.add(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._taker.has_room()

    async def next(self) -> WSMessage | None:
        """What waits the longest; None: nothing does."""
        return await self._inbox.read() if self._inbox._buffer else None  # type: ignore[return-value]  # texts are text

    @property
    def error(self) -> BaseException | None:
        """What has come was no frame."""
        return self._inbox.exception()

    def eof_received(self) -> bool:
        """Keeps the transport open: where thousands hang up at once, to close them all takes a loop's turn too long."""
        if self._rest and not self._taker.closing:
            self._has_hung_up = True
        else:
            self._taker.hung_up()
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._rest = b""
        self._taker.lost()

    def release(self) -> None:
        """Lets go of everything, once it is lost: it leads in a circle, which only the collector would find."""
        del self._reader, self._inbox, self._taker
