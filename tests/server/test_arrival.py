"""When a body is given up."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol

from protocol.errors import ErrorCode, Rejected, Rejection
from server.arrival import Arrival, BodyBroken, BodyTimes

TIMES = BodyTimes(whole_s=60, silence_s=15, bytes_per_s_min=100)


@pytest.mark.parametrize(
    ("newest_s", "size_bytes", "due_s"),
    [
        (0, 0, 15),
        (10, 1, 15),  # a byte now and then earns nothing
        (14, 1500, 15),
        (14, 2000, 20),
        (20, 2000, 20),
        (20, 3000, 30),
        (20, 1_000_000, 35),  # nothing makes up for silence
        (44, 4400, 44),
        (59, 1_000_000, 60),
    ],
)
def test_a_body_earns_its_time(newest_s: float, size_bytes: int, due_s: float) -> None:
    assert TIMES.due_s(0, newest_s, size_bytes) == due_s
    assert TIMES.due_s(1000, 1000 + newest_s, size_bytes) == 1000 + due_s


async def test_what_nobody_reads_cannot_be_silent() -> None:
    loop = asyncio.get_running_loop()
    body = StreamReader(BaseProtocol(loop), 1 << 16, loop=loop)
    arrival = Arrival(body, TIMES, 100)
    assert arrival.due_s(is_read=True) == 115
    assert arrival.due_s(is_read=False) == 160
    body.feed_data(b"x" * 2000)
    arrival.came(110)
    assert arrival.due_s(is_read=True) == 120
    assert arrival.due_s(is_read=False) == 160


def test_a_broken_body_is_a_refusal_and_an_end_of_waiting() -> None:
    broken = BodyBroken(Rejection(ErrorCode.INVALID, "no body"))
    assert isinstance(broken, Rejected)
    assert isinstance(broken, TimeoutError)
    assert broken.rejection.message == "no body"
