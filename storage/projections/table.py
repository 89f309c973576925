"""A read table: rows as JSON objects on one side, a few statements for many rows on the other."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import orjson

if TYPE_CHECKING:
    import asyncpg

    from storage.postgres.pool import Connection

Row: TypeAlias = dict[str, Any]
"""A record with the protocol's field names, `seq`, and `projectId` where the record does not name it."""
Key: TypeAlias = tuple[str, ...]

_CAPITAL = re.compile(r"(?=[A-Z])")


class Column(NamedTuple):
    """A field of the record. `jsonb` columns hold lists and travel as text, whatever codecs there are."""

    field: str
    type: Literal["text", "bigint", "double precision", "jsonb"] = "text"

    @property
    def name(self) -> str:
        """The column's name: `createdAt` is kept in `created_at`."""
        return _CAPITAL.sub("_", self.field).lower()

    @property
    def selected(self) -> str:
        """The column in a SELECT, to be prefixed with the table's alias."""
        return f"{self.name}::text AS {self.name}" if self.type == "jsonb" else self.name

    @property
    def sent_type(self) -> str:
        """The type of the array's elements on their way in."""
        return "text" if self.type == "jsonb" else self.type


@dataclass(frozen=True)
class Table:
    """`key` are the first columns. The names come from this package alone, never from outside."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def key_of(self, row: Row) -> Key:
        """The key of a row."""
        return tuple(row[field] for field in self.key)

    def row(self, record: asyncpg.Record, after: int = 0) -> Row:
        """The row of a database record: behind `after` others it has the columns of `select` in their order."""
        values = list(record.values())[after:] if after else record.values()
        row = dict(zip(self._fields, values, strict=True))
        for field in self._json_fields:
            row[field] = orjson.loads(row[field])
        return row

    def select(self, alias: str) -> str:
        """The select list, for statements that a feature writes itself."""
        return ", ".join(f"{alias}.{column.selected}" for column in self.columns)

    def until(self, query: str, order: str, most: str) -> str:
        """The rows of a query that selects `select`, up to the one with which their descriptions come to `most` bytes.

        `most` is a parameter; null: all rows. The size of a long text is known without reading it. `order` are columns.
        """
        names = ", ".join(column.name for column in self.columns)
        own = "octet_length(description)"
        return f"""
        SELECT {names}
          FROM (SELECT *, sum({own}) OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING) - {own} AS ahead
                  FROM ({query}) AS page) AS measured
         WHERE {most}::bigint IS NULL OR ahead < {most} ORDER BY {order}"""  # noqa: S608

    async def load(self, connection: Connection, keys: Collection[Key]) -> dict[Key, Row]:
        """The rows with these keys; those that are not there are missing."""
        records = await connection.fetch(self._load, *_columns_of(keys, len(self.key)))
        rows = map(self.row, records)
        return {self.key_of(row): row for row in rows}

    async def write(self, connection: Connection, rows: Collection[Row]) -> None:
        """Inserts the rows or overwrites them whole."""
        await connection.execute(self._write, *(_sent(column, rows) for column in self.columns))

    async def remove(self, connection: Connection, keys: Collection[Key]) -> None:
        """Deletes the rows with these keys."""
        await connection.execute(self._remove, *_columns_of(keys, len(self.key)))

    async def remove_project(self, connection: Connection, project_id: str) -> None:
        """Deletes the rows of a project, whose id is the first part of the key."""
        name = self._key_names[0]
        await connection.execute(f"DELETE FROM {self.name} WHERE {name} = $1", project_id)  # noqa: S608

    # The statements are written once: with their many columns that costs as much as running them.

    @cached_property
    def _load(self) -> str:
        return (
            f"SELECT {self.select('t')} FROM {self.name} t "  # noqa: S608
            f"JOIN {self._given_keys} ON {self._same_keys}"
        )

    @cached_property
    def _write(self) -> str:
        names = ", ".join(column.name for column in self.columns)
        arrays = ", ".join(f"${n}::{column.sent_type}[]" for n, column in enumerate(self.columns, 1))
        values = ", ".join(f"r.{column.name}::{column.type}" for column in self.columns)
        updates = ", ".join(
            f"{column.name} = excluded.{column.name}" for column in self.columns if column.field not in self.key
        )
        return (
            f"INSERT INTO {self.name} ({names}) SELECT {values} FROM unnest({arrays}) r({names}) "  # noqa: S608
            f"ON CONFLICT ({', '.join(self._key_names)}) DO UPDATE SET {updates}"
        )

    @cached_property
    def _remove(self) -> str:
        return f"DELETE FROM {self.name} t USING {self._given_keys} WHERE {self._same_keys}"  # noqa: S608

    @cached_property
    def _fields(self) -> Sequence[str]:
        return [column.field for column in self.columns]

    @cached_property
    def _json_fields(self) -> Sequence[str]:
        return [column.field for column in self.columns if column.type == "jsonb"]

    @cached_property
    def _key_names(self) -> Sequence[str]:
        return [column.name for column in self.columns if column.field in self.key]

    @property
    def _given_keys(self) -> str:
        arrays = ", ".join(f"${n}::text[]" for n, _ in enumerate(self.key, 1))
        return f"unnest({arrays}) k({', '.join(self._key_names)})"

    @property
    def _same_keys(self) -> str:
        return " AND ".join(f"t.{name} = k.{name}" for name in self._key_names)


def _columns_of(keys: Collection[Key], width: int) -> Iterable[list[str]]:
    return ([key[n] for key in keys] for n in range(width))


def _sent(column: Column, rows: Collection[Row]) -> list[Any]:
    if column.type == "jsonb":
        return [orjson.dumps(row[column.field]).decode() for row in rows]
    return [row[column.field] for row in rows]


class Listed(NamedTuple):
    """A record as a derived read gives it: true as of entry `seq` of its stream, or of a later one."""

    record: Any
    seq: int


def listed(row: Row, *, without: Collection[str] = ()) -> Listed:
    """The row as the protocol's record."""
    return Listed({field: value for field, value in row.items() if field != "seq" and field not in without}, row["seq"])
