"""The way into one connection: frames are read in the call in which their bytes arrive, without a task."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from aiohttp import WSMessage
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol

from server.gateway.strict_reader import StrictReader
from server.gateway.upgrade import Handed

_QUEUE_BYTES = 65_536
"""Messages that wait for their taker before the socket is no longer read from."""


class Taker(Protocol):
    """Whom a link brings everything. Nothing of it may raise."""

    def take(self, message: WSMessage) -> bool:
        """Handles a message; or returns False, to have it from `Link.next` when it likes."""
        ...

    def has_room(self) -> None:
        """There is room in the transport again (`asyncio.WriteTransport.set_write_buffer_limits`)."""
        ...

    def broken(self, error: BaseException) -> None:
        """What comes next is no frame, and nothing waits any more; nothing else will come."""
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
    """A WebSocket's end of the transport."""

    __slots__ = ("_inbox", "_reader", "_taker")

    def __init__(self, taker: Taker, packet_bytes_max: int) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(loop)
        self._upgraded = True  # for stock, which would stop a parser of HTTP as well when too much waits
        self._taker = taker
        self._inbox = Inbox(self, taker, loop)
        self._reader = StrictReader(self._inbox, packet_bytes_max)

    def begin(self, handed: Handed) -> None:
        """Reads from now on, first what has come already."""
        self.transport = handed.transport
        handed.transport.set_protocol(self)
        if handed.early:
            self._reader.feed_data(handed.early)
        if handed.is_paused and not self._reading_paused:
            handed.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._reader.feed_data(data)

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

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._taker.lost()

    def release(self) -> None:
        """Lets go of everything, once it is lost: it leads in a circle, which only the collector would find."""
        del self._reader, self._inbox, self._taker
