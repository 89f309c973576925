"""aiohttp's WebSocket, read in the call in which bytes arrive and ended by its owner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

from aiohttp import WSMsgType, web
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol

from server.gateway.strict_reader import StrictReader

Take: TypeAlias = Callable[[str | bytes], bool]

_MESSAGES = frozenset({WSMsgType.TEXT, WSMsgType.BINARY})
_QUEUE_BYTES = 65_536
"""Messages that wait for their reader before the socket is no longer read from."""


class Inbox(WebSocketDataQueue):
    """Offers messages to their taker at once; what the taker does not want now, and all else, waits in stock's queue.

    Stock wakes the reader's task for every message, which costs a command more than its decoding.
    """

    def __init__(self, protocol: BaseProtocol, take: Take, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(protocol, _QUEUE_BYTES, loop=loop)
        self._take = take

    def feed_data(self, data: Any, size: int) -> None:
        """See stock. Nothing overtakes what waits."""
        if data.type in _MESSAGES and not self._buffer and self._take(data.data):
            return
        super().feed_data(data, size)


class Upgrade(web.WebSocketResponse):
    """`take(message)` handles a message, or returns False to have it from `receive` later; it must not raise.

    It writes nothing by itself once it is prepared: pings, too, are for whoever receives.
    """

    def __init__(self, take: Take, packet_bytes_max: int) -> None:
        super().__init__(compress=False, max_msg_size=packet_bytes_max, autoping=False)
        self._take = take

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: Any) -> None:
        """As stock, but for queue and reader, which stock hard-codes, and the heartbeat, which is the engine's."""
        if self._loop is None:
            raise RuntimeError("not on a loop")
        self._ws_protocol = protocol
        self._writer = writer
        self._reader = Inbox(request.protocol, self._take, self._loop)
        self._parser = StrictReader(self._reader, self._max_msg_size)
        request.protocol.set_parser(self._parser)
        request.protocol.keep_alive(False)

    def end_reading(self) -> None:
        """Whoever waits in `receive` gets the end, after what had arrived."""
        if self._reader is not None:
            self._reader.feed_eof()

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        """The end is the engine's: after a broken frame stock waits, without a limit, until a peer that may not read
        has taken what was sent before, and the session would stay as long."""
        del code, message, drain
        return False
