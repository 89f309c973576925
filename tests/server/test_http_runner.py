"""Requests that are no HTTP, too large or not whole, over bare sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
from dataclasses import replace

import aiohttp
import pytest
from structlog.testing import capture_logs

from server.gateway.doors import Doors
from server.telemetry import Meters
from tests.server.gateway.hive import eventually
from tests.server.listening import GET, PATIENT, QUICK, closed, problem_in, sent, served

CANARY = "canary"


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"canary\r\n\r\n", 400, "invalid"),
        (b"GET canary\r\n\r\n", 400, "invalid"),
        (b"GET /canary HTTP/9.canary\r\n\r\n", 400, "invalid"),
        (b"G\x00T /canary HTTP/1.1\r\nHost: x\r\n\r\n", 400, "invalid"),
        (b"<canary> / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "invalid"),
        (b"GET / HTTP/1.1\r\nHost: x\r\ncanary\r\n\r\n", 400, "invalid"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00canary\r\n\r\n", 400, "invalid"),
        (b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: canary\r\n\r\n", 400, "invalid"),
        (b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "invalid"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03canary", 400, "invalid"),
        (b"GET /" + b"canary" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 413, "too_large"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"canary" * 2000 + b"\r\n\r\n", 413, "too_large"),
    ],
)
async def test_what_is_no_http_is_a_problem_that_quotes_nothing(request_: bytes, status: int, code: str) -> None:
    meters = Meters()
    with capture_logs() as lines:
        async with served(PATIENT, meters) as port:
            answer = await sent(port, request_)
    document = problem_in(answer)
    assert (document["status"], document["code"]) == (status, code)
    counted = f'http_requests_total{{method="OTHER",route="malformed",status="{status}"}} 1.0'
    assert counted in meters.exposition().decode()
    assert CANARY.encode() not in answer
    assert CANARY not in str(lines)


@pytest.mark.parametrize("encoding", ["br", "gzip", "deflate", "zstd", "GZIP", "canary", "gzip, br", "identity, gzip"])
@pytest.mark.parametrize("line", [b"POST /take", b"GET /ok", b"POST /nowhere", b"DELETE /ok"])
async def test_an_encoded_body_is_refused_without_being_unpacked(encoding: str, line: bytes) -> None:
    bomb = gzip.compress(bytes(1 << 20))[:900]
    head = line + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    head += f"Content-Encoding: {encoding}\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    with capture_logs() as lines:
        async with served(PATIENT) as port:
            document = problem_in(await sent(port, head + bomb))
    assert (document["status"], document["code"]) == (415, "unsupported_media_type")
    assert [one["log_level"] for one in lines] == ["info"]
    assert CANARY not in str(lines)


async def test_an_encoding_without_a_body_is_nothing_to_refuse() -> None:
    async with served(PATIENT) as port:
        answer = await sent(port, GET[:-2] + b"Connection: close\r\nContent-Encoding: br\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")


async def test_too_many_headers_are_refused() -> None:
    async with served(PATIENT) as port:
        answer = await sent(port, GET[:-2] + b"A: b\r\n" * 5000 + b"\r\n")
    assert problem_in(answer)["status"] in (400, 413)


async def test_a_silent_connection_ends_without_a_word() -> None:
    async with served(QUICK) as port:
        assert await sent(port) == b""


@pytest.mark.parametrize("began", [b"G", b"GET /canary HTTP/1.1\r\n", b"GET /canary HTTP/1.1\r\nHost: x\r\nA: "])
async def test_headers_that_do_not_end_are_refused(began: bytes) -> None:
    async with served(QUICK) as port:
        answer = await sent(port, began)
    assert problem_in(answer)["detail"] == "the request did not arrive in time"
    assert CANARY.encode() not in answer


async def test_a_drip_of_headers_does_not_prolong_the_time() -> None:
    async with served(QUICK) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n")
        answer = bytearray()

        async def listen() -> None:
            with contextlib.suppress(ConnectionResetError):  # a header that crosses the answer resets the connection
                while chunk := await reader.read(4096):
                    answer.extend(chunk)

        listening = asyncio.create_task(listen())
        async with asyncio.timeout(10):
            while not listening.done():
                writer.write(b"A: b\r\n")
                await asyncio.wait([listening], timeout=0.05)
        await listening
        assert b"did not arrive in time" in answer
        await closed(writer)


async def test_a_second_request_has_its_own_time() -> None:
    async with served(replace(QUICK, keepalive_s=30)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        async with asyncio.timeout(10):
            await reader.readuntil(b'{"ok":true}')
            writer.write(b"GET /ok HT")
            answer = await reader.read()
        await closed(writer)
    assert problem_in(answer)["detail"] == "the request did not arrive in time"


POST = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
WHOLE = {
    "no body": [GET],
    "several": [GET * 3],
    "more than wait at once": [GET * 40],
    "a body": [POST + b'Content-Length: 12\r\n\r\n{"text":"a"}'],
    "a body of its own": [POST + b"Content-Length: 12\r\n\r\n", b'{"text":"a"}'],
    "the end of a body": [POST + b'Content-Length: 12\r\n\r\n{"te', b'xt":"a"}'],
    "an upgrade that is declined": [GET[:-2] + b"Connection: Upgrade\r\nUpgrade: canary\r\n\r\n"],
}


@pytest.mark.parametrize("pieces", WHOLE.values(), ids=WHOLE.keys())
async def test_what_begins_behind_a_request_has_to_end_in_time_too(pieces: list[bytes]) -> None:
    """It comes in one segment with the end of the request before."""
    async with served(replace(QUICK, keepalive_s=30)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (*pieces[:-1], pieces[-1] + b"GET /canary HT"):
            writer.write(piece)
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            answer = await reader.read()
        await closed(writer)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"did not arrive in time" in answer


@pytest.mark.parametrize("pieces", WHOLE.values(), ids=WHOLE.keys())
async def test_where_nothing_is_behind_a_request_the_connection_stays(pieces: list[bytes]) -> None:
    async with served(replace(PATIENT, keepalive_s=0.4)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            answer = await reader.read()
        await closed(writer)
    assert b"HTTP/1.1 200" in answer
    assert b"HTTP/1.1 400" not in answer, "it ended for its silence alone"


async def test_a_body_that_does_not_end_is_refused() -> None:
    head = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    async with served(replace(PATIENT, body=QUICK.body)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + b'{"text":"')
        async with asyncio.timeout(10):
            answer = await reader.readuntil(b"}")
        await closed(writer)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"did not arrive in time" in answer


async def test_a_body_in_pieces_is_taken() -> None:
    head = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"
    async with served(PATIENT) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in (head[:20], head[20:], b'{"text":', b'"abc"', b"}"):
            writer.write(piece)
            await writer.drain()
        answer = await asyncio.wait_for(reader.readuntil(b'{"text":"abc"}'), 10)
        await closed(writer)
    assert answer.startswith(b"HTTP/1.1 200")


async def test_an_idle_connection_ends_after_its_time() -> None:
    async with served(replace(PATIENT, keepalive_s=0.4)) as port:
        assert (await sent(port, GET)).endswith(b'{"ok":true}')


async def test_a_websocket_outlives_the_times() -> None:
    loop = asyncio.get_running_loop()
    async with (
        served(QUICK) as port,
        aiohttp.ClientSession() as http,
        http.ws_connect(f"http://127.0.0.1:{port}/socket") as web_socket,
    ):
        over_s = loop.time() + 2 * max(QUICK.head_timeout_s, QUICK.body.whole_s, QUICK.keepalive_s)
        while loop.time() < over_s:
            await web_socket.send_str("still here")
            assert (await web_socket.receive(5)).data == "still here"


async def test_an_address_has_a_bounded_number_of_connections_that_are_no_live_ones() -> None:
    doors = Doors(2)
    async with served(PATIENT, doors=doors) as port:
        (_, first), (_, second) = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        document = problem_in(await sent(port))
        assert (document["status"], document["details"]["limit"]) == (503, "connections-per-address")
        first.close()
        last = GET.replace(b"Host", b"Connection: close\r\nHost")
        while not (answer := await sent(port, last)).startswith(b"HTTP/1.1 200"):
            assert answer == b"" or answer.startswith(b"HTTP/1.1 503")
        second.close()
        await eventually(lambda: not len(doors))
