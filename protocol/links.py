"""Links between the tasks of a project: their messages and their record of state."""

from __future__ import annotations

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Instant, PersonId, Uuid, absent
from protocol.event import Command, Event

LinkType = Literal["blocks", "precedes", "relates", "duplicates"]
"""`taskId` blocks, precedes or duplicates `otherId`. `relates` has no direction."""


@with_config(VIEW_CONFIG)
class LinkView(TypedDict):
    """A link. It is hidden while one of its tasks is deleted, and back with it."""

    id: Uuid
    type: LinkType
    taskId: Uuid
    otherId: Uuid
    createdBy: PersonId
    createdAt: Instant


class AddLink(Command):
    """Links two tasks of the project. The id may come from the client.

    Two tasks have at most one link of each type and direction; `relates` has none. `already_exists` names the one that
    is there (`linkId`). Blocking, preceding and subtasks together never close a cycle: the refusal has the reason
    `cycle` and names the tasks on it.
    """

    makes = "link_id"

    link_id: Uuid = absent()
    task_id: Uuid
    type: LinkType
    other_id: Uuid


class RemoveLink(Command):
    """Takes a link away, also one that is hidden because a task of it is deleted."""

    link_id: Uuid


class LinkAdded(Event):
    """The whole link as it was made."""

    link: LinkView


class LinkRemoved(Event):
    """`was` is the link that is gone."""

    link_id: Uuid
    was: LinkView
