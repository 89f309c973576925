"""A Postgres for tests: one embedded server per test process, and databases that cost a tenth of a second.

The server is the product's own, with its durability on. Its data lies in memory (`/dev/shm`) where there is
room, so that an fsync is cheap; it is gone with the test process, and a killed one is swept up by the next.

    from tests.postgres import fresh_database, postgres_dsn_root   # in conftest.py, for the fixture

    async with fresh_database(postgres_dsn_root, template="migrated") as dsn: ...
"""

import os
import re
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from storage.embedded import EmbeddedPostgres

SHARED_MEMORY = Path("/dev/shm")
SHARED_MEMORY_FREE_BYTES_MIN = 1024**3
_PREFIX = "pantherahive-tests"
_SIMPLE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@pytest.fixture(scope="session")
def postgres_dsn_root() -> Iterator[str]:
    """The DSN of a server for this test process, by which databases can be made and dropped."""
    folder = make_test_folder()
    server = EmbeddedPostgres(folder, settings={"max_connections": "200"})
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def fresh_database(dsn_root: str, template: str | None = None, options: str = "") -> AsyncIterator[str]:
    """Make a database with a name of its own, give its DSN, and drop it with all its connections.

    `template` names a database to copy, to which nobody may be connected at that moment; `options` are further ones of
    CREATE DATABASE.
    """
    name = f"test_{uuid.uuid4().hex}"
    copied = "" if template is None else f" TEMPLATE {_simple(template)}"
    await execute(dsn_root, f"CREATE DATABASE {name}{copied} {options}")
    try:
        yield dsn_of(dsn_root, name)
    finally:
        await execute(dsn_root, f"DROP DATABASE {name} WITH (FORCE)")


async def make_template(dsn_root: str, name: str) -> str:
    """Make an empty database of a known name to be filled and then copied; give its DSN."""
    await execute(dsn_root, f"CREATE DATABASE {_simple(name)}")
    return dsn_of(dsn_root, name)


@asynccontextmanager
async def plain_login(dsn_root: str) -> AsyncIterator[str]:
    """Make a login that owns nothing, give its name, and drop it; the databases that know it have to be gone then."""
    name = f"plain_{uuid.uuid4().hex}"
    await execute(dsn_root, f"CREATE ROLE {name} LOGIN")
    try:
        yield name
    finally:
        await execute(dsn_root, f"DROP ROLE {name}")


def dsn_as(dsn: str, login: str) -> str:
    """The same database's DSN for another login."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))


async def execute(dsn: str, statement: str) -> None:
    """Run one statement on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def dsn_of(dsn: str, database: str) -> str:
    """The same server's DSN for another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


def make_test_folder() -> Path:
    """A new data folder that belongs to this process, in memory if there is room."""
    base = _base()
    _sweep(base)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{os.geteuid()}-{os.getpid()}-", dir=base))


def _base() -> Path:
    writable = SHARED_MEMORY.is_dir() and os.access(SHARED_MEMORY, os.W_OK)
    if writable and shutil.disk_usage(SHARED_MEMORY).free >= SHARED_MEMORY_FREE_BYTES_MIN:
        return SHARED_MEMORY
    return Path(tempfile.gettempdir())


def _sweep(base: Path) -> None:
    """Remove the folders of test processes that were killed: memory is not given back by itself."""
    for folder in base.glob(f"{_PREFIX}-{os.geteuid()}-*"):
        pid = folder.name.split("-")[3]
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)


def _simple(name: str) -> str:
    """The name as it is, once it is sure to need no quotes."""
    if _SIMPLE_NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no simple database name")
    return name
