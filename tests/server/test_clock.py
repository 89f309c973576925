"""The machine's clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from protocol.base import canonical_instant, datetime_of
from server.clock import SystemClock


def test_now_is_the_canonical_instant_of_this_moment() -> None:
    now = SystemClock().now()

    assert canonical_instant(now) == now
    assert abs(datetime_of(now) - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_monotonic_clock_never_falls() -> None:
    clock = SystemClock()
    readings = [clock.monotonic_s() for _ in range(1000)]

    assert readings == sorted(readings)
