"""A client that reads no more than it is told to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from tests.server.world import World


@asynccontextmanager
async def asking(world: World, path: str, headers: Mapping[str, str]) -> AsyncIterator[asyncio.StreamReader]:
    """A connection that asks."""
    address = (str(world.http.host), int(str(world.http.port)))
    reader, writer = await asyncio.open_connection(*address, limit=20_000)
    connection: socket.socket = writer.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    lines = [f"GET {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    try:
        yield reader
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()
