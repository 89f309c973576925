"""Roles of a project's own: their messages and their record of state. The built-in ones cannot be changed."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import AfterValidator, Field, StringConstraints, with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Instant, Name, Uuid, absent
from protocol.event import Command, Event

PermissionName = Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z]+\.[a-z_]+$")]
"""Such as `task.edit`. In the log it is text: a name that a later version has dropped must stay readable."""


def _sorted_set(names: list[str]) -> list[str]:
    return sorted(set(names))


PermissionNames = Annotated[list[PermissionName], Field(max_length=200), AfterValidator(_sorted_set)]


@with_config(VIEW_CONFIG)
class RoleView(TypedDict):
    """A role that a project has defined. Its permissions are sorted and include those to look at everything."""

    id: Uuid
    name: Name
    permissions: PermissionNames
    createdAt: Instant
    updatedAt: Instant


@with_config(VIEW_CONFIG)
class ListedRole(TypedDict):
    """A role as lists show it: one of the project's own, or a built-in one, whose id is its name."""

    id: str
    name: Name
    permissions: list[str]
    builtIn: bool
    createdAt: NotRequired[Instant]
    updatedAt: NotRequired[Instant]


@with_config(VIEW_CONFIG)
class RoleChanges(TypedDict, total=False):
    """The fields of a role that an edit can set."""

    name: Name
    permissions: PermissionNames


class DefineRole(Command):
    """Names a set of permissions, which members can then be given by the role's id. Nobody gives more than they have.

    Looking at the project belongs to every role and need not be named. The id may come from the client.
    """

    makes = "role_id"

    role_id: Uuid = absent()
    name: Name
    permissions: PermissionNames


class EditRole(Command):
    """Sets the fields that are present; members who have the role may at once what it says then.

    Invitations that their inviter could not make any more end.
    """

    role_id: Uuid
    name: Name = absent()
    permissions: PermissionNames = absent()


class RemoveRole(Command):
    """Refused (`role_in_use`) while anybody has the role."""

    role_id: Uuid


class RoleDefined(Event):
    """The whole role."""

    role: RoleView


class RoleEdited(Event):
    """`changes` holds the new values, `was` the previous ones of the same fields."""

    role_id: Uuid
    changes: RoleChanges
    was: RoleChanges


class RoleRemoved(Event):
    """`was` is the role that nobody had any more."""

    role_id: Uuid
    was: RoleView
