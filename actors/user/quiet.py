"""Quiet hours: until when somebody is not to be disturbed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from protocol.base import datetime_of, instant_of
from protocol.preferences import QuietHours


def quiet_until(hours: QuietHours | None, now: str) -> str | None:
    """The end of the quiet hours that `now` lies in; None outside of them.

    The clock is that of the person's zone, daylight saving included. A zone that this machine does not know is UTC.
    """
    if hours is None:
        return None
    local = datetime_of(now).astimezone(_zone_of(hours["timezone"]))
    start, end = _minutes(hours["start"]), _minutes(hours["end"])
    minute = local.hour * 60 + local.minute
    if start < end:
        inside, days = start <= minute < end, 0
    else:
        inside, days = minute >= start or minute < end, 1 if minute >= start else 0
    return instant_of(_at(local, end, days)) if inside else None


def _at(local: datetime, minute: int, days: int) -> datetime:
    day = local + timedelta(days=days)
    return day.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0, fold=0)


def _minutes(time_of_day: str) -> int:
    hours, _, minutes = time_of_day.partition(":")
    return int(hours) * 60 + int(minutes)


def _zone_of(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
