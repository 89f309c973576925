"""When a task comes again: its dates moved by the rule, and what the rule has in mind of them."""

from __future__ import annotations

from calendar import monthrange
from datetime import MAXYEAR, date, timedelta
from typing import Final, NamedTuple

from protocol.base import Day
from protocol.tasks import Recurrence, TaskView

_MONTHS: Final = {"month": 1, "year": 12}
_DAYS: Final = {"day": 1, "week": 7}


class NextDates(NamedTuple):
    """When a task comes again, and the rule that its next one has."""

    start: Day | None
    due: Day | None
    rule: Recurrence


def without_days_of_no_date(rule: Recurrence, start: Day | None, due: Day | None) -> Recurrence:
    """The rule for a task with these dates: the day that one goes back to is gone with that date."""
    fitting: Recurrence = {"every": rule["every"], "unit": rule["unit"]}
    if start is not None and "startDay" in rule:
        fitting["startDay"] = rule["startDay"]
    if due is not None and "dueDay" in rule:
        fitting["dueDay"] = rule["dueDay"]
    return fitting


def next_dates(task: TaskView, rule: Recurrence, completed_at: str) -> NextDates | None:
    """The task's dates moved by the rule; without any, it is due that long after the day of its completion (UTC).

    A day that its month does not have becomes the month's last one, and the rule remembers the day it goes back to.
    It remembers none of a date that the task does not have.
    None when a day would lie beyond the year 9999.
    """
    start, due = task["startDate"], task["dueDate"]
    rule = without_days_of_no_date(rule, start, due)
    if start is None and due is None:
        due = completed_at[:10]
    next_start = _moved(start, rule, rule.get("startDay")) if start is not None else None
    next_due = _moved(due, rule, rule.get("dueDay")) if due is not None else None
    if (start is not None and next_start is None) or (due is not None and next_due is None):
        return None
    following: Recurrence = {"every": rule["every"], "unit": rule["unit"]}
    if next_start is not None and next_start.wanted is not None:
        following["startDay"] = next_start.wanted
    if next_due is not None and next_due.wanted is not None:
        following["dueDay"] = next_due.wanted
    first, last = next_start and next_start.day, next_due and next_due.day
    if start is not None and due is not None and first is not None and last is not None and start <= due:
        first = min(first, last)
    return NextDates(first, last, following)


class _Moved(NamedTuple):
    """A day, and the day of the month that it would be if its month were long enough."""

    day: Day
    wanted: int | None


def _moved(day: Day, rule: Recurrence, wanted: int | None) -> _Moved | None:
    moment = date.fromisoformat(day)
    if rule["unit"] in _DAYS:
        try:
            return _Moved((moment + timedelta(days=rule["every"] * _DAYS[rule["unit"]])).isoformat(), None)
        except OverflowError:
            return None
    months = moment.year * 12 + moment.month - 1 + rule["every"] * _MONTHS[rule["unit"]]
    year, month = months // 12, months % 12 + 1
    if year > MAXYEAR:
        return None
    # Only a day that its month cut short goes back: whoever has moved the date since meant what they said.
    was_cut = wanted is not None and wanted > moment.day == monthrange(moment.year, moment.month)[1]
    number = wanted if was_cut and wanted is not None else moment.day
    length = monthrange(year, month)[1]
    return _Moved(date(year, month, min(number, length)).isoformat(), number if number > length else None)
