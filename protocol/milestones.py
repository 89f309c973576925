"""Milestones: what a project plans towards. Their messages and their record of state."""

from __future__ import annotations

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Day, Instant, Markdown, Name, PersonId, Uuid, absent
from protocol.event import Command, Event

MilestoneStatus = Literal["Open", "Closed"]


@with_config(VIEW_CONFIG)
class MilestoneView(TypedDict):
    """A milestone. `closedAt` is when it was last closed, null while it is open. Tasks name it in `milestoneId`."""

    id: Uuid
    name: Name
    description: Markdown
    status: MilestoneStatus
    startDate: Day | None
    dueDate: Day | None
    createdBy: PersonId
    createdAt: Instant
    updatedAt: Instant
    closedAt: Instant | None


@with_config(VIEW_CONFIG)
class MilestoneChanges(TypedDict, total=False):
    """The fields of a milestone that an edit can set."""

    name: Name
    description: Markdown
    status: MilestoneStatus
    startDate: Day | None
    dueDate: Day | None


class CreateMilestone(Command):
    """Adds an open milestone; the id may come from the client.

    No other milestone of the project may have the name, however it is capitalised. `dueDate` must not lie before
    `startDate`.
    """

    makes = "milestone_id"

    milestone_id: Uuid = absent()
    name: Name
    description: Markdown = ""
    start_date: Day | None = None
    due_date: Day | None = None


class EditMilestone(Command):
    """Sets the fields that are present; `status` closes it and opens it again. A closed one still takes tasks."""

    milestone_id: Uuid
    name: Name = absent()
    description: Markdown = absent()
    status: MilestoneStatus = absent()
    start_date: Day | None = absent()
    due_date: Day | None = absent()


class DeleteMilestone(Command):
    """Removes the milestone. Its tasks go on without one."""

    milestone_id: Uuid


class MilestoneCreated(Event):
    """The whole milestone as it was created."""

    milestone: MilestoneView


class MilestoneEdited(Event):
    """`changes` holds the new values, `was` the previous ones. `closedAt` is given whenever the status changed."""

    milestone_id: Uuid
    changes: MilestoneChanges
    was: MilestoneChanges
    closed_at: Instant | None = absent()


class MilestoneDeleted(Event):
    """`was` is the milestone as it was. In the same entry, before it, every task of it is edited to have none."""

    milestone_id: Uuid
    was: MilestoneView
