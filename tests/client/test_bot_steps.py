"""The times between two moments, as bots hear them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pantherahive_client.bot_steps import times_between

DAY = timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "after", "until", "times"),
    [
        (DAY, "2026-01-30T12:00", "2026-02-02T00:00", ["2026-01-31", "2026-02-01", "2026-02-02"]),
        (DAY, "2026-01-31T00:00", "2026-01-31T23:59", []),
        (DAY, "2026-01-30T23:59:59.999", "2026-01-31T00:00", ["2026-01-31"]),
        (timedelta(hours=6), "2026-01-31T05:00", "2026-01-31T13:00", ["2026-01-31T06:00", "2026-01-31T12:00"]),
        (DAY, "2026-01-31T12:00", "2026-01-01T00:00", []),
        (None, "2026-01-01T00:00", "2026-01-31T00:00", []),
        (DAY, "1969-12-30T12:00", "1970-01-01T00:00", ["1969-12-31", "1970-01-01"]),
    ],
)
def test_they_are_the_multiples_since_1970(every: timedelta | None, after: str, until: str, times: list[str]) -> None:
    assert list(times_between(every, at(after), at(until))) == [at(time) for time in times]


def test_a_day_is_one_of_utc_whatever_zone_the_ends_are_in() -> None:
    tokyo = timezone(timedelta(hours=9))
    found = times_between(DAY, datetime(2026, 1, 31, 8, tzinfo=tokyo), datetime(2026, 1, 31, 10, tzinfo=tokyo))
    assert list(found) == [at("2026-01-31")]
