"""Projects: their rows, and the projects of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, assert_never

from typing_extensions import TypedDict

from protocol.log import Entry
from protocol.projects import ProjectChanges, ProjectView
from storage.projections.fact import Fact, NoData
from storage.projections.table import Column, Listed, Row, Table, listed

if TYPE_CHECKING:
    from storage.postgres.pool import Connection, Database

TABLE = Table(
    "projects",
    ("id",),
    (
        Column("id"),
        Column("key"),
        Column("name"),
        Column("description"),
        Column("status"),
        Column("visibility"),
        Column("states", "jsonb"),
        Column("createdAt"),
        Column("updatedAt"),
        Column("deletedAt"),
        Column("seq", "bigint"),
    ),
)

_REACH: Final = """
UPDATE projects p SET seq = reached.seq
  FROM unnest($1::text[], $2::bigint[]) AS reached (id, seq)
 WHERE p.id = reached.id
"""


class ProjectCreatedData(TypedDict):
    """See `protocol.projects.ProjectCreated`."""

    project: ProjectView


class ProjectEditedData(TypedDict):
    """See `protocol.projects.ProjectEdited`."""

    changes: ProjectChanges
    was: ProjectChanges


ProjectFact = (
    Fact[Literal["ProjectCreated"], ProjectCreatedData]
    | Fact[Literal["ProjectEdited"], ProjectEditedData]
    | Fact[Literal["ProjectDeleted"], NoData]
    | Fact[Literal["ProjectRestored"], NoData]
)


def fold(row: Row | None, fact: ProjectFact, entry: Entry) -> Row:
    """The row after the event. Raises KeyError for an event before the creation."""
    if fact["kind"] == "ProjectCreated":
        return {**fact["data"]["project"], "seq": entry.seq}
    if row is None:
        raise KeyError(entry.stream)
    later = max(row["updatedAt"], entry.at)
    match fact["kind"]:
        case "ProjectEdited":
            return {**row, **fact["data"]["changes"], "updatedAt": later, "seq": entry.seq}
        case "ProjectDeleted":
            return {**row, "deletedAt": entry.at, "updatedAt": later, "seq": entry.seq}
        case "ProjectRestored":
            return {**row, "deletedAt": None, "updatedAt": later, "seq": entry.seq}
        case _:
            assert_never(fact)


async def reach(connection: Connection, seqs: Mapping[str, int]) -> None:
    """Says in the projects' rows how far the projection of their streams is: project id → seq.

    Most entries of a project change nothing else in its row, so the rest of it is neither read nor sent.
    """
    await connection.execute(_REACH, list(seqs), list(seqs.values()))


async def list_of_user(
    database: Database, user_id: str, after: tuple[str, str] | None, limit: int, bytes_max: int | None = None
) -> Sequence[Listed]:
    """The projects that a person is a member of and that are not deleted, the last changed first.

    `after` is (updatedAt, id) of the last one of the page before. The page ends with the project with which the
    descriptions come to `bytes_max`. Raises NotApplied.
    """
    query = f"""
        SELECT {TABLE.select("p")}
          FROM members m JOIN projects p ON p.id = m.project_id
         WHERE m.user_id = $1 AND p.deleted_at IS NULL
           AND ($2::text IS NULL OR (p.updated_at, p.id) < ($2, $3::text))
         ORDER BY p.updated_at DESC, p.id DESC LIMIT $4"""  # noqa: S608
    updated_at, project_id = after or (None, None)
    records = await database.fetch(_until(query, "$5"), user_id, updated_at, project_id, limit, bytes_max)
    return [listed(TABLE.row(record)) for record in records]


async def list_deleted(
    database: Database,
    owner_id: str | None,
    after: tuple[str, str] | None,
    limit: int,
    bytes_max: int | None = None,
) -> Sequence[Listed]:
    """The deleted projects that a person can bring back, as an owner, the last changed first; None: all of them.

    `after` and `bytes_max` as above. Raises NotApplied.
    """
    own = "JOIN members m ON m.project_id = p.id AND m.role = 'owner' AND m.user_id = $5"
    query = f"""
        SELECT {TABLE.select("p")} FROM projects p {own if owner_id is not None else ""}
         WHERE p.deleted_at IS NOT NULL AND ($1::text IS NULL OR (p.updated_at, p.id) < ($1, $2::text))
         ORDER BY p.updated_at DESC, p.id DESC LIMIT $3"""  # noqa: S608
    updated_at, project_id = after or (None, None)
    owner = (owner_id,) if owner_id is not None else ()
    records = await database.fetch(_until(query, "$4"), updated_at, project_id, limit, bytes_max, *owner)
    return [listed(TABLE.row(record)) for record in records]


async def list_public(
    database: Database, after: tuple[str, str] | None, limit: int, bytes_max: int | None = None
) -> Sequence[Listed]:
    """The projects that everybody may look at, the last changed first; the rest as above. Raises NotApplied."""
    query = f"""
        SELECT {TABLE.select("p")} FROM projects p
         WHERE p.visibility = 'public' AND p.deleted_at IS NULL
           AND ($1::text IS NULL OR (p.updated_at, p.id) < ($1, $2::text))
         ORDER BY p.updated_at DESC, p.id DESC LIMIT $3"""  # noqa: S608
    updated_at, project_id = after or (None, None)
    records = await database.fetch(_until(query, "$4"), updated_at, project_id, limit, bytes_max)
    return [listed(TABLE.row(record)) for record in records]


async def list_all(database: Database, after: str | None, limit: int, bytes_max: int | None = None) -> Sequence[Listed]:
    """All projects by id, deleted ones too: for the operator; `bytes_max` as above. Raises NotApplied."""
    query = f"""
        SELECT {TABLE.select("p")} FROM projects p
         WHERE $1::text IS NULL OR p.id > $1 ORDER BY p.id LIMIT $2"""  # noqa: S608
    records = await database.fetch(TABLE.until(query, "id", "$3"), after, limit, bytes_max)
    return [listed(TABLE.row(record)) for record in records]


def _until(query: str, most: str) -> str:
    return TABLE.until(query, "updated_at DESC, id DESC", most)
