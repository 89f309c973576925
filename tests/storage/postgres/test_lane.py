"""Appends on a real Postgres against everything that may happen beside them."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from protocol.faults import NotApplied, OutcomeUnknown
from protocol.log import ClaimedShard
from storage.postgres.lane import PostgresLane
from storage.postgres.pool import Database, DatabaseLimits
from storage.postgres.storage import PostgresStorage
from tests.contracts.entries import batch, entry, fence, stream_on
from tests.storage.postgres.sessions import LEASE_S, claim, opened, raw, until_waiting

A, B, OTHER = stream_on(3), stream_on(3, 1), stream_on(9)
MINE, THEIRS = "session-1", "session-2"
HOLD = "SELECT 1 FROM shards WHERE shard_id = 3 FOR NO KEY UPDATE"


@pytest.fixture
async def storage(database_dsn: str) -> AsyncIterator[PostgresStorage]:
    """Ours."""
    async with opened(database_dsn, MINE) as storage:
        yield storage


@pytest.fixture
async def lane(storage: PostgresStorage) -> AsyncIterator[PostgresLane]:
    """A lane of ours."""
    lane = await storage.journal.open_lane()
    yield lane
    await lane.close()


async def seqs(storage: PostgresStorage, stream: str) -> list[int]:
    """What is in the log."""
    return [e.seq for e in await storage.journal.read(stream, 0, 100)]


async def test_a_takeover_that_commits_while_the_append_waits_wins(
    storage: PostgresStorage, lane: PostgresLane, database_dsn: str
) -> None:
    three, nine = await claim(storage, MINE, 3), await claim(storage, MINE, 9)
    async with raw(database_dsn) as thief:
        await thief.execute("BEGIN; UPDATE shards SET owner = 'thief', epoch = epoch + 1 WHERE shard_id = 3")
        appending = asyncio.create_task(
            lane.append(batch(MINE, [fence(three), fence(nine)], entry(A, 1), entry(OTHER, 1)))
        )
        await until_waiting(database_dsn, "pantherahive/%/lane-%")
        await thief.execute("COMMIT")
    assert (await appending).heads == {9: 1}
    assert (await seqs(storage, A), await seqs(storage, OTHER)) == ([], [1])


async def test_a_takeover_that_is_undone_while_the_append_waits_changes_nothing(
    storage: PostgresStorage, lane: PostgresLane, database_dsn: str
) -> None:
    three = await claim(storage, MINE, 3)
    async with raw(database_dsn) as thief:
        await thief.execute("BEGIN; UPDATE shards SET owner = 'thief', epoch = epoch + 1 WHERE shard_id = 3")
        appending = asyncio.create_task(lane.append_isolating(batch(MINE, [fence(three)], entry(A, 1))))
        await until_waiting(database_dsn, "pantherahive/%/lane-%")
        await thief.execute("ROLLBACK")
    assert (await appending).heads == {3: 1}


async def test_a_claim_waits_for_the_append_under_way_and_sees_its_head(
    storage: PostgresStorage, lane: PostgresLane, database_dsn: str
) -> None:
    three = await claim(storage, MINE, 3)
    patient = DatabaseLimits(claim_lock_timeout_s=10)
    async with opened(database_dsn, THEIRS, patient) as theirs, raw(database_dsn) as late:
        await storage.ownership.close_session(MINE)
        seen = {3: three.epoch}
        await late.execute("BEGIN; UPDATE shards SET head = head + 5 WHERE shard_id = 3")
        claiming = asyncio.create_task(theirs.ownership.claim(THEIRS, seen, 9))
        await until_waiting(database_dsn, "pantherahive/%/ownership")
        await late.execute("COMMIT")
        assert await claiming == [ClaimedShard(3, three.epoch + 9, 5)]
    assert (await lane.append(batch(MINE, [fence(three, 5)], entry(A, 1)))).heads == {}


async def test_two_sessions_that_race_never_both_write(database_dsn: str, storage: PostgresStorage) -> None:
    """Both believe the other dead, so every claim may succeed, at any moment of the other's appends."""
    dice = random.Random(7)

    async def fight(mine: PostgresStorage, name: str) -> int:
        lane, written = await mine.journal.open_lane(), 0
        for round_number in range(25):
            # The rival's session ends and begins anew, as after an expired lease.
            session = f"{name}-{round_number}"
            await mine.ownership.open_session(session, "the one node", "127.0.0.1:1", LEASE_S)
            rows = await mine.ownership.shards()
            for claimed in await mine.ownership.claim(session, {3: rows[3].epoch}, dice.randint(1, 1000)):
                for index in range(3):
                    new = entry(A, claimed.head + index + 1, f"{session} {index}")
                    one = await lane.append(batch(session, [fence(claimed, index)], new))
                    written += len(one.heads)
        await lane.close()
        return written

    async with opened(database_dsn, THEIRS) as theirs:
        written = sum(await asyncio.gather(fight(storage, "a"), fight(theirs, "b")))
    log = await storage.journal.read_shard(3, 0, 1000)
    assert [e.pos for e in log] == [e.seq for e in log] == list(range(1, written + 1))
    assert [e.epoch for e in log] == sorted(e.epoch for e in log), "the log is a concatenation of epochs"
    assert 3 < written <= 150


async def test_a_killed_backend_means_an_unknown_outcome_until_the_lane_is_abandoned(
    storage: PostgresStorage, lane: PostgresLane, database_dsn: str
) -> None:
    three = await claim(storage, MINE, 3)
    async with raw(database_dsn) as killer:
        await killer.execute(f"BEGIN; {HOLD}")
        appending = asyncio.create_task(lane.append(batch(MINE, [fence(three)], entry(A, 1))))
        await until_waiting(database_dsn, "pantherahive/%/lane-%")
        await killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%/lane-%'"
        )
        with pytest.raises(OutcomeUnknown):
            await appending
    with pytest.raises(NotApplied, match="abandon"):
        await lane.append(batch(MINE, [fence(three)], entry(A, 1)))
    await lane.abandon()
    assert (await storage.ownership.shards())[3].head == 0
    assert (await lane.append(batch(MINE, [fence(three)], entry(A, 1)))).heads == {3: 1}


async def test_abandoning_ends_an_append_that_waits(
    storage: PostgresStorage, lane: PostgresLane, database_dsn: str
) -> None:
    three = await claim(storage, MINE, 3)
    async with raw(database_dsn) as holder:
        await holder.execute(f"BEGIN; {HOLD}")
        appending = asyncio.create_task(lane.append(batch(MINE, [fence(three)], entry(A, 1))))
        await until_waiting(database_dsn, "pantherahive/%/lane-%")
        await lane.abandon()
        with pytest.raises(OutcomeUnknown):
            await appending
        assert await holder.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0
    assert await seqs(storage, A) == []
    assert (await lane.append(batch(MINE, [fence(three)], entry(A, 1)))).heads == {3: 1}


async def test_no_answer_in_time_is_an_unknown_outcome(database_dsn: str) -> None:
    async with opened(database_dsn, MINE, DatabaseLimits(append_timeout_s=0.1)) as storage:
        three = await claim(storage, MINE, 3)
        lane = await storage.journal.open_lane()
        async with raw(database_dsn) as holder:
            await holder.execute(f"BEGIN; {HOLD}")
            with pytest.raises(OutcomeUnknown, match="no answer"):
                await lane.append(batch(MINE, [fence(three)], entry(A, 1)))
        with pytest.raises(NotApplied, match="abandon"):
            await lane.append(batch(MINE, [fence(three)], entry(A, 1)))
        await lane.abandon()
        head = (await storage.ownership.shards())[3].head
        assert await seqs(storage, A) == list(range(1, head + 1)), "decided, one way or the other"
        await lane.close()


async def test_a_cancelled_caller_leaves_the_lane_undecided(
    storage: PostgresStorage, lane: PostgresLane, database_dsn: str
) -> None:
    three = await claim(storage, MINE, 3)
    async with raw(database_dsn) as holder:
        await holder.execute(f"BEGIN; {HOLD}")
        appending = asyncio.create_task(lane.append(batch(MINE, [fence(three)], entry(A, 1))))
        await until_waiting(database_dsn, "pantherahive/%/lane-%")
        appending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await appending
        await holder.execute("ROLLBACK")
    with pytest.raises(NotApplied, match="abandon"):
        await lane.append(batch(MINE, [fence(three)], entry(A, 1)))
    await lane.abandon()
    head = (await storage.ownership.shards())[3].head
    assert await seqs(storage, A) == list(range(1, head + 1)), "decided, one way or the other"


async def test_a_database_that_cannot_be_reached_applied_nothing() -> None:
    lane = PostgresLane(Database("postgresql://nobody@/nothing?host=/nowhere", MINE, DatabaseLimits()), 0)
    with pytest.raises(NotApplied):
        await lane.append(batch(MINE, []))
    await lane.abandon()
    await lane.close()


async def test_a_lane_carries_its_session_in_its_name_and_plans_anew_each_time(
    storage: PostgresStorage, lane: PostgresLane, database_dsn: str
) -> None:
    three = await claim(storage, MINE, 3)
    await lane.append(batch(MINE, [fence(three)], entry(A, 1)))
    async with raw(database_dsn) as reader:
        names = await reader.fetch(
            "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE '%/lane-%'"
        )
        assert [row[0] for row in names] == [f"pantherahive/{MINE}/lane-0"]
        await lane.append(batch("another", [fence(three)], entry(B, 1)))
        names = await reader.fetch(
            "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE '%/lane-%'"
        )
        assert [row[0] for row in names] == ["pantherahive/another/lane-0"]
