"""Upgrades that nobody takes are as if nobody had asked for them (RFC 9110 §7.8), over bare sockets."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import replace

import pytest
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

from server.arrival import BodyTimes
from tests.server.listening import PATIENT, QUICK, closed, problem_in, sent, served

OK = b"GET /ok HTTP/1.1\r\nHost: x\r\n"
TAKE = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LAST = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
WEBSOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
UPGRADES = {
    "h2c": H2C,
    "TLS": b"Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n",
    "tcp": b"Connection: Upgrade\r\nUpgrade: tcp\r\n",
    "in other letters": b"CONNECTION: keep-alive, upgrade\r\nUPGRADE: H2C\r\n",
    "the other way round": b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
    "one of several": b"Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n",
    "WebSocket, which is declined": WEBSOCKET,
}
TEXT = b'{"text":"upgrade"}'
SIZED = b"Content-Length: %d\r\n\r\n%s" % (len(TEXT), TEXT)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(TEXT), TEXT)


@pytest.fixture(autouse=True, params=[HttpRequestParser, HttpRequestParserPy], ids=["compiled", "python"])
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiohttp.web_protocol.HttpRequestParser", request.param)


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.\d (\d{3}) ", answers)]


async def in_segments(port: int, *segments: bytes) -> bytes:
    """All answers to what goes out in segments of TCP, as far as the kernel lets it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for segment in segments:
        writer.write(segment)
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        answers = await reader.read()
    await closed(writer)
    return answers


@pytest.mark.parametrize("upgrade", UPGRADES.values(), ids=UPGRADES.keys())
async def test_what_comes_behind_in_one_segment_is_answered_in_its_turn(upgrade: bytes) -> None:
    async with served(PATIENT) as port:
        answers = await sent(port, OK + upgrade + b"\r\n" + TAKE + SIZED + OK + b"\r\n" + LAST)
    assert statuses(answers) == [200, 200, 200, 404]
    assert re.findall(rb'"ok"|"text"', answers) == [b'"ok"', b'"text"', b'"ok"']


@pytest.mark.parametrize("upgrade", UPGRADES.values(), ids=UPGRADES.keys())
async def test_what_comes_behind_its_body_is_answered_too(upgrade: bytes) -> None:
    async with served(PATIENT) as port:
        answers = await sent(port, (TAKE + upgrade + SIZED) * 2 + OK + b"\r\n" + LAST)
    assert statuses(answers) == [200, 200, 200, 404]
    assert answers.count(TEXT) == 2


@pytest.mark.parametrize("upgrade", UPGRADES.values(), ids=UPGRADES.keys())
async def test_its_body_may_come_after_the_answer(upgrade: bytes) -> None:
    async with served(PATIENT) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            writer.write(OK + upgrade + SIZED[:-5])
            await reader.readuntil(b'{"ok":true}')
            writer.write(SIZED[-5:] + OK + b"\r\n" + LAST)
            assert statuses(await reader.read()) == [200, 404]
        await closed(writer)


@pytest.mark.parametrize("upgrade", [b"", *UPGRADES.values()], ids=["none", *UPGRADES.keys()])
async def test_with_a_body_in_chunks_it_is_the_last_request(upgrade: bytes) -> None:
    """The end of such a body is seen by the parser alone, and a trailer would be a header of the next request."""
    async with served(PATIENT) as port:
        answers = await sent(port, OK + b"\r\n" + TAKE + upgrade + CHUNKED + LAST)
    assert statuses(answers) == [200, 200]
    assert [b"\r\nConnection: close\r\n" in one for one in answers.split(b"HTTP/1.1 ")[1:]] == [False, True]


@pytest.mark.parametrize("size", [1, 7, 50])
async def test_it_may_come_in_pieces(size: int) -> None:
    stream = OK + H2C + b"\r\n" + TAKE + SIZED + OK + H2C + b"\r\n" + TAKE + H2C + SIZED + OK + b"\r\n" + LAST
    async with served(PATIENT) as port:
        answers = await in_segments(port, *[stream[at : at + size] for at in range(0, len(stream), size)])
    assert statuses(answers) == [200, 200, 200, 200, 200, 404]


async def test_a_chain_of_declined_upgrades_is_answered() -> None:
    async with served(PATIENT) as port:
        answers = await sent(port, b"".join(OK + upgrade + b"\r\n" for upgrade in UPGRADES.values()) * 3 + LAST)
    assert statuses(answers) == [200] * 3 * len(UPGRADES) + [404]


@pytest.mark.parametrize("many", [30, 31, 32, 33, 100])
@pytest.mark.parametrize("front", [b"", WEBSOCKET], ids=["at once", "behind a WebSocket that is declined"])
async def test_more_than_wait_at_once_are_answered(front: bytes, many: int) -> None:
    stream = OK + front + b"\r\n" + (OK + b"\r\n") * many + (OK + H2C + b"\r\n" + TAKE + H2C + SIZED) * many + LAST
    async with served(PATIENT) as port:
        answers = await sent(port, stream)
    assert statuses(answers) == [200] * (1 + 3 * many) + [404]


async def test_more_than_is_read_at_once_is_answered() -> None:
    """The body stops the parser until it is read, and the rest waits."""
    large = b'{"text":"%s"}' % (b"x" * 300_000)
    request = TAKE + H2C + b"Content-Length: %d\r\n\r\n" % len(large) + large
    async with served(PATIENT, body_max_bytes=1 << 20) as port:
        answers = await sent(port, request + OK + b"\r\n" + request + LAST)
    assert statuses(answers) == [200, 200, 200, 404]


async def test_the_connection_stays() -> None:
    async with served(PATIENT) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            for _ in range(3):
                writer.write(OK + H2C + b"\r\n")
                assert b"Connection: close" not in await reader.readuntil(b'{"ok":true}')
        await closed(writer)


async def test_what_begins_behind_it_has_its_time() -> None:
    async with served(replace(QUICK, keepalive_s=30)) as port:
        answers = await sent(port, OK + H2C + b"\r\n" + OK)
    assert statuses(answers) == [200, 400]
    assert problem_in(answers.split(b'{"ok":true}')[1])["detail"] == "the request did not arrive in time"


async def test_a_body_behind_it_has_its_time() -> None:
    times = replace(PATIENT, body=BodyTimes(whole_s=30, silence_s=0.2, bytes_per_s_min=1))
    async with served(times) as port:
        answers = await sent(port, OK + H2C + b"\r\n" + TAKE + b"Content-Length: 5\r\n\r\n{")
    assert statuses(answers) == [200, 400]
    assert problem_in(answers.split(b'{"ok":true}')[1])["detail"] == "the request did not arrive in time"


@pytest.mark.parametrize("front", [b"", OK + b"\r\n", OK + H2C + b"\r\n", TAKE + H2C + SIZED, OK + WEBSOCKET + b"\r\n"])
async def test_a_websocket_behind_others_gets_its_frames(front: bytes) -> None:
    hello, close = b"\x81\x85\0\0\0\0hello", b"\x88\x80\0\0\0\0"
    async with served(PATIENT) as port:
        answers = await sent(port, front + b"GET /socket HTTP/1.1\r\nHost: x\r\n" + WEBSOCKET + b"\r\n" + hello + close)
    assert statuses(answers) == [200] * bool(front) + [101]
    assert b"\r\n\r\n\x81\x05hello\x88" in answers


async def test_frames_behind_a_websocket_that_is_declined_are_no_http() -> None:
    async with served(PATIENT) as port:
        answers = await sent(port, OK + WEBSOCKET + b"\r\n" + b"\x81\x89\0\0\0\0hello\r\n\r\n")
    assert statuses(answers) == [200, 400]
