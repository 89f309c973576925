"""Clients that do not read their answers."""

from __future__ import annotations

import asyncio
import logging
import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from tests.server.gateway.hive import eventually
from tests.server.listening import GET, LARGE_BYTES, PATIENT, served


@asynccontextmanager
async def asked(port: int, path: bytes) -> AsyncIterator[socket.socket]:
    """A client that has asked and reads nothing by itself."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", port))
        await loop.sock_sendall(client, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        yield client


def is_reset(client: socket.socket) -> bool:
    """Whether the connection is over although not all was read."""
    poll = select.poll()
    poll.register(client, 0)
    return bool(poll.poll(0))


@pytest.mark.parametrize("path", [b"/large", b"/left"])
async def test_who_reads_nothing_is_cut_off(caplog: pytest.LogCaptureFixture, path: bytes) -> None:
    before = asyncio.all_tasks()
    with capture_logs() as lines:
        async with served(replace(PATIENT, unread_s=0.2)) as port, asked(port, path) as client:
            await eventually(lambda: is_reset(client))
            await eventually(lambda: asyncio.all_tasks() <= before)
    assert [line["event"] for line in lines] == ["request"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_who_reads_a_little_at_a_time_gets_all() -> None:
    loop = asyncio.get_running_loop()
    async with served(replace(PATIENT, unread_s=1)) as port, asked(port, b"/left") as client:
        over_s, size = loop.time() + 2.5, 0
        while piece := await loop.sock_recv(client, 4096 if loop.time() < over_s else 1 << 20):
            size += len(piece)
            if loop.time() < over_s:
                await asyncio.wait([loop.create_future()], timeout=0.1)
    assert size > LARGE_BYTES


async def test_who_has_read_all_may_wait() -> None:
    loop = asyncio.get_running_loop()
    async with served(replace(PATIENT, unread_s=0.5)) as port, asked(port, b"/large") as client:
        answer = bytearray()
        while len(answer) - answer.find(b"\r\n\r\n") - 4 < LARGE_BYTES:
            answer += await loop.sock_recv(client, 1 << 20)
        more = asyncio.create_task(loop.sock_recv(client, 1000))
        assert await asyncio.wait([more], timeout=1.5) == (set(), {more})
        await loop.sock_sendall(client, GET)
        assert (await asyncio.wait_for(more, 10)).startswith(b"HTTP/1.1 200")
