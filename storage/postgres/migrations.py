"""Our own small migration runner: numbered SQL files, forward only, each applied once and in a transaction of its own.

The table `schema_migrations` remembers number, name and checksum of what was applied; an advisory lock lets one runner
work at a time, and a second one finds nothing left to do.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg

from storage.postgres.errors import DatabaseTooNew, MigrationChanged, MigrationsPending, RightMissing, TablesOfOthers
from storage.postgres.faults import reading, writing
from storage.postgres.first_connection import first_connection
from storage.postgres.ownership import ConnectedSessions
from storage.postgres.rights import WHO_ELSE, check_may_migrate, check_may_read, check_may_serve
from storage.postgres.server_check import check_server

if TYPE_CHECKING:
    _Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

FOLDER: Final = Path(__file__).parent / "migrations"
CONNECT_TIMEOUT_S: Final = 10.0
_LOCK_KEY: Final = 0x70616E7468657261  # "panthera"
_OWN: Final = "schema_migrations"
_OWN_COLUMNS: Final = frozenset({"number", "name", "checksum", "applied_at"})
_FILE_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     int         PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""

_COLUMNS: Final = """
SELECT a.attname, c.relnamespace = to_regnamespace(quote_ident(current_schema())) AS is_in_the_way
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relname = $1 AND pg_table_is_visible(c.oid) AND a.attnum > 0 AND NOT a.attisdropped
"""
_IN_THE_WAY: Final = """
SELECT relname FROM pg_class WHERE relname = ANY($1) AND relnamespace = to_regnamespace(quote_ident(current_schema()))
 ORDER BY relname
"""
_NODES: Final = "nodes"
"""The table of sessions: where it is missing, no server can live."""
_MADE: Final = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)
_DROPPED: Final = re.compile(r"^DROP TABLE ([\w, ]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Migration:
    """A file of the folder. The checksum is the SHA-256 of its text."""

    number: int
    name: str
    sql: str
    checksum: str


def migrations(folder: Path = FOLDER) -> Sequence[Migration]:
    """The files of the folder by number. Raises ValueError for a wrong file name or a number that is there twice."""
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise ValueError(f"{path.name} is no name for a migration: it is like 0001_log.sql")
        number, sql = int(match[1]), path.read_text(encoding="utf-8")
        if number in found:
            raise ValueError(f"{path.name} and {found[number].name} have the same number")
        found[number] = Migration(number, path.name, sql, hashlib.sha256(sql.encode()).hexdigest())
    return [found[number] for number in sorted(found)]


def tables_of(files: Iterable[Migration]) -> Set[str]:
    """The names of the tables that are there after these, in this order."""
    tables: set[str] = set()
    for file in files:
        tables.update(_MADE.findall(file.sql))
        for names in _DROPPED.findall(file.sql):
            tables.difference_update(name.strip() for name in names.split(","))
    return tables


Outlive: TypeAlias = Callable[[ConnectedSessions], Awaitable[None]]
"""Returns when no session of others is left."""


async def migrate(
    dsn: str, folder: Path = FOLDER, *, unsafe_durability: bool = False, outlive: Outlive | None = None
) -> Sequence[str]:
    """Applies what is missing and names it; nothing at all to a database that is refused.

    Before anything is applied where a server may live, `outlive` is called with the sessions: it returns when nobody is
    left, and what it raises is passed on. A running server has to find the tables as its build knows them.

    Raises what `check_server` does, AddressWrong, RightMissing (also when nothing is missing and the login may not use
    the tables), TablesOfOthers, DatabaseTooNew, MigrationChanged; NotApplied and OutcomeUnknown when the connection
    fails (run it again); and the error of the server when a file itself is wrong: the files before it stay applied.
    """
    async with _connected(dsn, unsafe_durability=unsafe_durability) as connection:
        with reading():
            if not await _to_apply(connection, folder):
                return []  # so that a login that may make nothing can serve what another one has made
        with writing(), _told():
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY)
            missing = await _to_apply(connection, folder)
            if outlive is not None and missing and _NODES in tables_of(_without(missing, folder)):
                await outlive(ConnectedSessions(connection))
            await connection.execute(_TABLE)
            for migration in missing:
                await _apply(connection, migration)
    return [migration.name for migration in missing]


async def pending(dsn: str, folder: Path = FOLDER, *, unsafe_durability: bool = False) -> Sequence[str]:
    """What `migrate` would apply; it changes nothing. Raises as `migrate`."""
    async with _connected(dsn, unsafe_durability=unsafe_durability) as connection:
        with reading():
            return [migration.name for migration in await _to_apply(connection, folder)]


async def check_migrated(dsn: str, folder: Path = FOLDER) -> None:
    """Raises MigrationsPending, and what `pending` raises."""
    missing = await pending(dsn, folder)
    if missing:
        raise MigrationsPending(f"The database lacks {', '.join(missing)}: run `pantherahive migrate`.")


def _without(missing: Sequence[Migration], folder: Path) -> Sequence[Migration]:
    return [file for file in migrations(folder) if file not in missing]


async def _to_apply(connection: _Connection, folder: Path) -> Sequence[Migration]:
    """What is missing. Raises what speaks against applying it or, when nothing is missing, against serving."""
    # One moment for all: another runner may be at work.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        files = migrations(folder)
        applied = await _applied(connection)
        missing = _missing(files, applied)
        if not missing:
            await check_may_serve(connection, tables_of(files))
            return []
        there = tables_of(file for file in files if file.number in applied)
        await check_may_migrate(connection, {_OWN, *there} if applied else there)
        in_the_way = await connection.fetch(_IN_THE_WAY, sorted(tables_of(missing) - there))
        if in_the_way:
            raise _of_others(", ".join(row["relname"] for row in in_the_way))
    return missing


def _of_others(tables: str) -> TablesOfOthers:
    return TablesOfOthers(
        f"The database holds another application's tables under names that are needed here ({tables}): choose an "
        "empty database."
    )


@contextmanager
def _told() -> Iterator[None]:
    """Around a migration: what was not foreseen of rights and of others' tables is told as what was."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise RightMissing(f"The login lacks a right: {error}. GRANT it, {WHO_ELSE}") from error
    except (asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError) as error:
        raise _of_others(str(error)) from error


async def _apply(connection: _Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)",
            migration.number,
            migration.name,
            migration.checksum,
        )


async def _applied(connection: _Connection) -> Mapping[int, tuple[str, str]]:
    columns = await connection.fetch(_COLUMNS, _OWN)
    if not {row["attname"] for row in columns} >= _OWN_COLUMNS:
        if any(row["is_in_the_way"] for row in columns):
            raise _of_others(_OWN)
        return {}  # not there, or another application's in a later schema of the search_path
    await check_may_read(connection, _OWN)
    rows = await connection.fetch("SELECT number, name, checksum FROM schema_migrations")
    return {row["number"]: (row["name"], row["checksum"]) for row in rows}


def _missing(files: Sequence[Migration], applied: Mapping[int, tuple[str, str]]) -> Sequence[Migration]:
    known = {file.number: file for file in files}
    for number, (name, checksum) in sorted(applied.items()):
        file = known.get(number)
        if file is None:
            raise DatabaseTooNew(
                f"The database has the migration {name}, which this build does not know: start a newer build, "
                "or restore the backup that was made before it."
            )
        if (file.name, file.checksum) != (name, checksum):
            raise MigrationChanged(
                f"The migration {file.name} is not the file that was applied (as {name}): applied migrations never "
                "change. Restore the file, and put the change into a new one."
            )
    return [file for file in files if file.number not in applied]


@asynccontextmanager
async def _connected(dsn: str, *, unsafe_durability: bool) -> AsyncIterator[_Connection]:
    # Without the database's own limit for statements, which is not meant for migrations.
    settings = {"application_name": "pantherahive/migrate", "statement_timeout": "0"}
    connection = await first_connection(dsn, CONNECT_TIMEOUT_S, settings)
    try:
        with reading():
            await check_server(connection, unsafe_durability=unsafe_durability)
        yield connection
    finally:
        # Closing ends the backend, and with it the advisory lock.
        await connection.close()
