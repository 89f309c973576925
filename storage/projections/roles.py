"""Roles of projects' own: their rows."""

from __future__ import annotations

from typing import Literal, assert_never

from typing_extensions import TypedDict

from protocol.log import Entry
from protocol.roles import RoleChanges, RoleView
from storage.projections.fact import Fact
from storage.projections.table import Column, Row, Table

TABLE = Table(
    "roles",
    ("projectId", "id"),
    (
        Column("projectId"),
        Column("id"),
        Column("name"),
        Column("permissions", "jsonb"),
        Column("createdAt"),
        Column("updatedAt"),
        Column("seq", "bigint"),
    ),
)


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


def fold(row: Row | None, fact: RoleFact, entry: Entry) -> Row | None:
    """The row after the event, None when the role is gone. Raises KeyError for an edit before the definition."""
    match fact["kind"]:
        case "RoleDefined":
            return {"projectId": entry.stream.partition("/")[2], **fact["data"]["role"], "seq": entry.seq}
        case "RoleEdited":
            if row is None:
                raise KeyError(fact["data"]["roleId"])
            return {**row, **fact["data"]["changes"], "updatedAt": entry.at, "seq": entry.seq}
        case "RoleRemoved":
            return None
        case _:
            assert_never(fact)
