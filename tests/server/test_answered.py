"""An idle connection holds nothing of the last request and its answer."""

from __future__ import annotations

import asyncio
import gc
import socket
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Final
from unittest.mock import Mock

import pytest
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from server.answered import let_go
from tests.server.gateway.hive import eventually
from tests.server.listening import GET, PATIENT, served

CONNECTIONS: Final = 24
BODY_BYTES: Final = 250_000
HELD_BYTES_MAX: Final = 50_000
"""Of one connection, with what the test itself has of it."""


def post(path: str, media_type: str = "application/json") -> bytes:
    """A request with a large body."""
    body = b'{"text":"' + bytes(BODY_BYTES).replace(b"\0", b"x") + b'"}'
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def answered(port: int, request: bytes, status: bytes) -> AsyncIterator[socket.socket]:
    """A connection whose request is answered, and the answer read."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setblocking(False)
        await loop.sock_connect(client, ("127.0.0.1", port))
        asked = asyncio.create_task(loop.sock_sendall(client, request))
        assert await status_read(client, has_body=not request.startswith(b"HEAD")) == status
        await asked
        yield client


async def status_read(client: socket.socket, *, has_body: bool) -> bytes:
    """The status of an answer that has been read to its end."""
    head, _, body = (await piece(client)).partition(b"\r\n\r\n")
    [length] = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: ")]
    left_bytes = int(length.split(b" ")[1]) - len(body) if has_body else 0
    while left_bytes:
        left_bytes -= len(await piece(client))
    return head.split(b" ")[1]


async def piece(client: socket.socket) -> bytes:
    """Something of an answer."""
    data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 1 << 18), 10)
    assert data
    return data


@contextmanager
def traced() -> Iterator[None]:
    """Python's own memory is counted."""
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def held_bytes() -> int:
    """What all of Python holds."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(GET.replace(b"/ok", b"/large"), b"200", id="a large answer"),
        pytest.param(GET.replace(b"GET /ok", b"HEAD /large"), b"200", id="what a large answer would have been"),
        pytest.param(post("/take"), b"200", id="a body that is read, and comes back"),
        pytest.param(post("/take", "text/plain"), b"415", id="a body that nobody wants to read"),
        pytest.param(post("/nothing"), b"404", id="a body for a path that is not there"),
    ],
)
async def test_an_idle_connection_holds_nothing_of_its_request(request_: bytes, status: bytes) -> None:
    async with served(PATIENT, body_max_bytes=2 * BODY_BYTES) as port, AsyncExitStack() as connections:
        async with answered(port, request_, status):
            pass  # whatever the first one needs for good
        with traced():
            before_bytes = held_bytes()
            for _ in range(CONNECTIONS):
                await connections.enter_async_context(answered(port, request_, status))
            await eventually(lambda: held_bytes() - before_bytes < CONNECTIONS * HELD_BYTES_MAX)


async def test_the_next_request_is_answered_as_the_first_one() -> None:
    async with served(PATIENT) as port, answered(port, post("/nothing"), b"404") as client:
        await asyncio.get_running_loop().sock_sendall(client, GET)
        assert (await piece(client)).endswith(b'{"ok":true}')


async def test_the_rest_of_a_body_that_comes_behind_its_answer_goes_too() -> None:
    body = StreamReader(Mock(spec=BaseProtocol), limit=1 << 16)
    request, answer = make_mocked_request("POST", "/", payload=body), web.Response(body=b"refused")
    body.feed_data(b"first")
    let_go(request, answer)
    body.feed_data(b"last")
    assert not body.at_eof()
    body.feed_eof()
    assert body.at_eof()  # with nothing left in it
    assert answer.body is None


async def test_a_body_that_was_broken_stays_so() -> None:
    body = StreamReader(Mock(spec=BaseProtocol), limit=1 << 16)
    body.feed_data(b"first")
    body.set_exception(TimeoutError("too slow"))
    let_go(make_mocked_request("POST", "/", payload=body), web.Response())
    with pytest.raises(TimeoutError, match="too slow"):
        await body.read()
