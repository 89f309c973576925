"""Projects: their messages and their record of state."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Instant, Markdown, Name, Uuid, absent
from protocol.event import Command, Event

ProjectStatus = Literal["Active", "Completed", "OnHold", "Archived"]
Visibility = Literal["private", "public"]
"""`public`: everybody with an account may look and follow, as a viewer does; only members do anything."""
StateGroup = Literal["backlog", "unstarted", "started", "completed", "cancelled"]
ProjectKey = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,9}$")]
StateId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


@with_config(VIEW_CONFIG)
class WorkflowState(TypedDict):
    """A named state of tasks. The group is what reports and filters understand; `waiting` marks time nobody works."""

    id: StateId
    name: Name
    group: StateGroup
    waiting: bool


def _distinct(states: list[WorkflowState]) -> list[WorkflowState]:
    for field in ("id", "name"):
        if len({state[field] for state in states}) != len(states):
            raise ValueError(f"two states have the same {field}")
    return states


States = Annotated[list[WorkflowState], Field(min_length=1, max_length=50), AfterValidator(_distinct)]

DEFAULT_STATES: tuple[WorkflowState, ...] = (
    {"id": "backlog", "name": "Backlog", "group": "backlog", "waiting": True},
    {"id": "todo", "name": "Todo", "group": "unstarted", "waiting": True},
    {"id": "in-progress", "name": "In Progress", "group": "started", "waiting": False},
    {"id": "done", "name": "Done", "group": "completed", "waiting": False},
    {"id": "cancelled", "name": "Cancelled", "group": "cancelled", "waiting": False},
)


@with_config(VIEW_CONFIG)
class ProjectView(TypedDict):
    """A project's own fields. `deletedAt` is set while it can still be restored."""

    id: Uuid
    key: ProjectKey
    name: Name
    description: Markdown
    status: ProjectStatus
    visibility: Visibility
    states: States
    createdAt: Instant
    updatedAt: Instant
    deletedAt: Instant | None


@with_config(VIEW_CONFIG)
class ProjectChanges(TypedDict, total=False):
    """The fields of a project that an edit can set."""

    name: Name
    description: Markdown
    status: ProjectStatus
    visibility: Visibility
    states: States


class CreateProject(Command):
    """Creates the project whose id the stream names. The author becomes its owner; the operator names one.

    `templateId` is a project that the author may look at, of at most 1,000 tasks, 5,000 links and 500,000 characters in
    all texts that are copied. Its description and states, where none are given, its roles, fields, milestones, tasks
    and links are: not its people, dates, comments and history. Closed tasks begin again in the first open state.
    """

    name: Name
    key: ProjectKey = absent()
    description: Markdown = ""
    visibility: Visibility = "private"
    states: States = absent()
    owner_id: Uuid = absent()
    template_id: Uuid = absent()


class EditProject(Command):
    """Sets the fields that are present. What was public and becomes private is cut off from all but its members."""

    name: Name = absent()
    description: Markdown = absent()
    status: ProjectStatus = absent()
    visibility: Visibility = absent()
    states: States = absent()


class ArchiveProject(Command):
    """Sets the status to Archived: everything stays readable, and its content cannot be changed."""


class UnarchiveProject(Command):
    """Sets the status of an archived project back."""

    status: Literal["Active", "Completed", "OnHold"] = "Active"


class DeleteProject(Command):
    """Hides the project. Its owners find it with `deleted=true`, and can restore it until it is purged."""


class RestoreProject(Command):
    """Takes a deletion back."""


class PurgeProject(Command):
    """Ends a deleted project for good. A timer sends it some time after the deletion; an owner may be faster.

    Its key stays taken. Its entries stay in the log, without what was in them.
    """


class ProjectCreated(Event):
    """The first event of a project stream. Version 1 knew no visibility."""

    version = 2
    project: ProjectView


def project_created_2(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 to 2: every project was private."""
    return {"project": {**data["project"], "visibility": "private"}}


class ProjectEdited(Event):
    """`changes` holds the new values, `was` the previous ones of the same fields."""

    changes: ProjectChanges
    was: ProjectChanges


class ProjectDeleted(Event):
    """The project is hidden; its entry says by whom and when."""


class ProjectRestored(Event):
    """The project is back."""


class ProjectPurged(Event):
    """Nothing of the project is left; everything before this entry is on its way out of the log."""


class Erased(Event):
    """Stands where a purged project's event stood, with whatever else its entry held."""
