"""A client that is lost leaves nothing in memory: not its request, and not what it did not read."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from server.arrival import BodyTimes
from server.frames import forget_frames
from server.rest.event_streams import EventStreamLimits
from server.rest.export_places import ExportLimits
from tests.server.collecting import uncollected
from tests.server.listening import GET, PATIENT, sent, served
from tests.server.rest.raw_asking import asking
from tests.server.rest.test_event_streams import live, write
from tests.server.rest.test_events import a_log
from tests.server.world import a_world

LARGE = GET.replace(b"/ok", b"/large")
POST = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n"
SILENT = replace(PATIENT, body=BodyTimes(whole_s=30, silence_s=0.1, bytes_per_s_min=1))


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (LARGE, b"HTTP/1.1 200"),
        (POST + b'Expect: 100-continue\r\n\r\n{"text":"', b"HTTP/1.1 100"),
    ],
)
async def test_one_that_hangs_up_amid_an_answer_or_a_body(request_: bytes, answer: bytes) -> None:
    async with served(PATIENT) as port:
        with uncollected() as requests:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request_)
            assert (await asyncio.wait_for(reader.readline(), 10)).startswith(answer)
            writer.transport.abort()
            await requests.are_gone()


@pytest.mark.parametrize("request_", [POST + b"\r\n{", POST.replace(b"/take", b"/nothing") + b"\r\n{"])
async def test_one_that_is_silent_amid_a_body(request_: bytes) -> None:
    async with served(SILENT) as port:
        with uncollected() as requests:
            assert (await sent(port, request_)).startswith(b"HTTP/1.1 4")
            await requests.are_gone()


@pytest.mark.parametrize("request_", [b"GEX\r\n\r\n", GET[:-2] + b"a b: c\r\n\r\n"])
async def test_one_that_speaks_no_http(request_: bytes) -> None:
    async with served(PATIENT) as port:
        with uncollected() as requests:
            assert (await sent(port, request_)).startswith(b"HTTP/1.0 400")
            await requests.are_gone()


@pytest.mark.parametrize("line", [b"GET /nothing", b"DELETE /ok"])
async def test_one_that_asks_for_what_does_not_exist(line: bytes) -> None:
    async with served(PATIENT) as port:
        with uncollected() as requests:
            answer = await sent(port, GET.replace(b"GET /ok", line)[:-2] + b"Connection: close\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 40")
            await requests.are_gone()


@pytest.mark.parametrize("what", ["events", "export"])
async def test_one_that_does_not_read_what_goes_on(what: str) -> None:
    slow = EventStreamLimits(grace_s=0.1, buffer_bytes=16_384)
    async with a_world(event_streams=slow, exports=ExportLimits(grace_s=0.1)) as world:
        ada, project, path = await a_log(world, 0)
        await write(world, ada, project, 100, "d" * 30_000)
        with uncollected() as requests:
            async with asking(world, path.replace("events", what), live(ada)) as reader:
                assert b" 200 " in await asyncio.wait_for(reader.readline(), 10)
                await requests.are_gone()


async def test_errors_that_belong_together_forget_together() -> None:
    first, second = ValueError("first"), KeyError("second")
    try:
        try:
            raise first
        except ValueError:
            raise second from first
    except KeyError:
        assert first.__traceback__ is not None
    first.__context__ = second  # a ring
    forget_frames(second)
    assert [one for one in (first, second) if one.__traceback__ is not None] == []
    forget_frames(None)
