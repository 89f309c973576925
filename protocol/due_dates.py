"""Due dates that come near. Nobody but the server's own timers sends this command."""

from __future__ import annotations

from protocol.base import Day, Uuid
from protocol.event import Command, Event


class RemindOfDueDate(Command):
    """The day before `dueDate` has begun (UTC). Refused, as `not_due`, where the task is closed or has another date.

    It is refused in a deleted or archived project, too. When the task comes back in time it is sent again.
    """

    task_id: Uuid
    due_date: Day


class DueDateNeared(Event):
    """The task is open and due the next day, or sooner where the date was set late or the task came back late.
    Said once per task and date. It changes nothing.
    """

    task_id: Uuid
    due_date: Day
