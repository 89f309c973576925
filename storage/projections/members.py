"""Members: their rows, and who is in a project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_never

from protocol.log import Entry
from protocol.members import MemberAdded, MemberRemoved, MemberRoleChanged
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

MemberFact = MemberAdded | MemberRoleChanged | MemberRemoved


def fold(row: Row | None, event: MemberFact, entry: Entry) -> Row | None:
    """The row after the event, None when the membership is over."""
    match event:
        case MemberAdded():
            return {
                "projectId": entry.stream.partition("/")[2],
                "userId": event.user_id,
                "role": event.role,
                "addedAt": entry.at,
                "seq": entry.seq,
            }
        case MemberRoleChanged():
            if row is None:
                raise KeyError(event.user_id)
            return {**row, "role": event.role, "seq": entry.seq}
        case MemberRemoved():
            return None
        case _:
            assert_never(event)


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
