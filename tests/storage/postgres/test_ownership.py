"""Sessions and claims on a real Postgres, with locks that others hold."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from protocol.faults import NotApplied
from protocol.log import SHARDS
from storage.postgres.storage import PostgresStorage
from tests.storage.postgres.sessions import LEASE_S, claim, opened, raw, until, until_waiting

MINE, THEIRS = "session-1", "session-2"
HOLD = "SELECT 1 FROM shards WHERE shard_id = 3 FOR NO KEY UPDATE"


@pytest.fixture
async def storage(database_dsn: str) -> AsyncIterator[PostgresStorage]:
    """Ours."""
    async with opened(database_dsn, MINE) as storage:
        yield storage


async def test_every_shard_goes_to_one_of_many_claimers(storage: PostgresStorage, database_dsn: str) -> None:
    seen = {row.shard: row.epoch for row in await storage.ownership.shards()}
    names = [f"racer-{number}" for number in range(6)]
    for number, name in enumerate(names):
        await storage.ownership.open_session(name, f"node {number}", "127.0.0.1:1", LEASE_S)
    async with opened(database_dsn, THEIRS) as theirs:
        claims = await asyncio.gather(
            *(
                (storage, theirs)[number % 2].ownership.claim(name, seen, number + 1)
                for number, name in enumerate(names)
            )
        )
    won = [claimed.shard for claimed_by_one in claims for claimed in claimed_by_one]
    assert sorted(won) == list(range(SHARDS))
    owners = {row.shard: row.owner for row in await storage.ownership.shards()}
    for name, claimed_by_one in zip(names, claims, strict=True):
        assert {owners[claimed.shard] for claimed in claimed_by_one} <= {name}


async def test_a_lock_of_a_stopped_dead_owner_is_broken(storage: PostgresStorage, database_dsn: str) -> None:
    await claim(storage, MINE, 3)
    async with opened(database_dsn, THEIRS) as theirs, raw(database_dsn, f"pantherahive/{MINE}/lane-9") as stopped:
        await stopped.execute(f"BEGIN; {HOLD}")
        await theirs.ownership.close_session(MINE)
        taken = await claim(theirs, THEIRS, 3)
        assert (taken.epoch, taken.head) == (14, 0)

        async def is_ended() -> bool:
            return stopped.is_closed()

        await until(is_ended)


async def test_a_lock_of_anybody_else_is_respected(storage: PostgresStorage, database_dsn: str) -> None:
    async with raw(database_dsn, "pantherahive/somebody/lane-0") as holder:
        await holder.execute(f"BEGIN; {HOLD}")
        with pytest.raises(NotApplied):
            await claim(storage, MINE, 3)
        assert not holder.is_closed()


async def test_a_reap_passes_over_a_session_that_beats_at_this_moment(
    storage: PostgresStorage, database_dsn: str
) -> None:
    async with raw(database_dsn) as beating:
        seen = {node.session: node.lease_until_us for node in await storage.ownership.nodes()}
        await beating.execute("BEGIN")
        await beating.execute("UPDATE nodes SET lease_until = clock_timestamp() + interval '5 s'")
        assert await storage.ownership.reap(seen) == []
        await beating.execute("COMMIT")
    assert await storage.ownership.reap(seen) == []
    assert await storage.ownership.beat(MINE, LEASE_S)


async def test_a_beat_that_waits_for_a_reap_learns_that_it_is_over(storage: PostgresStorage, database_dsn: str) -> None:
    async with opened(database_dsn, THEIRS) as theirs, raw(database_dsn) as reaping:
        await reaping.execute("BEGIN")
        await reaping.execute("DELETE FROM nodes WHERE session = $1", MINE)
        beating = asyncio.create_task(storage.ownership.beat(MINE, LEASE_S))
        await until_waiting(database_dsn, f"pantherahive/{MINE}/ownership")
        await reaping.execute("COMMIT")
        assert await beating is False
        assert [node.session for node in await theirs.ownership.nodes()] == [THEIRS]


async def test_a_claim_that_waited_sees_an_owner_it_did_not_know(storage: PostgresStorage, database_dsn: str) -> None:
    """The look into `nodes` is as old as the statement; the epoch is what protects the new owner."""
    async with raw(database_dsn) as faster:
        await faster.execute("BEGIN")
        await faster.execute("INSERT INTO nodes VALUES ('fast', 'fast', '', clock_timestamp() + interval '5 s')")
        await faster.execute("UPDATE shards SET owner = 'fast', epoch = epoch + 1 WHERE shard_id = 3")
        claiming = asyncio.create_task(storage.ownership.claim(MINE, {3: 0}, 5))
        await until_waiting(database_dsn, f"pantherahive/{MINE}/ownership")
        await faster.execute("COMMIT")
        assert await claiming == []
    assert (await storage.ownership.shards())[3].owner == "fast"
