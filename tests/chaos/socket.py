"""A lean Socket.IO v5 client: one WebSocket, plain calls, nothing that retries or reconnects.

Fifty of them and a server share two cores, so there is no library between the test and the wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import orjson

CONNECT_TIMEOUT_S = 10.0
MESSAGE_BYTES_MAX = 16 * 1024 * 1024


class ConnectionFailed(Exception):
    """There is no connection: nobody listens, the server refused, or it went away meanwhile."""


class Socket:
    """One connection. `on_event` gets every event of the server in the turn in which it came."""

    def __init__(self, on_event: Callable[[str, Any], None] = lambda name, body: None) -> None:
        self._on_event = on_event
        self._web: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        # Number of a request → who waits for its answer.
        self._waiting: dict[int, Callable[[Any], None]] = {}
        self._numbers = 0
        # Done when nothing more can come.
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        """Connects and signs in. Raises ConnectionFailed."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._web = await http.ws_connect(
                    f"{url}/socket.io/?EIO=4&transport=websocket", max_msg_size=MESSAGE_BYTES_MAX, compress=0
                )
                await self._shake_hands(self._web, token)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await self.close()
            raise ConnectionFailed(str(error)) from error
        self._reader = asyncio.create_task(self._read(self._web), name="socket")

    async def _shake_hands(self, web: aiohttp.ClientWebSocketResponse, token: str) -> None:
        await web.receive()
        await web.send_str("40" + orjson.dumps({"token": token}).decode())
        answer = await web.receive()
        if answer.type is not aiohttp.WSMsgType.TEXT or not answer.data.startswith("40"):
            raise aiohttp.ClientError(f"CONNECT was answered with {answer.data!r}")

    async def _read(self, web: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in web:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._take(web, message.data)
        finally:
            self._is_lost()

    def _is_lost(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    async def _take(self, web: aiohttp.ClientWebSocketResponse, text: str) -> None:
        if text == "2":
            try:
                await web.send_str("3")
            except (aiohttp.ClientError, OSError):
                return  # it was lost meanwhile; what is still to be read is read
        elif text.startswith("43"):
            number, _, rest = text[2:].partition("[")
            answered = self._waiting.pop(int(number), None)
            if answered is not None:
                answered(orjson.loads("[" + rest)[0])
        elif text.startswith("42"):
            name, body = orjson.loads(text[2:])
            self._on_event(name, body)

    async def ask(self, event: str, payload: Mapping[str, Any], answered: Callable[[Any], None]) -> None:
        """Sends a request; `answered` is called when its answer comes, however late. Raises ConnectionFailed."""
        if self._web is None or self.lost.done():
            raise ConnectionFailed("the connection is lost")
        self._numbers += 1
        self._waiting[self._numbers] = answered
        try:
            await self._web.send_str(f"42{self._numbers}" + orjson.dumps([event, payload]).decode())
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionFailed(str(error)) from error

    async def close(self) -> None:
        """Ends the connection; nothing is called any more."""
        self._is_lost()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
        if self._web is not None:
            await self._web.close()
