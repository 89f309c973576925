"""Somebody who reads, how long that takes, and how long it keeps others waiting."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

import aiohttp
import orjson
from yarl import URL

from benchmarks.figures import median
from benchmarks.product import Product

ROUNDS = 5
_PING_EVERY_S = 0.005
_PART = re.compile(r'"part":(\d+),"parts":(\d+)')


@dataclass(slots=True)
class Reading:
    """One read: how long it took, what came, and the longest that somebody else waited meanwhile."""

    seconds: float
    bytes: int
    ping_s: float


class Reader:
    """A person with one HTTP connection for reading and another one that asks all the while whether anybody answers."""

    def __init__(self, product: Product, token: str, http: aiohttp.ClientSession) -> None:
        self.product = product
        self.token = token
        self.http = http

    async def get(self, path: str) -> tuple[bytes, str | None]:
        """The body, and the address of the next page. Raises RuntimeError for anything but 200."""
        async with self.http.get(self.product.url + path) as answer:
            body = await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
            link = answer.links.get("next")
            return body, URL(str(link["url"])).path_qs if link is not None else None

    async def pages(self, path: str) -> int:
        """All pages, one after the other: their bytes."""
        size, place = 0, path
        while place:
            body, following = await self.get(place)
            size, place = size + len(body), following or ""
        return size

    async def one(self, path: str) -> int:
        """One answer: its bytes."""
        return len((await self.get(path))[0])

    async def joined(self, stream: str) -> int:
        """Follows a stream without a cursor, until its whole state is there: the bytes of all messages."""
        size = 0
        async with self.http.ws_connect(
            f"{self.product.url}/socket.io/?EIO=4&transport=websocket", max_msg_size=0
        ) as ws:
            await ws.receive_str()
            await ws.send_str("40" + orjson.dumps({"token": self.token}).decode())
            await ws.receive_str()
            await ws.send_str("420" + orjson.dumps(["join", {"stream": stream}]).decode())
            while True:
                text = await ws.receive_str()
                size += len(text)
                if text.startswith('42["snapshot"') and (part := _PART.search(text)) and part[1] == part[2]:
                    return size

    async def reading(self, read: Callable[[], Awaitable[int]], rounds: int = ROUNDS) -> Reading:
        """The median of several rounds, with the longest wait of anybody else in all of them."""
        times: list[float] = []
        size = 0
        async with self._pinging() as pings:
            for _ in range(rounds):
                began_s = perf_counter()
                size = await read()
                times.append(perf_counter() - began_s)
        return Reading(median(times), size, max(pings))

    @asynccontextmanager
    async def _pinging(self) -> AsyncIterator[list[float]]:
        waits: list[float] = []
        begun = asyncio.Event()

        async def ping() -> None:
            async with aiohttp.ClientSession() as http:
                while True:
                    began_s = perf_counter()
                    async with http.get(f"{self.product.url}/healthz") as answer:
                        await answer.read()
                    waits.append(perf_counter() - began_s)
                    begun.set()
                    await asyncio.sleep(_PING_EVERY_S)

        task = asyncio.create_task(ping())
        await begun.wait()
        try:
            yield waits
        finally:
            task.cancel()


@asynccontextmanager
async def open_reader(product: Product, token: str) -> AsyncIterator[Reader]:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        yield Reader(product, token, http)
