"""Activity: at which entries of the log an object or a person is found. What these say stays in the log alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from protocol.activity import NOT_TOLD, named_objects
from protocol.base import datetime_of, instant_of
from storage.projections import comments
from storage.projections.folding import Place, ReadEntry, Rows

if TYPE_CHECKING:
    from storage.postgres.pool import Connection, Database

OBJECTS: Final = "activity_objects"
AUTHORS: Final = "activity_authors"

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NOTE_OBJECTS: Final = f"""
INSERT INTO {OBJECTS} (project_id, object_id, seq)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) ON CONFLICT DO NOTHING
"""  # noqa: S608
_NOTE_AUTHORS: Final = f"""
INSERT INTO {AUTHORS} (author_id, project_id, at, seq)
SELECT n.author_id, n.project_id, n.at::timestamptz, n.seq
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[]) n (author_id, project_id, at, seq)
    ON CONFLICT DO NOTHING
"""  # noqa: S608
_OF_OBJECT: Final = f"""
SELECT seq FROM {OBJECTS} WHERE project_id = $1 AND object_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4
"""  # noqa: S608
# The projects of a person are found by skipping through the index, one probe each; then each one's newest entries.
_OF_PERSON: Final = f"""
WITH RECURSIVE own AS (
    (SELECT a.project_id FROM {AUTHORS} a WHERE a.author_id = $1 ORDER BY a.project_id LIMIT 1)
    UNION ALL
    SELECT (SELECT a.project_id FROM {AUTHORS} a
             WHERE a.author_id = $1 AND a.project_id > own.project_id ORDER BY a.project_id LIMIT 1)
      FROM own WHERE own.project_id IS NOT NULL
)
SELECT newest.at, own.project_id, newest.seq
  FROM own
  JOIN projects p ON p.id = own.project_id::text AND p.deleted_at IS NULL
  CROSS JOIN LATERAL (
      SELECT a.at, a.seq
        FROM {AUTHORS} a
       WHERE a.author_id = $1 AND a.project_id = own.project_id
         AND ($3::timestamptz IS NULL OR (a.at <= $3 AND (a.at, a.project_id, a.seq) < ($3, $4::uuid, $5::bigint)))
       ORDER BY a.at DESC, a.seq DESC
       LIMIT $6
  ) newest
 WHERE $2::text IS NULL OR p.visibility = 'public'
    OR EXISTS (SELECT FROM members m WHERE m.project_id = p.id AND m.user_id = $2)
 ORDER BY newest.at DESC, own.project_id DESC, newest.seq DESC
 LIMIT $6
"""  # noqa: S608


class Deed(NamedTuple):
    """An entry of a person: when, in which project, and which one. They are ordered by this."""

    at: str
    project_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Noted:
    """What entries add: (project, object, seq) and (author, deed)."""

    objects: Sequence[tuple[str, str, int]]
    deeds: Sequence[tuple[str, Deed]]


def noted(entries: Iterable[ReadEntry], rows: Rows) -> Noted:
    """What is to be written; `rows` hold the comments that the entries touch.

    A comment's events are about its task as well. Authors without an account (imported ones, the server) have no
    activity of their own.
    """
    objects: list[tuple[str, str, int]] = []
    deeds: list[tuple[str, Deed]] = []
    for read in entries:
        entry = read.entry
        kind, _, project_id = entry.stream.partition("/")
        told = [event["data"] for event in read.events if event["kind"] not in NOT_TOLD]
        if kind != "project" or not told:
            continue
        found = {name for data in told for name in _objects_of(project_id, data, rows)}
        objects.extend((project_id, name, entry.seq) for name in sorted(filter(_is_id, found)))
        if _is_id(entry.author):
            deeds.append((entry.author, Deed(entry.at, project_id, entry.seq)))
    return Noted(objects, deeds)


@lru_cache(maxsize=4096)
def _is_id(name: str) -> bool:
    return _UUID.fullmatch(name) is not None


def _objects_of(project_id: str, data: Any, rows: Rows) -> list[str]:
    found = list(named_objects(data))
    if "commentId" in data:
        comment = rows.get(Place(comments.TABLE.name, (project_id, data["commentId"])))
        if comment is not None:
            found.append(comment["taskId"])
    return found


async def note(connection: Connection, what: Noted) -> None:
    """Writes it; what is there already stays."""
    if what.objects:
        projects, objects, seqs = zip(*what.objects, strict=True)
        await connection.execute(_NOTE_OBJECTS, projects, objects, seqs)
    if what.deeds:
        authors = [author for author, _ in what.deeds]
        instants, projects, seqs = zip(*(deed for _, deed in what.deeds), strict=True)
        await connection.execute(_NOTE_AUTHORS, authors, projects, instants, seqs)


async def forget_project(connection: Connection, project_id: str) -> None:
    """Nobody is told any more where its entries stand."""
    for table in (OBJECTS, AUTHORS):
        await connection.execute(f"DELETE FROM {table} WHERE project_id = $1", project_id)  # noqa: S608


async def list_of_object(database: Database, project_id: str, object_id: str, before: int, limit: int) -> Sequence[int]:
    """The entries about an object below a seq, the newest first. Raises NotApplied."""
    return [row["seq"] for row in await database.fetch(_OF_OBJECT, project_id, object_id, before, limit)]


async def list_of_person(
    database: Database, author_id: str, reader_id: str | None, after: Deed | None, limit: int
) -> Sequence[Deed]:
    """A person's entries in projects that the reader may look at now (None: in all), the newest first.

    Those of deleted projects are left out. Raises NotApplied.
    """
    at, project_id, seq = (datetime_of(after.at), after.project_id, after.seq) if after else (None, None, None)
    rows = await database.fetch(_OF_PERSON, author_id, reader_id, at, project_id, seq, limit)
    return [Deed(instant_of(row["at"]), str(row["project_id"]), row["seq"]) for row in rows]
