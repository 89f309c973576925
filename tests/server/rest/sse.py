"""A client of Server-Sent Events: connects, and reads messages as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import ClientResponse

from tests.server.world import User, World

DEADLINE_S = 5.0


@dataclass
class Said:
    """A message: its `event`, its `data` and the `id` that came with it."""

    event: str
    data: Any
    id: str | None


@dataclass
class Listener:
    """An open connection."""

    response: ClientResponse
    # What came so far, oldest first; comments are counted only.
    said: list[Said] = field(default_factory=list)
    comments: int = 0

    async def next(self) -> Said | None:
        """The next message; None at the end. Raises TimeoutError."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE_S):
            async for raw in self.response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    self.said.append(Said(fields["event"], orjson.loads(fields["data"]), fields.get("id")))
                    return self.said[-1]
        return None

    async def seqs(self, until: int) -> list[int]:
        """The seqs of the entries up to this one."""
        found: list[int] = []
        while not found or found[-1] < until:
            said = await self.next()
            assert said is not None, self.said
            assert said.event == "entry", said
            found.append(said.data["seq"])
        return found


@asynccontextmanager
async def listening(world: World, user: User, path: str, **headers: str) -> AsyncIterator[Listener]:
    """A connection that was answered."""
    asked = {**user.auth, "Accept": "text/event-stream", **headers}
    async with world.http.get(path, headers=asked) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        yield Listener(response)
