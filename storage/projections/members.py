"""Members: their rows, and who is in a project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, assert_never

from typing_extensions import TypedDict

from protocol.log import Entry
from protocol.members import Role
from storage.projections.fact import Fact
from storage.projections.table import Column, Row, Table

if TYPE_CHECKING:
    from storage.postgres.pool import Database

TABLE = Table(
    "members",
    ("projectId", "userId"),
    (
        Column("projectId"),
        Column("userId"),
        Column("role"),
        Column("addedAt"),
        Column("seq", "bigint"),
    ),
)


class MemberAddedData(TypedDict):
    """See `protocol.members.MemberAdded`."""

    userId: str
    role: Role


class MemberRoleChangedData(TypedDict):
    """See `protocol.members.MemberRoleChanged`."""

    userId: str
    role: Role
    was: Role


class MemberRemovedData(TypedDict):
    """See `protocol.members.MemberRemoved`."""

    userId: str
    was: Role


MemberFact = (
    Fact[Literal["MemberAdded"], MemberAddedData]
    | Fact[Literal["MemberRoleChanged"], MemberRoleChangedData]
    | Fact[Literal["MemberRemoved"], MemberRemovedData]
)


def fold(row: Row | None, fact: MemberFact, entry: Entry) -> Row | None:
    """The row after the event, None when the membership is over. Raises KeyError for a role before the membership."""
    match fact["kind"]:
        case "MemberAdded":
            return {
                "projectId": entry.stream.partition("/")[2],
                "userId": fact["data"]["userId"],
                "role": fact["data"]["role"],
                "addedAt": entry.at,
                "seq": entry.seq,
            }
        case "MemberRoleChanged":
            if row is None:
                raise KeyError(fact["data"]["userId"])
            return {**row, "role": fact["data"]["role"], "seq": entry.seq}
        case "MemberRemoved":
            return None
        case _:
            assert_never(fact)


async def list_ids(database: Database, project_id: str, after: str | None, limit: int) -> Sequence[str]:
    """A page of the members' user ids, ascending, those after `after`. Raises NotApplied."""
    records = await database.fetch(
        "SELECT user_id FROM members WHERE project_id = $1 AND ($2::text IS NULL OR user_id > $2)"
        " ORDER BY user_id LIMIT $3",
        project_id,
        after,
        limit,
    )
    return [record["user_id"] for record in records]
