"""Clients that do not read their answers."""

from __future__ import annotations

import asyncio
import logging
import select
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from server.tcp import acknowledged_bytes
from server.unread import Unread
from tests.actors.runtime.stepped_loop import run_stepped
from tests.server.gateway.hive import eventually
from tests.server.listening import GET, LARGE_BYTES, PATIENT, sent, served

LINUX = pytest.mark.only_if(sys.platform == "linux")


@asynccontextmanager
async def asked(
    port: int, path: bytes, headers: bytes = b"", receive_buffer_bytes: int = 4096
) -> AsyncIterator[socket.socket]:
    """A client that has asked and reads nothing by itself. Each of the `headers` ends its line."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", port))
        await loop.sock_sendall(client, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")
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
    Unread(transport, patience_s, bytes_per_s_min=1000).watch()
    await transport.is_cut_off.wait()
    return loop.time() - began_s


async def large_cut_off_s(patience_s: float, read_at_s: Sequence[float], bytes_per_s_min: int) -> float:
    """The same of a client that gets a large answer."""
    loop = asyncio.get_running_loop()
    began_s, transport = loop.time(), Read(read_at_s)
    unread = Unread(transport, patience_s, bytes_per_s_min)
    with unread.paced():
        unread.watch()
        await transport.is_cut_off.wait()
    return loop.time() - began_s


@pytest.mark.parametrize("read_at_s", [[], [0.1], [7.9], [0.9, 8.8, 16.7, 24.6]])
def test_who_takes_nothing_any_more_is_cut_off_after_the_time_for_it(read_at_s: list[float]) -> None:
    """The clock is the loop's own: no sooner, and an eighth later at most."""
    newest_s = max(read_at_s, default=0.0)
    assert newest_s + 8 <= run_stepped(cut_off_s(8, read_at_s)) <= newest_s + 9.01


TEN_A_SECOND_FOR_20_S = [tenth / 10 for tenth in range(1, 201)]


def test_a_large_answer_has_to_be_read_at_a_pace_beside_the_time() -> None:
    """By t seconds 10 t bytes are taken, so at 40 a second they are due by 8 + t / 4, which is over at 10.7 s."""
    assert 10.6 <= run_stepped(large_cut_off_s(8, TEN_A_SECOND_FOR_20_S, 40)) <= 11.8


def test_who_reads_at_the_pace_is_cut_off_only_for_taking_nothing() -> None:
    assert 28 <= run_stepped(large_cut_off_s(8, TEN_A_SECOND_FOR_20_S, 10)) <= 29.01


def test_a_small_answer_has_no_pace() -> None:
    """The pace of these is a hundredth of what would be asked of a large one."""
    assert 28 <= run_stepped(cut_off_s(8, TEN_A_SECOND_FOR_20_S)) <= 29.01


def is_reset(client: socket.socket) -> bool:
    """Whether the connection is over although not all was read."""
    poll = select.poll()
    poll.register(client, 0)
    return bool(poll.poll(0))


@pytest.mark.parametrize("path", [b"/large", b"/left", pytest.param(b"/some", marks=LINUX)])
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


def is_cut_off_reading(client: socket.socket) -> bool:
    """Takes a little of what has come."""
    try:
        client.recv(4096)
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    return False


async def test_who_reads_a_large_answer_a_little_at_a_time_is_cut_off_below_the_pace() -> None:
    times = replace(PATIENT, unread_s=0.5, answer_bytes_per_s_min=1 << 30)
    async with served(times) as port, asked(port, b"/large") as client:
        await eventually(lambda: is_cut_off_reading(client))


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


async def test_the_kernel_takes_no_more_of_an_answer_than_the_setting_says() -> None:
    async with served(replace(PATIENT, send_buffer_bytes=50_000)) as port:
        answer = await sent(port, b"GET /room HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["bytes"] in (50_000, 100_000)


def is_known(server_port: int, client: socket.socket) -> bool:
    """Whether the kernel still has the server's end, closed or not (proc_net_tcp)."""
    ends = [f"0100007F:{port:04X}" for port in (server_port, client.getsockname()[1])]
    return any(line.split()[1:3] == ends for line in Path("/proc/net/tcp").read_text().splitlines())


@LINUX
async def test_what_nobody_reads_is_let_go_also_once_the_connection_is_closed() -> None:
    loop = asyncio.get_running_loop()
    before = asyncio.all_tasks()
    async with (
        served(replace(PATIENT, unread_s=0.3)) as port,
        asked(port, b"/some", b"Connection: close\r\n") as client,
    ):
        assert await loop.sock_recv(client, 1) == b"H"
        assert is_known(port, client)
        await eventually(lambda: asyncio.all_tasks() <= before)
        await eventually(lambda: not is_known(port, client))


@LINUX
async def test_who_takes_less_than_is_written_takes_something() -> None:
    """What waits grows all the while."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(listening.getsockname())
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(asyncio.Protocol, listening.accept()[0])
        transport.write(bytes(LARGE_BYTES))
        unread = Unread(transport, 8, 1000)
        unread.watch()
        connection = transport.get_extra_info("socket")
        for _ in range(5):
            before = acknowledged_bytes(connection) or 0
            client.recv(LARGE_BYTES)
            await eventually(lambda least=before: (acknowledged_bytes(connection) or 0) > least)  # type: ignore[misc]
            transport.write(bytes(LARGE_BYTES))
            assert unread._taken_bytes() > 0
        unread.leave()
        transport.abort()
