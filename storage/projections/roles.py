"""Roles of projects' own: they write no row. A project's roles are read from its actor."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from protocol.roles import RoleChanges, RoleView
from storage.projections.fact import Fact


class RoleDefinedData(TypedDict):
    """See `protocol.roles.RoleDefined`."""

    role: RoleView


class RoleEditedData(TypedDict):
    """See `protocol.roles.RoleEdited`."""

    roleId: str
    changes: RoleChanges
    was: RoleChanges


class RoleRemovedData(TypedDict):
    """See `protocol.roles.RoleRemoved`."""

    roleId: str
    was: RoleView


RoleFact = (
    Fact[Literal["RoleDefined"], RoleDefinedData]
    | Fact[Literal["RoleEdited"], RoleEditedData]
    | Fact[Literal["RoleRemoved"], RoleRemovedData]
)
