"""The end of quiet hours, in nights in which the clock is turned too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.user.quiet import quiet_until
from protocol.base import datetime_of, instant_of
from protocol.preferences import QuietHours

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
)
"""Clocks that are turned at 1, 2 and 3, at midnight, by half an hour, and never."""
BERLIN: QuietHours = {"start": "22:00", "end": "02:30", "timezone": "Europe/Berlin"}


def _changes(zone: ZoneInfo) -> list[datetime]:
    """The hours before the clock is turned, in some years; the first of January where it never is."""
    first = datetime(2024, 1, 1, tzinfo=UTC)
    hours = [first + timedelta(hours=number) for number in range(4 * 366 * 24)]
    offsets = [one.astimezone(zone).utcoffset() for one in hours]
    return [hours[at] for at in range(len(hours) - 1) if offsets[at] != offsets[at + 1]] or [first]


CHANGES = {name: _changes(ZoneInfo(name)) for name in ZONES}


def _shows(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"


def _is_quiet(hours: QuietHours, moment: datetime) -> bool:
    start, end, shown = hours["start"], hours["end"], _shows(moment, hours["timezone"])
    return start <= shown < end if start < end else shown >= start or shown < end


@st.composite
def moments(draw: st.DrawFn) -> tuple[QuietHours, datetime]:
    """A moment around a change of the clock, or of any day, and hours that begin and end around it, or at any time."""
    zone = draw(st.sampled_from(ZONES))
    change = draw(st.sampled_from(CHANGES[zone])) + draw(st.sampled_from([0 * DAY, draw(st.integers(0, 365)) * DAY]))
    around = st.integers(-180, 180).map(lambda minutes: _shows(change + minutes * MINUTE, zone))
    anywhere = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
    start = draw(around | anywhere)
    end = draw((around | anywhere).filter(lambda time_of_day: time_of_day != start))
    now = change + timedelta(seconds=draw(st.integers(-4 * 3600, 4 * 3600) | st.integers(-86_400, 86_400)))
    return {"start": start, "end": end, "timezone": zone}, now


@settings(max_examples=500, derandomize=True, database=None, deadline=None)
@given(moments())
def test_it_is_quiet_from_now_until_then_and_not_any_more(drawn: tuple[QuietHours, datetime]) -> None:
    hours, now = drawn
    until = quiet_until(hours, instant_of(now))
    assert (until is not None) == _is_quiet(hours, now)
    if until is None:
        return
    end = datetime_of(until)
    assert now < end
    assert not _is_quiet(hours, end)
    assert quiet_until(hours, until) is None
    minutes = int((end - now) / MINUTE)
    assert all(_is_quiet(hours, now + number * MINUTE) for number in range(minutes + (end - now > minutes * MINUTE)))
    assert quiet_until(hours, instant_of(end - timedelta(milliseconds=1))) == until


@pytest.mark.parametrize(
    ("now", "until"),
    [
        # In autumn 02:30 comes twice: it is quiet until the first, and again from 02:00 to the second.
        ("2027-10-31T00:10:00.000Z", "2027-10-31T00:30:00.000Z"),
        ("2027-10-31T00:30:00.000Z", None),
        ("2027-10-31T01:10:00.000Z", "2027-10-31T01:30:00.000Z"),
        # In spring there is no 02:30: at 02:00 it is 03:00.
        ("2027-03-28T00:30:00.000Z", "2027-03-28T01:00:00.000Z"),
        ("2027-03-28T01:00:00.000Z", None),
    ],
)
def test_nights_in_which_the_clock_is_turned(now: str, until: str | None) -> None:
    assert quiet_until(BERLIN, now) == until
