"""Quiet hours: until when somebody is not to be disturbed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from protocol.base import datetime_of, instant_of
from protocol.preferences import QuietHours

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def quiet_until(hours: QuietHours | None, now: str) -> str | None:
    """The first instant after `now` that is outside of the quiet hours; None where `now` itself is.

    The clock is that of the person's zone. Where it is turned back, a quiet hour is quiet twice; where it is put
    forward over the end, it is quiet until then. A zone that this machine does not know is UTC.
    """
    if hours is None:
        return None
    zone, moment = _zone_of(hours["timezone"]), datetime_of(now)
    if not _is_quiet(hours, zone, moment):
        return None
    while _is_quiet(hours, zone, moment):
        end = moment + (_since_midnight(hours["end"]) - _time_of_day(zone, moment)) % _DAY
        moment = _clock_change(zone, moment, end) or end
    return instant_of(moment)


def _is_quiet(hours: QuietHours, zone: tzinfo, moment: datetime) -> bool:
    start, end, time_of_day = _since_midnight(hours["start"]), _since_midnight(hours["end"]), _time_of_day(zone, moment)
    return start <= time_of_day < end if start < end else time_of_day >= start or time_of_day < end


def _time_of_day(zone: tzinfo, moment: datetime) -> timedelta:
    """What the clock on the wall shows."""
    local = moment.astimezone(zone)
    return timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def _clock_change(zone: tzinfo, start: datetime, end: datetime) -> datetime | None:
    """The whole second after `start`, and not after `end`, in which the clock is turned; None where it never is.

    A clock is turned once between them at most: zones change their time weeks apart, and quiet hours are within a day.
    """
    if _offset(zone, start) == _offset(zone, end):
        return None
    before, after = start.replace(microsecond=0), end
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        before, after = (middle, after) if _offset(zone, middle) == _offset(zone, start) else (before, middle)
    return after


def _offset(zone: tzinfo, moment: datetime) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


def _since_midnight(time_of_day: str) -> timedelta:
    hours, _, minutes = time_of_day.partition(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def _zone_of(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
