"""A login that lacks a right is told which, and the GRANT in the message is the one that helps."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable

import pytest

from storage.postgres.errors import RightMissing
from storage.postgres.migrations import FOLDER, migrate, migrations, pending, tables_of
from tests.postgres import dsn_as, execute, fresh_database, plain_login
from tests.storage.postgres.sessions import opened, raw


@pytest.fixture
async def login(postgres_dsn_root: str) -> AsyncIterator[str]:
    """Its databases are gone before it is."""
    async with plain_login(postgres_dsn_root) as name:
        yield name


@pytest.fixture
async def empty(login: str, postgres_dsn_root: str) -> AsyncIterator[str]:
    async with fresh_database(postgres_dsn_root) as dsn:
        yield dsn


@pytest.fixture
async def migrated(login: str, postgres_dsn_root: str, migrated_template: str) -> AsyncIterator[str]:
    async with fresh_database(postgres_dsn_root, template=migrated_template) as dsn:
        yield dsn


async def refusal_of(asked: Awaitable[object]) -> str:
    with pytest.raises(RightMissing) as refused:
        await asked
    assert "\n" not in str(refused.value)
    return str(refused.value)


async def grant_in(text: str, dsn: str) -> None:
    """Runs what the message advises, as the owner."""
    found = re.search(r"GRANT [\w, ]+ ON (SCHEMA|ALL TABLES IN SCHEMA) \w+ TO \w+", text)
    assert found is not None
    await execute(dsn, found[0])


async def test_a_login_that_may_make_no_tables_is_told_the_grant_and_migrates_with_it(empty: str, login: str) -> None:
    mine = dsn_as(empty, login)
    said = await refusal_of(pending(mine))
    assert f"The login {login} may not make tables in the schema public" in said
    assert await refusal_of(migrate(mine)) == said
    await grant_in(said, empty)
    assert await migrate(mine) == [file.name for file in migrations()]
    async with opened(mine, "me") as storage:
        assert len(await storage.ownership.shards()) == 128


async def test_a_login_that_may_use_no_schema_is_told_so(empty: str, login: str) -> None:
    await execute(empty, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
    said = await refusal_of(migrate(dsn_as(empty, login)))
    assert f'The login {login} has no schema to work in, as its search_path is "$user", public' in said
    await grant_in(said, empty)
    assert await migrate(dsn_as(empty, login)) != []


async def test_a_search_path_that_names_no_schema_is_told(empty: str) -> None:
    assert "search_path is nosuch: correct that" in await refusal_of(migrate(f"{empty}&search_path=nosuch"))


async def test_a_login_without_rights_on_the_tables_is_told_the_grant_and_serves_with_it(
    migrated: str, login: str
) -> None:
    mine = dsn_as(migrated, login)
    said = await refusal_of(pending(mine))
    assert f"The login {login} lacks rights on the tables schema_migrations (SELECT)" in said
    assert await refusal_of(migrate(mine)) == said
    await grant_in(said, migrated)
    assert await pending(mine) == await migrate(mine) == []
    async with opened(mine, "me") as storage:
        assert len(await storage.ownership.shards()) == 128


async def test_each_right_that_a_server_needs_is_missed_by_name(migrated: str, login: str) -> None:
    mine = dsn_as(migrated, login)
    await execute(migrated, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {login}")
    await execute(migrated, f"REVOKE INSERT, DELETE ON entries FROM {login}")
    await execute(migrated, f"REVOKE UPDATE ON shards FROM {login}")
    for ask in (migrate, pending):
        assert "on the tables entries (INSERT, DELETE), shards (UPDATE):" in await refusal_of(ask(mine))


async def test_tables_of_another_login_are_not_migrated(migrated: str, login: str, postgres_dsn_root: str) -> None:
    """Though it may make tables: changing one takes its owner."""
    await execute(migrated, f"GRANT ALL ON SCHEMA public TO {login}")
    await execute(migrated, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {login}")
    await execute(migrated, f"DELETE FROM schema_migrations WHERE number = {migrations()[-1].number}")
    async with raw(migrated) as connection:
        owner = await connection.fetchval("SELECT current_user")
    for ask in (migrate, pending):
        said = await refusal_of(ask(dsn_as(migrated, login)))
        assert f"The login {login} may not change tables that belong to {owner} (account_requests, accounts," in said


async def test_the_tables_that_the_files_make_are_those_that_are_there(migrated: str) -> None:
    async with raw(migrated) as connection:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {row["tablename"] for row in rows} == {"schema_migrations", *tables_of(migrations(FOLDER))}
