"""Opening a database, what is refused at that, and what happens to statements."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from protocol.faults import DuplicateEntry, NotApplied, OutcomeUnknown
from storage.embedded import EmbeddedPostgres
from storage.postgres.errors import UnsafeDurability
from storage.postgres.pool import Database, DatabaseLimits, application_name
from tests.postgres import make_test_folder
from tests.storage.postgres.sessions import DEADLINE_S, raw, until_waiting

if TYPE_CHECKING:
    from storage.postgres.pool import Connection

HOLD = "BEGIN; LOCK TABLE nodes"
INSERT = "INSERT INTO nodes VALUES ('a', 'a', '', now())"


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    """Open, with a short time for reads."""
    database = await Database.open(database_dsn, "me", DatabaseLimits(read_timeout_s=0.2))
    yield database
    await database.close()


async def backend_of(ask: Callable[[str], Awaitable[Sequence[Any]]]) -> int:
    """The pid behind the pool's connection that is used next."""
    return int((await ask("SELECT pg_backend_pid() AS pid"))[0]["pid"])


@asynccontextmanager
async def silenced(pid: int) -> AsyncIterator[None]:
    """A backend that stands still: it neither answers nor hears."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_name_that_would_be_cut_is_a_defect() -> None:
    session = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert application_name(session, "lane-999") == f"pantherahive/{session}/lane-999"
    with pytest.raises(ValueError, match="63"):
        application_name(session, "a-much-too-long-role")


async def test_a_database_that_forgets_is_refused_unless_told_otherwise(database_dsn: str) -> None:
    dsn = f"{database_dsn}&synchronous_commit=off"
    with pytest.raises(UnsafeDurability, match="synchronous_commit=off"):
        await Database.open(dsn, "me")
    database = await Database.open(dsn, "me", unsafe_durability=True)
    await database.close()


async def test_every_unsafe_setting_is_named() -> None:
    folder = make_test_folder()
    server = EmbeddedPostgres(folder, settings={"fsync": "off", "full_page_writes": "off"})
    try:
        with pytest.raises(UnsafeDurability, match="fsync=off, full_page_writes=off:"):
            await Database.open(server.start(), "me")
    finally:
        server.stop()
        shutil.rmtree(folder)


async def test_a_database_that_is_not_there_is_not_applied() -> None:
    with pytest.raises(NotApplied):
        await Database.open("postgresql://nobody@/nothing?host=/nowhere", "me")


async def test_a_slow_read_ends_by_itself(database: Database) -> None:
    with pytest.raises(NotApplied, match="statement timeout"):
        await database.fetch("SELECT pg_sleep(10)")


@pytest.mark.parametrize("state", ["40001", "40P01", "53100", "55P03", "57014", "25006", "58030"])
async def test_an_error_that_the_server_reports_applied_nothing(database: Database, state: str) -> None:
    with pytest.raises(NotApplied, match=state):
        await database.write(f"DO $$BEGIN RAISE EXCEPTION 'planned' USING ERRCODE = '{state}'; END$$")


@pytest.mark.parametrize("state", ["08006", "40003"])
async def test_an_error_about_the_connection_says_nothing_about_the_outcome(database: Database, state: str) -> None:
    with pytest.raises(OutcomeUnknown, match=state):
        await database.write(f"DO $$BEGIN RAISE EXCEPTION 'planned' USING ERRCODE = '{state}'; END$$")


async def test_a_read_of_a_silent_server_ends_by_itself(database_dsn: str) -> None:
    limits = DatabaseLimits(read_deadline_s=0.3, read_timeout_s=0.6)
    database = await Database.open(database_dsn, "me", limits)
    try:
        for read, within_s in ((database.fetch, "0.3"), (database.load, "0.6")):
            async with silenced(await backend_of(database.fetch)):
                with pytest.raises(NotApplied, match=f"no answer within {within_s} s"):
                    await read("SELECT 1")
            assert (await read("SELECT 1 AS one"))[0]["one"] == 1
    finally:
        await database.close()


async def test_a_reader_who_goes_away_leaves_no_silent_connection(database: Database) -> None:
    async with silenced(await backend_of(database.fetch)), asyncio.timeout(DEADLINE_S):
        reading = asyncio.create_task(database.fetch("SELECT 1"))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert (await database.fetch("SELECT 1 AS one"))[0]["one"] == 1


async def test_a_read_that_met_a_dead_connection_is_repeated_on_a_fresh_one(database: Database) -> None:
    await database.write("CREATE SEQUENCE attempts")
    [row] = await database.fetch(
        "SELECT CASE nextval('attempts') WHEN 1 THEN pg_terminate_backend(pg_backend_pid()) ELSE false END AS died"
    )
    assert row["died"] is False
    assert (await database.fetch("SELECT last_value FROM attempts"))[0]["last_value"] == 2


async def test_a_write_without_an_answer_is_of_unknown_outcome_and_goes_on(database_dsn: str) -> None:
    database = await Database.open(database_dsn, "me", DatabaseLimits(acquire_timeout_s=0.2, write_timeout_s=0.2))
    try:
        async with silenced(await backend_of(database.write)):
            with pytest.raises(OutcomeUnknown, match=r"no answer within 0\.4 s"):
                await database.write(INSERT)
    finally:
        await database.close()
    async with raw(database_dsn) as witness:
        assert await witness.fetchval("SELECT count(*) FROM nodes") == 1


async def test_an_ended_backend_leaves_the_outcome_unknown_and_the_pool_goes_on(database: Database) -> None:
    with pytest.raises(OutcomeUnknown):
        await database.write("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(NotApplied):
        await database.fetch("SELECT pg_terminate_backend(pg_backend_pid())")
    assert (await database.fetch("SELECT 1 AS one"))[0]["one"] == 1
    assert (await database.write("SELECT 1 AS one"))[0]["one"] == 1


async def test_a_unique_key_is_told_apart_and_a_defect_stays_one(database: Database) -> None:
    await database.write(INSERT)
    with pytest.raises(DuplicateEntry):
        await database.write(INSERT)
    with pytest.raises(Exception, match="does not exist") as caught:
        await database.write("SELECT nothing")
    assert "asyncpg" in type(caught.value).__module__


async def test_a_write_that_ends_with_the_loop_does_not_wait_for_a_silent_server(database: Database) -> None:
    async with silenced(await backend_of(database.write)):
        asking = asyncio.create_task(database.write("SELECT 1"))
        for _ in range(5):  # until the statement is on its way
            await asyncio.sleep(0)
        [writing] = database._writes
        writing.cancel()
        async with asyncio.timeout(DEADLINE_S):
            with pytest.raises(asyncio.CancelledError):
                await asking
        assert writing.cancelled()


async def test_a_cancelled_writer_leaves_its_statement_to_finish(database: Database, database_dsn: str) -> None:
    async with raw(database_dsn) as holder:
        await holder.execute(HOLD)
        writing = asyncio.create_task(database.write(INSERT))
        await until_waiting(database_dsn, "pantherahive/me/write")
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        await holder.execute("ROLLBACK")
        await database.close()
        assert await holder.fetchval("SELECT count(*) FROM nodes") == 1


async def test_a_cancelled_writer_leaves_its_transaction_to_finish(database: Database, database_dsn: str) -> None:
    async def twice(connection: Connection) -> None:
        await connection.execute(INSERT)
        await connection.execute("UPDATE nodes SET address = 'after'")

    async with raw(database_dsn) as holder:
        await holder.execute(HOLD)
        writing = asyncio.create_task(database.write_together(twice))
        await until_waiting(database_dsn, "pantherahive/me/write")
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        await holder.execute("ROLLBACK")
        await database.close()
        assert await holder.fetchval("SELECT array_agg(address) FROM nodes") == ["after"]


async def test_pools_have_their_names_and_limits(database: Database) -> None:
    for query, name, timeout in ((database.fetch, "read", "200ms"), (database.rule, "ownership", "10s")):
        [row] = await query(
            "SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS timeout"
        )
        assert (row["name"], row["timeout"]) == (f"pantherahive/me/{name}", timeout)


@pytest.mark.parametrize("ask", ["fetch", "write"])
async def test_a_connection_that_is_cut_between_two_messages_of_a_statement_is_lost_and_no_defect(
    database: Database, monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    """A read goes on with another connection; of a write nobody knows what became of it."""
    get_statement = asyncpg.Connection._get_statement  # type: ignore[attr-defined]

    async def cut(connection: Any, *args: Any, **named: Any) -> Any:
        monkeypatch.setattr(asyncpg.Connection, "_get_statement", get_statement)
        statement = await get_statement(connection, *args, **named)
        connection.terminate()
        await asyncio.sleep(0)
        return statement

    monkeypatch.setattr(asyncpg.Connection, "_get_statement", cut)
    if ask == "fetch":
        assert [row["one"] for row in await database.fetch("SELECT 1 AS one")] == [1]
    else:
        with pytest.raises(OutcomeUnknown, match="closed"):
            await database.write("SELECT 1 AS one")


async def test_the_limit_for_statements_of_the_database_is_not_ours(database_dsn: str) -> None:
    hasty = await Database.open(f"{database_dsn}&statement_timeout=1", "me")
    try:
        assert await hasty.fetch("SELECT pg_sleep(0.02)")
        connection = await hasty.connect("lane-0")
        assert await connection.fetchval("SHOW statement_timeout") == "0"
        await connection.close()
    finally:
        await hasty.close()
