"""Pages of records across projects: only of those that the reader is a member of now, and that are not deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from storage.projections.table import Listed, Table, listed

if TYPE_CHECKING:
    from storage.postgres.pool import Database


class PlaceAcross(NamedTuple):
    """Where a page ended: the instant that the pages are ordered by, and which record had it."""

    instant: str
    project_id: str
    record_id: str


BEGINNING: Final = PlaceAcross("", "", "")
"""Before every record, for pages that have the oldest first."""
_ANYWHERE: Final = (None, None, None)
"""No place, for pages that have the newest first."""


class InProject(NamedTuple):
    """A record with the project that it lies in."""

    project_id: str
    listed: Listed


@dataclass(frozen=True)
class Across:
    """A read of a table whose key is (projectId, id), the newest by the column `instant` first.

    `condition` is SQL over the table's alias `r`; $1 is the reader, and $6 is where the arguments of `page` begin. It
    comes from this package alone, never from outside.
    """

    table: Table
    instant: str
    condition: str

    async def page(
        self, database: Database, reader_id: str, after: PlaceAcross | None, limit: int, *arguments: str
    ) -> Sequence[InProject]:
        """Raises NotApplied."""
        return await self._rows(database, self._query, reader_id, *(after or _ANYWHERE), limit, *arguments)

    async def page_until(
        self, database: Database, reader_id: str, after: PlaceAcross | None, limit: int, bytes_max: int | None
    ) -> Sequence[InProject]:
        """The same, up to the row with which the descriptions come to `bytes_max`. Raises NotApplied."""
        return await self._rows(database, self._query_until, reader_id, *(after or _ANYWHERE), limit, bytes_max)

    async def _rows(self, database: Database, query: str, *arguments: object) -> Sequence[InProject]:
        rows = map(self.table.row, await database.fetch(query, *arguments))
        return [InProject(row["projectId"], listed(row, without=("projectId",))) for row in rows]

    @cached_property
    def _query_until(self) -> str:
        return self.table.until(self._query, f"{self.instant} DESC, project_id DESC, id DESC", "$6")

    @cached_property
    def _query(self) -> str:
        return f"""
        SELECT {self.table.select("r")}
          FROM {self.table.name} r JOIN members m ON m.project_id = r.project_id AND m.user_id = $1
                                   JOIN projects p ON p.id = r.project_id AND p.deleted_at IS NULL
         WHERE {self.condition}
           AND ($2::text IS NULL OR (r.{self.instant}, r.project_id, r.id) < ($2, $3::text, $4::text))
         ORDER BY r.{self.instant} DESC, r.project_id DESC, r.id DESC LIMIT $5"""  # noqa: S608
