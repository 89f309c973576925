"""The projector on Postgres: a log that commits and restarts ends in the rows that it means."""

from __future__ import annotations

import asyncio

from protocol.tasks import EditTask
from server.consumers.projector import make_projector
from storage.postgres.pool import Database
from tests.actors.given import MEMBER, TASK, a_task
from tests.server.consumers.given import DEADLINE_S, FakeLog
from tests.storage.projections.given import by_key, table_rows


async def test_entries_become_rows_across_a_restart(database_dsn: str) -> None:
    database = await Database.open(database_dsn, "tests", unsafe_durability=True)
    life = a_task()
    shard = life.entries[0].shard
    log = FakeLog()
    log.entries[shard] = list(life.entries)
    first = make_projector(database, log)
    running = asyncio.create_task(first.run())
    async with asyncio.timeout(DEADLINE_S):
        await first.caught_up({shard: len(life.entries)})
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    life.given((MEMBER, EditTask(task_id=TASK, title="Land on Mars")))
    log.entries[shard] = list(life.entries)
    second = make_projector(database, log)
    running = asyncio.create_task(second.run())
    second.offer([life.entries[-1]])
    async with asyncio.timeout(DEADLINE_S):
        await second.caught_up({shard: len(life.entries)})
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    rows = await table_rows(database)
    await database.close()
    assert [task["title"] for task in by_key(rows["tasks"])] == ["Land on Mars"]
    assert [project["seq"] for project in rows["projects"]] == [len(life.entries)]
