"""What requests expect of the server, over bare sockets."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from server.telemetry import Meters
from tests.server.listening import PATIENT, problem_in, sent, served

CANARY = "canary"
REST = b"Host: x\r\nConnection: close\r\nX-Request-Id: abcdefgh-1\r\n"
LINES = {
    b"GET /ok": "/ok",
    b"OPTIONS /ok": "unknown",
    b"GET /nowhere": "unknown",
    b"OPTIONS /nowhere": "unknown",
    b"DELETE /ok": "unknown",
    b"POST /take": "/take",
}
HANDSHAKE = (
    b"Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
POST = b"POST /take HTTP/1.1\r\nContent-Type: application/json\r\n" + REST + b"Expect: 100-continue\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    "expected",
    [
        b"Expect: canary-123\r\n",
        b"Expect: 100-continue, canary\r\n",
        b"Expect: 100-continue\r\nExpect: canary\r\n",
        b"Expect:\r\nExpect: canary\r\n",
        b"expect: 100-continue;canary\r\n",
    ],
)
@pytest.mark.parametrize("line", LINES)
async def test_an_unknown_expectation_is_refused_as_everything_is(line: bytes, expected: bytes) -> None:
    meters = Meters()
    with capture_logs() as lines:
        async with served(PATIENT, meters) as port:
            answer = await sent(port, line + b" HTTP/1.1\r\n" + REST + expected + b"\r\n")
    document = problem_in(answer)
    assert (document["status"], document["code"]) == (400, "invalid")
    assert b"X-Request-Id: abcdefgh-1\r\n" in answer
    assert CANARY.encode() not in answer
    assert CANARY not in str(lines)
    assert [(one["event"], one["status"]) for one in lines] == [("request", 400)]
    method = line.split()[0].decode()
    counted = f'http_requests_total{{method="{method}",route="{LINES[line]}",status="400"}} 1.0'
    assert counted in meters.exposition().decode()


async def test_an_upgrade_may_expect_nothing_else_either() -> None:
    head = b"GET /socket HTTP/1.1\r\n" + HANDSHAKE + b"Expect: canary\r\nConnection: close\r\n\r\n"
    async with served(PATIENT) as port:
        answer = await sent(port, head)
    assert problem_in(answer)["code"] == "invalid"


@pytest.mark.parametrize(
    "expected", [b"100-continue", b"100-Continue", b"100-continue, 100-continue", b", 100-continue"]
)
@pytest.mark.parametrize(
    ("line", "status"), [(b"GET /ok", 200), (b"GET /nowhere", 404), (b"DELETE /ok", 405), (b"POST /take", 415)]
)
async def test_whoever_waits_for_100_is_told_it(line: bytes, status: int, expected: bytes) -> None:
    async with served(PATIENT) as port:
        answer = await sent(port, line + b" HTTP/1.1\r\n" + REST + b"Expect: " + expected + b"\r\n\r\n")
    assert answer.startswith(CONTINUE + b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize(("size", "status"), [(12, 200), (2000, 413)])
async def test_a_body_that_was_waited_for_is_taken_or_too_large(size: int, status: int) -> None:
    body = b'{"text":"%s"}' % (b"x" * (size - 11))
    async with served(PATIENT) as port:
        answer = await sent(port, POST + b"Content-Length: %d\r\n\r\n" % len(body), body)
    assert answer.startswith(CONTINUE + b"HTTP/1.1 %d " % status)


async def test_an_upgrade_that_waits_for_100_succeeds() -> None:
    close = b"\x88\x80\0\0\0\0"
    async with served(PATIENT) as port:
        answer = await sent(port, b"GET /socket HTTP/1.1\r\n" + HANDSHAKE + b"Expect: 100-continue\r\n\r\n", close)
    assert answer.startswith(CONTINUE + b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    ("version", "expected"), [(b"1.0", b"canary"), (b"1.0", b"100-continue"), (b"1.1", b""), (b"1.1", b" , ")]
)
async def test_what_expects_nothing_is_answered_as_usual(version: bytes, expected: bytes) -> None:
    async with served(PATIENT) as port:
        answer = await sent(port, b"GET /ok HTTP/" + version + b"\r\n" + REST + b"Expect: " + expected + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/" + version + b" 200 ")
