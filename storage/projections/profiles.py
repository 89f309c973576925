"""Profiles: their rows, read by user id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, assert_never

from protocol.log import Entry
from protocol.profiles import ProfileCreated, ProfileEdited
from storage.projections.table import Column, Listed, Row, Table, listed

if TYPE_CHECKING:
    from storage.postgres.pool import Database

TABLE = Table(
    "profiles",
    ("userId",),
    (
        Column("userId"),
        Column("firstName"),
        Column("lastName"),
        Column("bio"),
        Column("avatarId"),
        Column("createdAt"),
        Column("updatedAt"),
        Column("seq", "bigint"),
    ),
)

ProfileFact = ProfileCreated | ProfileEdited


def fold(row: Row | None, event: ProfileFact, entry: Entry) -> Row:
    """The row after the event. Raises KeyError for an edit before the creation."""
    match event:
        case ProfileCreated():
            return {**event.profile, "seq": entry.seq}
        case ProfileEdited():
            if row is None:
                raise KeyError(entry.stream)
            return {**row, **event.changes, "updatedAt": entry.at, "seq": entry.seq}
        case _:
            assert_never(event)


async def read(database: Database, user_ids: Sequence[str]) -> Mapping[str, Listed]:
    """The profiles of these users; who has none is missing. Raises NotApplied."""
    query = f"SELECT {TABLE.select('f')} FROM profiles f WHERE f.user_id = ANY($1::text[])"  # noqa: S608
    rows = map(TABLE.row, await database.fetch(query, list(user_ids)))
    return {row["userId"]: listed(row) for row in rows}
