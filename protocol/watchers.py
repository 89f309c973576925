"""Watchers: who wants to hear of a task. Their messages; who watches stands in the task's record."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from protocol.base import Unique, Uuid
from protocol.event import Command, Event

Watchers = Annotated[list[Uuid], Field(max_length=1000), Unique()]


class WatchTask(Command):
    """The author watches the task. Every member may who may see it; others who look at a public project may not
    (`watcher_not_member`).

    Nobody watches by taking part alone. Who may edit the task can add other members (`EditTask`), and each may stop.

    Watchers are told when the task is edited, commented, deleted or restored, and when it is nearly due; not of links,
    nor of changes to comments.
    """

    task_id: Uuid


class UnwatchTask(Command):
    """The author watches the task no longer."""

    task_id: Uuid


class WatchersChanged(Event):
    """Who began and who stopped watching a task. The task itself does not count as changed."""

    task_id: Uuid
    added: Watchers = Field(default_factory=list)
    removed: Watchers = Field(default_factory=list)
