"""Profiles: their rows, read by user id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, assert_never

from typing_extensions import TypedDict

from protocol.log import Entry
from protocol.profiles import ProfileChanges, ProfileView
from storage.projections.fact import Fact
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


class ProfileCreatedData(TypedDict):
    """See `protocol.profiles.ProfileCreated`."""

    profile: ProfileView


class ProfileEditedData(TypedDict):
    """See `protocol.profiles.ProfileEdited`."""

    changes: ProfileChanges
    was: ProfileChanges


ProfileFact = Fact[Literal["ProfileCreated"], ProfileCreatedData] | Fact[Literal["ProfileEdited"], ProfileEditedData]


def fold(row: Row | None, fact: ProfileFact, entry: Entry) -> Row:
    """The row after the event. Raises KeyError for an edit before the creation."""
    match fact["kind"]:
        case "ProfileCreated":
            return {**fact["data"]["profile"], "seq": entry.seq}
        case "ProfileEdited":
            if row is None:
                raise KeyError(entry.stream)
            return {**row, **fact["data"]["changes"], "updatedAt": entry.at, "seq": entry.seq}
        case _:
            assert_never(fact)


async def read(database: Database, user_ids: Sequence[str]) -> Mapping[str, Listed]:
    """The profiles of these users; who has none is missing. Raises NotApplied."""
    query = f"SELECT {TABLE.select('f')} FROM profiles f WHERE f.user_id = ANY($1::text[])"  # noqa: S608
    rows = map(TABLE.row, await database.fetch(query, list(user_ids)))
    return {row["userId"]: listed(row) for row in rows}
