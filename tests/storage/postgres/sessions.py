"""A second hand on the database: raw connections that hold locks, and waiting for what backends do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from protocol.log import ClaimedShard
from storage.postgres.pool import DatabaseLimits
from storage.postgres.storage import PostgresStorage

DEADLINE_S = 10.0
LEASE_S = 5.0
LIMITS = DatabaseLimits(claim_lock_timeout_s=0.2)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits until the condition holds; fails after DEADLINE_S."""
    async with asyncio.timeout(DEADLINE_S):
        while not await condition():  # noqa: ASYNC110 - what is waited for happens in the database
            await asyncio.sleep(0.005)


@asynccontextmanager
async def raw(dsn: str, application_name: str = "test") -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own."""
    connection = await asyncpg.connect(dsn, server_settings={"application_name": application_name})
    try:
        yield connection
    finally:
        connection.terminate()


@asynccontextmanager
async def opened(dsn: str, session: str, limits: DatabaseLimits = LIMITS) -> AsyncIterator[PostgresStorage]:
    """Storage as a process of that session has it, its session begun under a node id of its own."""
    storage = await PostgresStorage.open(dsn, session, limits)
    try:
        await storage.ownership.open_session(session, f"node of {session}", "127.0.0.1:1", LEASE_S)
        yield storage
    finally:
        await storage.close()


async def claim(storage: PostgresStorage, session: str, shard: int) -> ClaimedShard:
    """Claims the shard as it is now; it has to succeed."""
    rows = await storage.ownership.shards()
    [claimed] = await storage.ownership.claim(session, {shard: rows[shard].epoch}, 7)
    return claimed


async def until_waiting(dsn: str, application_name: str) -> None:
    """Waits until a backend of a name like this waits for a lock."""
    # On a connection without a transaction, within which pg_stat_activity would stand still.
    async with raw(dsn) as watcher:

        async def waits() -> bool:
            return bool(
                await watcher.fetchval(
                    "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                    " AND application_name LIKE $1 AND wait_event_type = 'Lock')",
                    application_name,
                )
            )

        await until(waits)
