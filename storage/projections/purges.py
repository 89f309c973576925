"""Purged projects: which they are, what goes with them, and whose entries still hold something."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from protocol.log import Entry
from storage.projections.fact import Fact, NoData
from storage.projections.table import Column, Row, Table

if TYPE_CHECKING:
    from storage.postgres.pool import Connection, Database

TABLE = Table("purges", ("id",), (Column("id"), Column("seq", "bigint")))

PurgeFact = Fact[Literal["ProjectPurged"], NoData]

_UNERASED: Final = """
SELECT p.id, p.seq
  FROM purges p
  JOIN entries first ON first.stream = 'project/' || p.id AND first.seq = 1
 WHERE first.digest <> ''
 ORDER BY p.id LIMIT $1
"""


class Purge(NamedTuple):
    """A project of which nothing is left; `seq` is the entry that says so."""

    project_id: str
    seq: int

    async def sweep(self, connection: Connection, tables: Iterable[Table]) -> None:
        """Deletes the project's rows."""
        for table in tables:
            await table.remove_project(connection, self.project_id)


def fold(row: Row | None, fact: PurgeFact, entry: Entry) -> Row:
    """The row after the event."""
    return {"id": entry.stream.partition("/")[2], "seq": entry.seq}


async def unerased(database: Database, limit: int) -> Sequence[Purge]:
    """Purged projects whose first entry, which is erased last, still holds something. Raises NotApplied."""
    return [Purge(row["id"], row["seq"]) for row in await database.fetch(_UNERASED, limit)]
