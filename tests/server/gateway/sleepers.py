"""Clients that read late, little or never, and what makes them slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from protocol.tasks import CreateTask
from server.gateway.session import Session
from tests.server.gateway.hive import ADMIN_TOKEN, LONG_PINGS, Hive, eventually
from tests.server.gateway.raw import RawClient

BUFFER_BYTES = 200_000
ENTRY_BYTES = 20_000
SMALL = replace(
    LONG_PINGS,
    transport_buffer_max_bytes=BUFFER_BYTES,
    send_buffer_bytes=8192,
    entries_packet_bytes_max=30_000,
    slow_follower_grace_s=0.3,
)

Scenario = Callable[[], Awaitable[None]]


async def a_sleeper(hive: Hive, stream: str | None, token: str = ADMIN_TOKEN) -> tuple[RawClient, Session]:
    """A client that has sent its join and reads no more, with its session."""
    before = set(hive.gateway._entered)
    client = await RawClient.entered(hive.url, token)
    [session] = set(hive.gateway._entered) - before
    if stream is not None:
        await client.emit(0, "join", {"stream": stream, "cursor": "0.0"})
        await eventually(lambda: stream in session.places.deliveries)
    return client, session


async def write(hive: Hive, stream: str) -> int:
    """One large entry; its seq."""
    return (await hive.send(stream, CreateTask(title="x", description="d" * ENTRY_BYTES))).cursor.seq


async def stuff(hive: Hive, stream: str, session: Session) -> int:
    """Writes until the client counts as slow, or is behind because it is; the newest seq."""
    delivery = session.places.deliveries.get(stream)
    if delivery is not None:
        await eventually(lambda: delivery.is_live)
    seq = 0
    while not session.socket.is_slow and (delivery is None or delivery.is_live):
        seq = await write(hive, stream)
    return seq


async def to_the_end(raw: RawClient) -> None:
    """Reads what the kernel still has. Raises ConnectionResetError when it was told to forget the rest."""
    while await asyncio.get_running_loop().sock_recv(raw.raw, 1 << 16):
        pass


async def read_little(raw: RawClient, size: int = 500) -> None:
    """What is far less than is sent, in a while."""
    raw._rest += await asyncio.get_running_loop().sock_recv(raw.raw, size)
    await asyncio.sleep(0.01)  # a client's own pace
