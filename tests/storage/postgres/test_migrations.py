"""The migration runner, on small folders of its own and on the product's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.postgres.errors import DatabaseTooNew, MigrationChanged, MigrationsPending, TablesOfOthers
from storage.postgres.migrations import check_migrated, migrate, migrations, pending
from storage.postgres.ownership import ConnectedSessions
from tests.postgres import execute, fresh_database
from tests.storage.postgres.sessions import opened, raw


@pytest.fixture
async def dsn(postgres_dsn_root: str) -> AsyncIterator[str]:
    """An empty database."""
    async with fresh_database(postgres_dsn_root) as dsn:
        yield dsn


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations that cannot be applied twice."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (id int);", encoding="utf-8")
    (tmp_path / "0003_third.sql").write_text("CREATE TABLE third (id int); INSERT INTO first VALUES (3);")
    return tmp_path


def test_the_products_files_have_a_number_and_a_line_of_description() -> None:
    files = migrations()
    assert files[0].name == "0001_log.sql"
    assert all(file.sql.startswith("-- ") for file in files)


async def test_what_is_missing_is_applied_in_order_and_once(dsn: str, folder: Path) -> None:
    names = ["0001_first.sql", "0003_third.sql"]
    assert await pending(dsn, folder) == names
    with pytest.raises(MigrationsPending, match=r"0001_first\.sql, 0003_third\.sql"):
        await check_migrated(dsn, folder)
    assert await migrate(dsn, folder) == names
    assert await migrate(dsn, folder) == []
    await check_migrated(dsn, folder)
    (folder / "0002_second.sql").write_text("CREATE TABLE second (id int);")
    assert await pending(dsn, folder) == ["0002_second.sql"]
    assert await migrate(dsn, folder) == ["0002_second.sql"]


async def test_looking_changes_nothing(dsn: str, folder: Path) -> None:
    await pending(dsn, folder)
    async with raw(dsn) as connection:
        assert await connection.fetchval("SELECT to_regclass('schema_migrations')") is None


async def test_runners_at_once_apply_everything_once(dsn: str, folder: Path) -> None:
    applied = await asyncio.gather(*(migrate(dsn, folder) for _ in range(5)))
    assert sorted(map(list, applied)) == [[], [], [], [], ["0001_first.sql", "0003_third.sql"]]


@pytest.mark.parametrize("check", [migrate, pending])
async def test_a_changed_file_is_refused_by_name(dsn: str, folder: Path, check: object) -> None:
    await migrate(dsn, folder)
    (folder / "0001_first.sql").write_text("CREATE TABLE first (id bigint);")
    with pytest.raises(MigrationChanged, match=r"0001_first\.sql"):
        await (migrate if check is migrate else pending)(dsn, folder)


async def test_a_renamed_file_is_refused(dsn: str, folder: Path) -> None:
    await migrate(dsn, folder)
    (folder / "0001_first.sql").rename(folder / "0001_other.sql")
    with pytest.raises(MigrationChanged, match=r"0001_other\.sql"):
        await migrate(dsn, folder)


async def test_a_database_of_a_newer_build_is_refused(dsn: str, folder: Path) -> None:
    await migrate(dsn, folder)
    (folder / "0003_third.sql").unlink()
    for check in (migrate, pending):
        with pytest.raises(DatabaseTooNew, match=r"0003_third\.sql"):
            await check(dsn, folder)


async def test_a_file_that_fails_leaves_nothing_of_itself(dsn: str, folder: Path) -> None:
    (folder / "0003_third.sql").write_text("CREATE TABLE third (id int); SELECT wrong;")
    with pytest.raises(Exception, match="wrong"):
        await migrate(dsn, folder)
    async with raw(dsn) as connection:
        assert await connection.fetchval("SELECT to_regclass('third')") is None
    assert await pending(dsn, folder) == ["0003_third.sql"]


@pytest.mark.parametrize("name", ["1_short.sql", "0001_Upper.sql", "first.sql"])
def test_a_wrong_file_name_is_a_defect(folder: Path, name: str) -> None:
    (folder / name).write_text("")
    with pytest.raises(ValueError, match="no name"):
        migrations(folder)


def test_a_number_that_is_there_twice_is_a_defect(folder: Path) -> None:
    (folder / "0001_again.sql").write_text("")
    with pytest.raises(ValueError, match="same number"):
        migrations(folder)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("TABLE schema_migrations (version varchar PRIMARY KEY)", "schema_migrations"),
        ("TABLE entries (id int)", "entries"),
        ("VIEW accounts AS SELECT 1 AS id", "accounts"),
    ],
)
async def test_a_database_with_tables_of_others_is_refused_and_stays_as_it_is(dsn: str, made: str, told: str) -> None:
    await execute(dsn, f"CREATE {made}")
    for check in (migrate, pending):
        with pytest.raises(TablesOfOthers, match=rf"another application's tables .* \({told}\): choose an empty data"):
            await check(dsn)
    async with raw(dsn) as connection:
        assert (
            await connection.fetchval("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") < 3
        )


async def test_a_schema_of_our_own_beside_anothers_tables_is_enough(dsn: str) -> None:
    for made in ("TABLE schema_migrations (version text)", "TABLE entries (id int)", "SCHEMA hive"):
        await execute(dsn, f"CREATE {made}")
    ours = f"{dsn}&search_path=hive,public"
    assert await pending(ours) == await migrate(ours) == [file.name for file in migrations()]
    assert await pending(ours) == []


async def test_other_tables_of_others_are_not_in_the_way(dsn: str, folder: Path) -> None:
    await execute(dsn, "CREATE TABLE wallpaper (id int)")
    assert await migrate(dsn, folder) == ["0001_first.sql", "0003_third.sql"]


async def test_a_name_that_is_taken_by_anything_else_is_told_as_well(dsn: str, folder: Path) -> None:
    (folder / "0004_fourth.sql").write_text("CREATE INDEX taken ON first (id);")
    await execute(dsn, "CREATE TABLE taken (id int)")
    with pytest.raises(TablesOfOthers, match='"taken" already exists'):
        await migrate(dsn, folder)


async def test_the_limit_for_statements_of_the_database_is_not_one_for_migrations(dsn: str, folder: Path) -> None:
    async with raw(dsn) as connection:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET statement_timeout = '50ms'")
    (folder / "0004_fourth.sql").write_text("SELECT pg_sleep(0.2);")
    assert len(await migrate(dsn, folder)) == 3


async def nobody_is_asked(_: ConnectedSessions) -> None:
    """Fails the test when a runner asks."""
    raise AssertionError("asked")


async def test_who_lives_on_the_database_is_asked_only_where_something_would_change_for_them(
    dsn: str, folder: Path
) -> None:
    await migrate(dsn, folder, outlive=nobody_is_asked)
    (folder / "0004_fourth.sql").write_text("CREATE TABLE nodes (id int);")
    await migrate(dsn, folder, outlive=nobody_is_asked)
    await migrate(dsn, folder, outlive=nobody_is_asked)
    (folder / "0005_fifth.sql").write_text("CREATE TABLE fifth (id int);")
    with pytest.raises(AssertionError, match="asked"):
        await migrate(dsn, folder, outlive=nobody_is_asked)
    assert await pending(dsn, folder) == ["0005_fifth.sql"]


async def test_a_runner_sees_and_ends_sessions_as_a_server_does(database_dsn: str, tmp_path: Path) -> None:
    for file in migrations():
        (tmp_path / file.name).write_text(file.sql, encoding="utf-8")
    (tmp_path / "9999_newest.sql").write_text("CREATE TABLE newest (id int);")

    async def end_all(sessions: ConnectedSessions) -> None:
        [node] = await sessions.nodes()
        assert (node.session, node.node_id) == ("theirs", "node of theirs")
        assert await sessions.reap({node.session: node.lease_until_us - 1}) == []
        assert await sessions.reap({node.session: node.lease_until_us}) == ["theirs"]

    async with opened(database_dsn, "theirs") as storage:
        assert await migrate(database_dsn, tmp_path, outlive=end_all) == ["9999_newest.sql"]
        assert await storage.ownership.nodes() == []
