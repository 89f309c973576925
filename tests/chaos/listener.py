"""A socket that takes down everything that it hears of one stream, and can stop reading."""

from __future__ import annotations

import asyncio
import socket as sockets
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import aiohttp

from tests.chaos.socket import Socket

ANSWER_TIMEOUT_S: Final = 60.0
SMALL_BUFFER_BYTES: Final = 16 * 1024


class Heard(NamedTuple):
    """One event of the stream: when, which, the seqs of its entries or the users it names."""

    at_s: float
    name: str
    seqs: tuple[int, ...]
    users: frozenset[str]


class Listener(Socket):
    """`pause` stops reading as a client does whose machine sleeps: the server's bytes stay on the way."""

    def __init__(self, stream: str) -> None:
        super().__init__(self._take_down)
        self._stream = stream
        self.heard: list[Heard] = []
        self._reads = asyncio.Event()
        self._reads.set()
        # Set when the server says that nothing more comes of the stream.
        self.closed = asyncio.Event()

    def pause(self) -> None:
        """Reads nothing more; what was read by the library already waits, too."""
        self._reads.clear()

    def read_on(self) -> None:
        self._reads.set()

    async def _take(self, web: aiohttp.ClientWebSocketResponse, text: str) -> None:
        await self._reads.wait()
        await super()._take(web, text)

    def _take_down(self, name: str, body: Any) -> None:
        told = self._stream in body["heads"] if name == "heads" else body.get("stream") == self._stream
        if not told:
            return
        seqs = tuple(entry["seq"] for entry in body.get("entries", ()))
        users = frozenset(user["userId"] for user in body.get("present", ()))
        self.heard.append(Heard(time.monotonic(), name, seqs, users))
        if name == "closed":
            self.closed.set()

    @property
    def seqs(self) -> list[int]:
        """Of all entries that it has heard."""
        return [seq for one in self.heard for seq in one.seqs]

    async def request(self, event: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The answer. Raises ConnectionFailed, TimeoutError."""
        answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        await self.ask(event, payload, answered.set_result)
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            return await answered

    async def join(self, cursor: str | None = None) -> dict[str, Any]:
        """Follows its stream."""
        return await self.request("join", {"stream": self._stream} | ({"cursor": cursor} if cursor else {}))


def small_buffers() -> aiohttp.TCPConnector:
    """Connections that hold little on the way, so that a client that does not read is soon behind."""

    def make(address: Any) -> sockets.socket:
        family, kind, protocol, *_ = address
        made = sockets.socket(family, kind, protocol)
        made.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, SMALL_BUFFER_BYTES)
        return made

    return aiohttp.TCPConnector(limit=0, socket_factory=make)
