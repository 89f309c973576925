"""Bodies that do not come whole: broken later on, silent, in a trickle, or left by a client that hangs up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from server.arrival import FRAMING_BYTES_MAX, BodyTimes
from server.request_handler import CRUMBLED, MALFORMED
from tests.server.gateway.hive import eventually
from tests.server.listening import GET, PATIENT, QUICK, closed, problem_in, sent, served

SILENT = replace(PATIENT, body=BodyTimes(whole_s=30, silence_s=0.2, bytes_per_s_min=1))
POST = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
WAITED_FOR = b"Expect: 100-continue\r\n"
"""The server answers 100 when it begins to wait for the body."""
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
DECLINED = GET[:-2] + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
TOO_SLOW = "the request did not arrive in time"


class Answered:
    """Meters that keep the statuses."""

    def __init__(self) -> None:
        self.statuses: list[int] = []

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        del method, route, seconds
        self.statuses.append(status)

    def malformed_answered(self, status: int) -> None:
        self.statuses.append(status)


@asynccontextmanager
async def one_quiet_line(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """A request that leaves one line in the log, and neither an error nor a task."""
    before = asyncio.all_tasks()
    with capture_logs() as lines:
        yield
        await eventually(lambda: asyncio.all_tasks() <= before)
    assert [(line["log_level"], line["event"]) for line in lines] == [("info", "request")]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def sent_later(port: int, head: bytes, rest: bytes) -> bytes:
    """All answers to a request whose rest comes when its body is waited for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(5):
        writer.write(head)
        await reader.readuntil(b"100 Continue\r\n\r\n")
        writer.write(rest)
        answer = await reader.read()
    await closed(writer)
    return answer


@pytest.mark.parametrize(
    ("began", "broken"),
    [
        (b'5\r\n{"use\r\n', b"zzz\r\n\r\n"),
        (b'5\r\n{"use\r\n', b"-5\r\n\r\n"),
        (b'5\r\n{"use', b"x5\r\n"),
        (b'5\r\n{"use\r\n', b"5;\0\r\n"),
        (b"2\r\n{}\r\n0\r\n", b"no trailer\r\n\r\n"),
        (b"2\r\n{}\r\n0\r\n", b"A: " + b"x" * 20_000 + b"\r\n\r\n"),
    ],
)
async def test_a_body_that_breaks_later_is_refused_at_once(
    caplog: pytest.LogCaptureFixture, began: bytes, broken: bytes
) -> None:
    async with served(PATIENT) as port, one_quiet_line(caplog):
        answer = await sent_later(port, POST + WAITED_FOR + CHUNKED + began, broken)
    wanted = MALFORMED if len(broken) < FRAMING_BYTES_MAX else CRUMBLED
    assert problem_in(answer)["detail"] == wanted.message
    assert b"Connection: close" in answer


async def test_a_body_that_breaks_after_its_answer_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with served(PATIENT) as port, one_quiet_line(caplog):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(5):
            writer.write(GET[:-2] + CHUNKED)
            await reader.readuntil(b'{"ok":true}')
            writer.write(b"zzz\r\n")
            assert await reader.read() == b""
        await closed(writer)


@pytest.mark.parametrize("began", [b"", b'{"text":"'])
async def test_a_body_that_stands_still_is_ended(caplog: pytest.LogCaptureFixture, began: bytes) -> None:
    async with served(SILENT) as port, one_quiet_line(caplog):
        answer = await sent(port, POST + b"Content-Length: 100\r\n\r\n" + began)
    assert problem_in(answer)["detail"] == TOO_SLOW
    assert b"Connection: close" in answer


async def test_a_trickle_is_ended_before_the_whole_time(caplog: pytest.LogCaptureFixture) -> None:
    times = replace(PATIENT, body=BodyTimes(whole_s=30, silence_s=0.3, bytes_per_s_min=1000))
    async with served(times) as port, one_quiet_line(caplog):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(POST + b"Content-Length: 1000\r\n\r\n")
        answer = asyncio.create_task(reader.readuntil(b"}"))
        async with asyncio.timeout(10):
            while not answer.done():
                writer.write(b" ")
                await asyncio.wait([answer], timeout=0.05)
        await closed(writer)
        assert b"400 Bad Request" in await answer
        assert TOO_SLOW.encode() in await answer


async def test_a_slow_body_that_goes_on_is_taken() -> None:
    times = replace(PATIENT, body=BodyTimes(whole_s=30, silence_s=1, bytes_per_s_min=1))
    loop = asyncio.get_running_loop()
    async with served(times) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(POST + b"Content-Length: 100\r\n\r\n" + b'{"text":"abc"}'.rjust(60))
        answer = asyncio.create_task(reader.readuntil(b"}"))
        over_s, left = loop.time() + 1.5, 40
        while loop.time() < over_s and left > 1:
            writer.write(b" ")
            left -= 1
            await asyncio.wait([answer], timeout=0.1)
        writer.write(b" " * left)
        assert (await asyncio.wait_for(answer, 10)).startswith(b"HTTP/1.1 200")
        await closed(writer)


async def test_a_body_behind_an_upgrade_that_was_declined_has_its_time(caplog: pytest.LogCaptureFixture) -> None:
    with capture_logs() as lines:
        async with served(replace(PATIENT, body=QUICK.body)) as port:
            answer = await sent(port, DECLINED + POST + b"Content-Length: 5\r\n\r\n{")
    first, rest = answer.split(b'{"ok":true}')
    assert first.startswith(b"HTTP/1.1 200")
    assert problem_in(rest)["detail"] == TOO_SLOW
    assert [line["status"] for line in lines] == [200, 400]
    assert caplog.records == []


async def test_behind_a_body_that_comes_after_its_answer_there_is_room_for_requests() -> None:
    """More of them than may wait at once."""
    body = b"Content-Length: 2\r\n\r\n{}"
    async with served(PATIENT) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            writer.write(GET[:-2] + body[:-2])
            await reader.readuntil(b'{"ok":true}')
            writer.write(body[-2:] + GET * 100)
            for _ in range(100):
                await reader.readuntil(b'{"ok":true}')
        await closed(writer)


async def test_a_client_that_hangs_up_amid_its_body_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    meters = Answered()
    async with served(PATIENT, meters) as port, one_quiet_line(caplog):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(POST + WAITED_FOR + b"Content-Length: 100\r\n\r\n{")
        await asyncio.wait_for(reader.readuntil(b"100 Continue\r\n\r\n"), 10)
        await closed(writer)
        await eventually(lambda: bool(meters.statuses))
    assert meters.statuses == [499]


async def test_a_connection_waits_in_silence_behind_a_body_that_was_taken() -> None:
    async with served(replace(PATIENT, keepalive_s=0.4)) as port:
        answer = await sent(port, POST + b'Content-Length: 14\r\n\r\n{"text":"abc"}')
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'\r\n\r\n{"text":"abc"}')
