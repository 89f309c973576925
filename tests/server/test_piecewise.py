"""What comes on all connections of HTTP is parsed a little in each turn of the loop, and answered as if it were not."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest

from server.pieces import COSTLY_BYTES
from server.piecewise import PIECES_MAX, PiecewiseHandler
from tests.server.gateway.conformance.frames import frame
from tests.server.listening import GET, PATIENT, closed, problem_in, sent, served
from tests.server.test_upgrades import WEBSOCKET

LAST = b"GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
TAKE = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = TAKE + b"Transfer-Encoding: chunked\r\n\r\n"


class Turns:
    """How many pieces were parsed from one callback of the loop to the next, and how large the largest was.

    What one turn brings, and what waited for it, are both before the callback.
    """

    def __init__(self) -> None:
        self.pieces: list[int] = []
        self.largest_bytes = 0
        self._is_same_turn = False

    def note(self, piece: bytes) -> None:
        self.largest_bytes = max(self.largest_bytes, len(piece))
        if not self._is_same_turn:
            self.pieces.append(0)
            self._is_same_turn = True
            asyncio.get_running_loop().call_soon(self._next)
        self.pieces[-1] += bool(piece)

    def _next(self) -> None:
        self._is_same_turn = False


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    noted, parse = Turns(), PiecewiseHandler._parse

    def noting(handler: PiecewiseHandler, piece: bytes) -> None:
        noted.note(piece)
        parse(handler, piece)

    monkeypatch.setattr(PiecewiseHandler, "_parse", noting)
    return noted


def chunks(text: str) -> bytes:
    """A body with a chunk for each character."""
    return b"".join(b"1\r\n%c\r\n" % character for character in text.encode()) + b"0\r\n\r\n"


async def test_bodies_in_tiny_chunks_are_parsed_a_little_at_a_time(turns: Turns) -> None:
    text = "x" * 1_000
    request = CHUNKED + chunks(f'{{"text":"{text}"}}')
    async with served(PATIENT, body_max_bytes=100_000) as port:
        answers = await asyncio.gather(*(sent(port, request) for _ in range(10)))
    assert all(text.encode() in answer for answer in answers)
    assert turns.largest_bytes <= COSTLY_BYTES
    assert max(turns.pieces) <= 2 * PIECES_MAX


@pytest.mark.parametrize("path", [b"/take", b"/nowhere"])
async def test_a_body_in_crumbs_is_refused_and_not_looked_at_any_more(turns: Turns, path: bytes) -> None:
    body = b"".join(b"1\r\nx\r\n" for _ in range(40_000))
    async with served(PATIENT, body_max_bytes=100_000) as port:
        answer = await sent(port, CHUNKED.replace(b"/take", path) + body)
    if path == b"/take":
        assert problem_in(answer)["code"] == "invalid"
    assert answer.startswith(b"HTTP/1.1 4")
    assert sum(turns.pieces) * COSTLY_BYTES < 20_000


async def test_whoever_sends_little_is_answered_before_those_who_have_sent_much(turns: Turns) -> None:
    async with served(PATIENT) as port:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
        for _, writer in opened:
            writer.write(GET * 100 + LAST)
        await opened[0][0].readuntil(b"true")
        await sent(port, LAST)
        assert sum(turns.pieces) < 2_500, "of 5,050"
        for reader, writer in opened:
            await reader.read()
            await closed(writer)
    assert sum(turns.pieces) == 50 * 101 + 1
    assert max(turns.pieces) <= 2 * PIECES_MAX


async def test_a_request_that_waits_for_its_turn_is_not_idle() -> None:
    times = replace(PATIENT, keepalive_s=0.05)
    async with served(times) as port:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        await reader.readuntil(b"true")
        for _, other in opened:
            other.write(GET * 60 + LAST)
        writer.write(GET * 60 + LAST)
        assert (await reader.read()).count(b"HTTP/1.1 200") == 61
        await asyncio.gather(*(closed(one) for _, one in [*opened, (reader, writer)]))


async def test_many_requests_at_once_begin_a_few_at_a_time(turns: Turns) -> None:
    async with served(PATIENT) as port:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        for _, writer in opened:
            writer.write(LAST)
        answers = await asyncio.gather(*(reader.read() for reader, _ in opened))
        await asyncio.gather(*(closed(writer) for _, writer in opened))
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert sum(turns.pieces) == 100
    assert max(turns.pieces) <= 2 * PIECES_MAX


async def test_what_is_sent_ahead_is_answered_in_order_and_whole() -> None:
    bodies = [b'{"text":"%d"}' % number for number in range(500)]
    requests = [TAKE + b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies]
    async with served(PATIENT) as port:
        answers = await sent(port, b"".join(requests) + LAST)
    assert re.findall(rb'\{"text":"(\d+)"\}', answers) == [b"%d" % number for number in range(500)]


async def test_what_comes_with_an_upgrade_is_the_web_sockets_own() -> None:
    text = b"y" * 60_000
    upgrade = b"GET /socket HTTP/1.1\r\nHost: x\r\n" + WEBSOCKET + b"\r\n"
    early = [frame(text), frame(b"end")]
    async with served(PATIENT) as port:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2 * PIECES_MAX)]
        for _, writer in opened:
            writer.write(GET + upgrade + b"".join(early))
        for reader, writer in opened:
            answer = await reader.readuntil(b"\x03end")
            assert answer.count(b"HTTP/1.1 200") == answer.count(b"HTTP/1.1 101") == 1
            assert answer.count(text) == 1
            await closed(writer)
