"""Timers that a database holds from before they could rest."""

import shutil
from pathlib import Path

from protocol.log import DueTimer
from storage.ports import TimerWake
from storage.postgres.migrations import FOLDER, migrate
from storage.postgres.storage import PostgresStorage
from tests.contracts.entries import AT, stream_on
from tests.postgres import execute, fresh_database

STREAM, SHARD = stream_on(3), 3
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
                await storage.timers.write(transaction, [TimerWake(STREAM, "due:", 1)])
            assert await storage.timers.due([SHARD], AT, 10) == [DueTimer(STREAM, "due:1", AT, 1)]
        finally:
            await storage.close()
