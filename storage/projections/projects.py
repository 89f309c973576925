"""Projects: their rows, and the projects of a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_never

from protocol.log import Entry
from protocol.projects import ProjectCreated, ProjectDeleted, ProjectEdited, ProjectRestored
from storage.projections.table import Column, Listed, Row, Table, listed

if TYPE_CHECKING:
    from storage.postgres.pool import Database

TABLE = Table(
    "projects",
    ("id",),
    (
        Column("id"),
        Column("key"),
        Column("name"),
        Column("description"),
        Column("status"),
        Column("states", "jsonb"),
        Column("createdAt"),
        Column("updatedAt"),
        Column("deletedAt"),
        Column("seq", "bigint"),
    ),
)

ProjectFact = ProjectCreated | ProjectEdited | ProjectDeleted | ProjectRestored


def fold(row: Row | None, event: ProjectFact, entry: Entry) -> Row:
    """The row after the event. Raises KeyError for an event before the creation."""
    if isinstance(event, ProjectCreated):
        return {**event.project, "seq": entry.seq}
    if row is None:
        raise KeyError(entry.stream)
    later = max(row["updatedAt"], entry.at)
    match event:
        case ProjectEdited():
            return {**row, **event.changes, "updatedAt": later, "seq": entry.seq}
        case ProjectDeleted():
            return {**row, "deletedAt": entry.at, "updatedAt": later, "seq": entry.seq}
        case ProjectRestored():
            return {**row, "deletedAt": None, "updatedAt": later, "seq": entry.seq}
        case _:
            assert_never(event)


def reach(row: Row, entry: Entry) -> Row:
    """The row after any entry of the project's stream: it says how far the projection is."""
    return {**row, "seq": entry.seq}


async def list_of_user(database: Database, user_id: str, after: tuple[str, str] | None, limit: int) -> Sequence[Listed]:
    """The projects that a person is a member of and that are not deleted, the last changed first.

    `after` is (updatedAt, id) of the last one of the page before. Raises NotApplied.
    """
    query = f"""
        SELECT {TABLE.select("p")}
          FROM members m JOIN projects p ON p.id = m.project_id
         WHERE m.user_id = $1 AND p.deleted_at IS NULL
           AND ($2::text IS NULL OR (p.updated_at, p.id) < ($2, $3::text))
         ORDER BY p.updated_at DESC, p.id DESC LIMIT $4"""  # noqa: S608
    updated_at, project_id = after or (None, None)
    records = await database.fetch(query, user_id, updated_at, project_id, limit)
    return [listed(TABLE.row(record)) for record in records]


async def list_all(database: Database, after: str | None, limit: int) -> Sequence[Listed]:
    """All projects by id, deleted ones too: for the operator. Raises NotApplied."""
    query = f"""
        SELECT {TABLE.select("p")} FROM projects p
         WHERE $1::text IS NULL OR p.id > $1 ORDER BY p.id LIMIT $2"""  # noqa: S608
    return [listed(TABLE.row(record)) for record in await database.fetch(query, after, limit)]
