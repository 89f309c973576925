"""Our HTTP server on a port of its own, and a client of bare TCP."""

from __future__ import annotations

import asyncio
import socket as bare
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web

from protocol.base import Message
from server.arrival import BodyTimes
from server.arriving_bodies import ArrivingBodies
from server.gateway.doors import Doors
from server.http_runner import HttpRunner
from server.middleware import HttpMeters
from server.request_times import RequestTimes
from server.rest.app import http_application
from server.rest.bodies import json_response, read_body
from server.telemetry import Meters
from server.unread_answers import SMALL_BYTES, UnreadAnswers
from tests.server.clock import RandomIds

QUICK = RequestTimes(head_timeout_s=1.0, body=BodyTimes(whole_s=1.0, silence_s=1.0), keepalive_s=1.1)
PATIENT = RequestTimes(head_timeout_s=30, body=BodyTimes(whole_s=30, silence_s=30), keepalive_s=30)
LARGE_BYTES = 16 << 20
"""More than all buffers on the way hold."""
GET = b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n"


class Body(Message):
    """Anything small."""

    text: str


async def ok(_request: web.Request) -> web.Response:
    return json_response({"ok": True})


async def take(request: web.Request) -> web.Response:
    return json_response((await read_body(request, Body)).as_json())


async def large(_request: web.Request) -> web.Response:
    return web.Response(body=bytes(LARGE_BYTES))


async def some(_request: web.Request) -> web.Response:
    """So small that the kernel takes it at once, and larger than what a client's takes that does not read."""
    return web.Response(body=bytes(SMALL_BYTES))


async def room(request: web.Request) -> web.Response:
    """How much the kernel takes of answers, which Linux doubles for what it needs itself (socket(7))."""
    assert request.transport is not None
    connection = request.transport.get_extra_info("socket")
    return json_response({"bytes": connection.getsockopt(bare.SOL_SOCKET, bare.SO_SNDBUF)})


async def left(request: web.Request) -> web.Response:
    """As large, and left to the transport at once."""
    assert request.transport is not None
    request.transport.set_write_buffer_limits(high=2 * LARGE_BYTES)
    answer = await large(request)
    answer.force_close()
    return answer


async def socket(request: web.Request) -> web.StreamResponse:
    response = web.WebSocketResponse()
    await response.prepare(request)
    async for message in response:
        await response.send_str(message.data)
    return response


@asynccontextmanager
async def served(
    times: RequestTimes,
    meters: HttpMeters | None = None,
    doors: Doors | None = None,
    answers: UnreadAnswers | None = None,
    body_max_bytes: int = 1000,
    bodies: ArrivingBodies | None = None,
    more: Iterable[web.RouteDef] = (),
) -> AsyncIterator[int]:
    """The port of a server, with `more` routes than ours."""
    meters = meters or Meters()
    app = http_application(
        [
            *(web.get("/ok", ok), web.post("/take", take), web.get("/socket", socket)),
            *(web.get("/some", some), web.get("/room", room)),
            *(web.get("/large", large), web.get("/left", left), web.post("/large", large)),
            *more,
        ],
        meters=meters,
        allowed_origins=[],
        body_max_bytes=body_max_bytes,
        new_id=RandomIds().new_id,
        answers=answers,
        bodies=bodies,
    )
    runner = HttpRunner(app, times, doors, meters, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def sent(port: int, *pieces: bytes) -> bytes:
    """Everything that the server answers until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        await closed(writer)


async def closed(writer: asyncio.StreamWriter) -> None:
    """Ends a connection that the server may have ended before."""
    writer.close()
    try:
        await writer.wait_closed()
    except ConnectionError:
        pass  # it was


def problem_in(answer: bytes) -> dict[str, Any]:
    """The problem document of an answer, checked for its form."""
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = head.decode().lower()
    assert "content-type: application/problem+json" in headers
    assert "server: pantherahive" in headers
    assert "aiohttp" not in headers
    assert "python" not in headers
    assert "x-content-type-options: nosniff" in headers
    document: dict[str, Any] = orjson.loads(body)
    assert head.split(b" ")[:2] in (
        [b"HTTP/1.0", b"%d" % document["status"]],
        [b"HTTP/1.1", b"%d" % document["status"]],
    )
    return document
