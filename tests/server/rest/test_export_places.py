"""Exports have a bounded number of places, of each user too, and nobody keeps one by reading slowly."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, cast

import pytest

from protocol.errors import ErrorCode, Rejected
from protocol.event import OPERATOR, Principal
from server.rest.export_places import ExportLimits, ExportPlaces, PacedWriter

LIMITS = ExportLimits(at_once_max=4, per_user_max=2, grace_s=10.0, bytes_per_s_min=100)
ADA, BOB, EVE = Principal("ada"), Principal("bob"), Principal("eve")
BOT = Principal("bot", "bot", owner_id="ada")


def limit_in_the_way(places: ExportPlaces, principal: Principal) -> str:
    with pytest.raises(Rejected) as refused, places.place(principal):
        raise AssertionError("it has a place")
    rejection = refused.value.rejection
    assert (rejection.code, rejection.details["retryAfterS"]) == (ErrorCode.OVERLOADED, 5)
    return str(rejection.details["limit"])


def test_a_user_and_their_bots_leave_room_for_others() -> None:
    places = ExportPlaces(LIMITS)
    with ExitStack() as stack:
        stack.enter_context(places.place(ADA))
        stack.enter_context(places.place(BOT))
        assert limit_in_the_way(places, ADA) == limit_in_the_way(places, BOT) == "exports-per-user"
        stack.enter_context(places.place(BOB))
        stack.enter_context(places.place(BOB))
        assert limit_in_the_way(places, EVE) == "exports-at-once"
    with places.place(ADA), places.place(ADA):
        assert limit_in_the_way(places, ADA) == "exports-per-user"


def test_the_operator_may_take_what_the_process_has() -> None:
    places = ExportPlaces(LIMITS)
    with ExitStack() as stack:
        for _ in range(LIMITS.at_once_max):
            stack.enter_context(places.place(OPERATOR))
        assert limit_in_the_way(places, OPERATOR) == "exports-at-once"


def test_an_export_that_fails_gives_its_place_back() -> None:
    places = ExportPlaces(ExportLimits(per_user_max=1))
    with pytest.raises(ConnectionError), places.place(ADA):
        raise ConnectionError
    with places.place(ADA):
        assert limit_in_the_way(places, ADA) == "exports-per-user"


class Reader:
    """A clock, and a response whose client takes so many bytes in a second of it."""

    def __init__(self, bytes_per_s: int) -> None:
        self._bytes_per_s = bytes_per_s
        # The time, and what was read.
        self.now_s = 0.0
        self.read_bytes = 0

    def monotonic_s(self) -> float:
        return self.now_s

    async def write(self, chunk: bytes) -> None:
        self.read_bytes += len(chunk)
        self.now_s += len(chunk) / self._bytes_per_s


def writer_for(reader: Reader) -> PacedWriter:
    return PacedWriter(cast("Any", reader), cast("Any", reader), LIMITS)


async def test_who_reads_slowly_but_steadily_is_cut_off_after_the_grace() -> None:
    writer = writer_for(reader := Reader(bytes_per_s=50))
    for _ in range(10):
        await writer.write(bytes(100))
    with pytest.raises(TimeoutError):
        await writer.write(bytes(100))
    assert (reader.read_bytes, reader.now_s) == (1_000, 20.0)


async def test_who_reads_fast_enough_gets_everything() -> None:
    writer = writer_for(reader := Reader(bytes_per_s=100))
    for _ in range(10_000):
        await writer.write(bytes(100))
    assert reader.read_bytes == 1_000_000


async def test_the_time_that_the_server_takes_is_not_the_readers() -> None:
    writer = writer_for(reader := Reader(bytes_per_s=1_000))
    for _ in range(100):
        reader.now_s += LIMITS.grace_s
        await writer.write(bytes(100))
    assert reader.read_bytes == 10_000
