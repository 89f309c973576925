"""Our own small migration runner: numbered SQL files, forward only, each applied once and in a transaction of its own.

The table `schema_migrations` remembers number, name and checksum of what was applied; an advisory lock lets one runner
work at a time, and a second one finds nothing left to do.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg

from storage.postgres.errors import DatabaseTooNew, MigrationChanged, MigrationsPending
from storage.postgres.faults import reading, writing
from storage.postgres.server_check import check_server

if TYPE_CHECKING:
    _Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

FOLDER: Final = Path(__file__).parent / "migrations"
CONNECT_TIMEOUT_S: Final = 10.0
_LOCK_KEY: Final = 0x70616E7468657261  # "panthera"
_FILE_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     int         PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


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


async def migrate(dsn: str, folder: Path = FOLDER, *, unsafe_durability: bool = False) -> Sequence[str]:
    """Applies what is missing and names it; nothing at all to a database that is refused.

    Raises what `check_server` does, DatabaseTooNew, MigrationChanged; NotApplied and OutcomeUnknown when the connection
    fails (run it again); and the error of the server when a file itself is wrong: the files before it stay applied.
    """
    async with _connected(dsn, unsafe_durability=unsafe_durability) as connection:
        with writing():
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY)
            await connection.execute(_TABLE)
            missing = _missing(migrations(folder), await _applied(connection))
            for migration in missing:
                await _apply(connection, migration)
    return [migration.name for migration in missing]


async def pending(dsn: str, folder: Path = FOLDER, *, unsafe_durability: bool = False) -> Sequence[str]:
    """What `migrate` would apply; it changes nothing. Raises as `migrate`."""
    async with _connected(dsn, unsafe_durability=unsafe_durability) as connection:
        with reading():
            there = await connection.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL")
            applied = await _applied(connection) if there else {}
    return [migration.name for migration in _missing(migrations(folder), applied)]


async def check_migrated(dsn: str, folder: Path = FOLDER) -> None:
    """Raises MigrationsPending, and what `pending` raises."""
    missing = await pending(dsn, folder)
    if missing:
        raise MigrationsPending(f"The database lacks {', '.join(missing)}: run `pantherahive migrate`.")


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
    with reading():
        connection = await asyncpg.connect(
            dsn,
            timeout=CONNECT_TIMEOUT_S,
            server_settings={"application_name": "pantherahive/migrate"},
        )
    try:
        with reading():
            await check_server(connection, unsafe_durability=unsafe_durability)
        yield connection
    finally:
        # Closing ends the backend, and with it the advisory lock.
        await connection.close()
