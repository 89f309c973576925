"""Timers that a database holds from before, and the cost of many of them."""

import shutil
from pathlib import Path

from protocol.log import DueTimer
from storage.ports import TimersWake, TimerWake, TimerWrite
from storage.postgres.migrations import FOLDER, migrate
from storage.postgres.pool import DatabaseLimits
from storage.postgres.storage import PostgresStorage
from tests.contracts.entries import AT, stream_on
from tests.postgres import execute, fresh_database
from tests.storage.postgres.sessions import opened

STREAM, OTHER, SHARD = stream_on(3), stream_on(3, 1), 3
LATER = "2026-02-01T00:00:00.000Z"


async def test_a_timer_from_before_fires_rests_and_is_woken_as_any_other(
    postgres_dsn_root: str, tmp_path: Path
) -> None:
    for path in FOLDER.glob("*.sql"):
        if path.name < "0023":
            shutil.copy(path, tmp_path)
    async with fresh_database(postgres_dsn_root) as dsn:
        await migrate(dsn, tmp_path)
        await execute(dsn, f"INSERT INTO timers VALUES ('{STREAM}', 'due:1', {SHARD}, '{AT}')")
        assert "0023_resting_timers.sql" in await migrate(dsn)
        storage = await PostgresStorage.open(dsn, "session")
        try:
            [timer] = await storage.timers.due([SHARD], AT, 10)
            assert timer == DueTimer(STREAM, "due:1", AT, 0)
            await storage.timers.rest(timer, LATER)
            assert await storage.timers.due([SHARD], AT, 10) == []
            async with storage.consumers.transaction() as transaction:
                await storage.timers.write(transaction, [TimersWake(STREAM, "due:", 1)])
            assert await storage.timers.due([SHARD], AT, 10) == [DueTimer(STREAM, "due:1", AT, 1)]
        finally:
            await storage.close()


async def test_timers_of_projects_that_were_purged_before_are_taken_out(postgres_dsn_root: str, tmp_path: Path) -> None:
    for path in FOLDER.glob("*.sql"):
        if path.name < "0025":
            shutil.copy(path, tmp_path)
    async with fresh_database(postgres_dsn_root) as dsn:
        await migrate(dsn, tmp_path)
        for stream in (STREAM, OTHER):
            await execute(dsn, f"INSERT INTO timers VALUES ('{stream}', 'due:1', {SHARD}, '{AT}', 1, '{AT}')")
        await execute(dsn, f"INSERT INTO purges VALUES ('{STREAM.partition('/')[2]}', 2)")
        assert "0025_timers_of_purged_projects.sql" in await migrate(dsn)
        async with opened(dsn, "me") as storage:
            assert [timer.stream for timer in await storage.timers.due([SHARD], AT, 10)] == [OTHER]


async def test_a_wake_costs_what_it_wakes_however_many_timers_the_stream_has(database_dsn: str) -> None:
    names = [f"due:{number:05}" for number in range(10_000)]
    async with opened(database_dsn, "me", DatabaseLimits(write_timeout_s=5)) as storage:
        for changes in [TimerWrite(STREAM, name, AT, 1) for name in names], [TimerWake(STREAM, n, 2) for n in names]:
            async with storage.consumers.transaction() as transaction:
                await storage.timers.write(transaction, changes)
        assert {timer.seq for timer in await storage.timers.due([SHARD], AT, len(names))} == {2}
