"""Clients that do not read their answers."""

from __future__ import annotations

import asyncio
import logging
import select
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from server.unread import Unread
from tests.actors.runtime.stepped_loop import run_stepped
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


class Read(asyncio.Transport):
    """Of what it holds, a byte is read at each of these times."""

    def __init__(self, read_at_s: Sequence[float]) -> None:
        super().__init__()
        self._left_bytes = 1000
        self.is_cut_off = asyncio.Event()
        for at_s in read_at_s:
            asyncio.get_running_loop().call_later(at_s, self._take)

    def _take(self) -> None:
        self._left_bytes -= 1

    def get_write_buffer_size(self) -> int:
        return self._left_bytes

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default  # the kernel holds nothing

    def abort(self) -> None:
        self.is_cut_off.set()


async def cut_off_s(patience_s: float, read_at_s: Sequence[float]) -> float:
    """When a client that takes something at these times, and then nothing, is cut off."""
    loop = asyncio.get_running_loop()
    began_s, transport = loop.time(), Read(read_at_s)
    Unread(transport, patience_s).watch()
    await transport.is_cut_off.wait()
    return loop.time() - began_s


@pytest.mark.parametrize("read_at_s", [[], [0.1], [7.9], [0.9, 8.8, 16.7, 24.6]])
def test_who_takes_nothing_any_more_is_cut_off_after_the_time_for_it(read_at_s: list[float]) -> None:
    """The clock is the loop's own: no sooner, and an eighth later at most."""
    newest_s = max(read_at_s, default=0.0)
    assert newest_s + 8 <= run_stepped(cut_off_s(8, read_at_s)) <= newest_s + 9.01


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
