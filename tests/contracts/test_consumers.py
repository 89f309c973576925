"""The contract of `storage.ports.Consumers`, `TimerTable` and `Transactions`, and of `actors.ports.Timers`."""

import asyncio

import pytest

from protocol.log import SHARDS, DueTimer
from storage.ports import DeadLetter, Move, TimerWrite
from tests.contracts.entries import AT, stream_on
from tests.contracts.storages import Storage

A, B, OTHER = stream_on(3), stream_on(3, 1), stream_on(9)
LATER = "2026-02-01T00:00:00.000Z"


class PlannedError(Exception):
    """Ends a transaction in a test."""


async def write_timers(storage: Storage, *changes: TimerWrite) -> None:
    """In a transaction of their own."""
    async with storage.transactions.transaction() as transaction:
        await storage.timer_table.write(transaction, changes)


async def test_a_new_consumer_begins_at_zero_everywhere(storage: Storage) -> None:
    assert await storage.consumers.positions("projector") == dict.fromkeys(range(SHARDS), 0)


async def test_a_checkpoint_moves_in_many_shards_at_once(storage: Storage) -> None:
    await storage.consumers.positions("projector")
    async with storage.transactions.transaction() as transaction:
        assert await storage.consumers.advance(transaction, "projector", {3: Move(0, 5), 9: Move(0, 2)})
    positions = await storage.consumers.positions("projector")
    assert (positions[3], positions[9], positions[4]) == (5, 2, 0)
    assert (await storage.consumers.positions("notifier"))[3] == 0


async def test_a_checkpoint_that_is_elsewhere_is_not_moved(storage: Storage) -> None:
    await storage.consumers.positions("projector")

    async def run() -> None:
        async with storage.transactions.transaction() as transaction:
            assert not await storage.consumers.advance(transaction, "projector", {3: Move(1, 5), 9: Move(0, 2)})
            raise PlannedError

    with pytest.raises(PlannedError):
        await run()
    assert set((await storage.consumers.positions("projector")).values()) == {0}


async def test_an_effect_and_its_checkpoint_are_one(storage: Storage) -> None:
    await storage.consumers.positions("timekeeper")

    async def run() -> None:
        async with storage.transactions.transaction() as transaction:
            assert await storage.consumers.advance(transaction, "timekeeper", {3: Move(0, 1)})
            await storage.timer_table.write(transaction, [TimerWrite(A, "due", AT)])
            await storage.consumers.bury(transaction, DeadLetter("timekeeper", 3, 1, A, "why", AT))
            raise PlannedError

    with pytest.raises(PlannedError):
        await run()
    assert (await storage.consumers.positions("timekeeper"))[3] == 0
    assert await storage.timers.due([3], LATER, 10) == []
    assert await storage.consumers.dead_letters("timekeeper", 10) == []


async def test_of_two_runners_of_one_consumer_one_wins(storage: Storage) -> None:
    await storage.consumers.positions("projector")

    async def run() -> bool:
        async with storage.transactions.transaction() as transaction:
            moves = {shard: Move(0, 1) for shard in range(SHARDS)}
            return await storage.consumers.advance(transaction, "projector", moves)

    assert sorted(await asyncio.gather(run(), run())) == [False, True]


async def test_dead_letters_are_kept_once(storage: Storage) -> None:
    letters = [DeadLetter("notifier", 3, pos, A, f"reason {pos}", AT) for pos in (2, 1, 2)]
    for letter in letters:
        async with storage.transactions.transaction() as transaction:
            await storage.consumers.bury(transaction, letter)
    assert await storage.consumers.dead_letters("notifier", 10) == [letters[1], letters[0]]
    assert await storage.consumers.dead_letters("notifier", 1) == [letters[1]]
    assert await storage.consumers.dead_letters("projector", 10) == []


async def test_timers_are_due_by_shard_and_time_earliest_first(storage: Storage) -> None:
    await write_timers(storage, TimerWrite(A, "late", LATER), TimerWrite(B, "soon", AT), TimerWrite(OTHER, "soon", AT))
    assert await storage.timers.due([3], AT, 10) == [DueTimer(B, "soon", AT)]
    assert await storage.timers.due([3], LATER, 10) == [DueTimer(B, "soon", AT), DueTimer(A, "late", LATER)]
    assert len(await storage.timers.due([3, 9], LATER, 10)) == 3
    assert len(await storage.timers.due([3, 9], LATER, 2)) == 2
    assert await storage.timers.due([], LATER, 10) == []


async def test_of_several_changes_of_a_timer_the_last_counts(storage: Storage) -> None:
    await write_timers(storage, TimerWrite(A, "one", LATER), TimerWrite(A, "one", AT), TimerWrite(B, "two", AT))
    await write_timers(storage, TimerWrite(B, "two", LATER), TimerWrite(B, "two", None))
    assert await storage.timers.due([3], LATER, 10) == [DueTimer(A, "one", AT)]


async def test_a_fired_timer_is_forgotten_unless_it_was_set_anew(storage: Storage) -> None:
    await write_timers(storage, TimerWrite(A, "one", AT), TimerWrite(B, "two", AT))
    first, second = await storage.timers.due([3], AT, 10)
    await write_timers(storage, TimerWrite(second.stream, second.name, LATER))
    await storage.timers.done(first)
    await storage.timers.done(second)
    assert await storage.timers.due([3], LATER, 10) == [DueTimer(second.stream, second.name, LATER)]
