"""What a database is refused for, before anything is done to it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from storage.postgres.errors import ReadOnly, UnsafeDurability, WrongEncoding
from storage.postgres.migrations import migrate, pending
from storage.postgres.pool import Database
from tests.postgres import dsn_of, execute, fresh_database
from tests.storage.postgres.sessions import raw

TEXT = "Grüße, 你好, 🐆"


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
async def narrow_dsn(request: pytest.FixtureRequest, postgres_dsn_root: str) -> AsyncIterator[str]:
    """An empty database of another encoding."""
    options = f"encoding '{request.param}' locale 'C' template template0"
    async with fresh_database(postgres_dsn_root, options=options) as dsn:
        yield dsn


@pytest.fixture
async def empty_dsn(postgres_dsn_root: str) -> AsyncIterator[str]:
    """An empty database."""
    async with fresh_database(postgres_dsn_root) as dsn:
        yield dsn


async def tables_in(dsn: str) -> int:
    async with raw(dsn) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))


async def test_an_encoding_that_does_not_hold_every_text_is_refused_before_anything_is_made(narrow_dsn: str) -> None:
    async with raw(narrow_dsn) as connection:
        encoding = await connection.fetchval("SHOW server_encoding")
    assert encoding != "UTF8"
    for ask in (migrate(narrow_dsn), pending(narrow_dsn), Database.open(narrow_dsn, "me")):
        with pytest.raises(WrongEncoding, match=f"encoding is {encoding}, which"):
            await ask
    assert await tables_in(narrow_dsn) == 0


async def test_the_statement_that_the_refusal_names_makes_a_database_that_does(
    narrow_dsn: str, postgres_dsn_root: str
) -> None:
    with pytest.raises(WrongEncoding) as refused:
        await migrate(narrow_dsn)
    statement = re.search(r"create database (\w+) encoding .*", str(refused.value))
    assert statement is not None
    await execute(postgres_dsn_root, statement[0])
    try:
        made = dsn_of(postgres_dsn_root, statement[1])
        await migrate(made)
        async with raw(made) as connection:
            assert await connection.fetchval("SELECT $1::text", TEXT) == TEXT
    finally:
        await execute(postgres_dsn_root, f"DROP DATABASE {statement[1]} WITH (FORCE)")


async def test_a_database_that_forgets_is_refused_before_anything_is_made_unless_told_otherwise(empty_dsn: str) -> None:
    forgetful = f"{empty_dsn}&synchronous_commit=off"
    for ask in (migrate, pending):
        with pytest.raises(UnsafeDurability, match="synchronous_commit=off"):
            await ask(forgetful)
    assert await tables_in(empty_dsn) == 0
    missing = await pending(forgetful, unsafe_durability=True)
    assert await migrate(forgetful, unsafe_durability=True) == missing != []


async def test_a_database_that_takes_no_writes_is_refused(empty_dsn: str) -> None:
    reading_only = f"{empty_dsn}&default_transaction_read_only=on"
    for ask in (migrate(reading_only), pending(reading_only), Database.open(reading_only, "me")):
        with pytest.raises(ReadOnly, match="takes no writes"):
            await ask
