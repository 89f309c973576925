"""The contract of `storage.ports.Consumers`, `TimerTable` and `Transactions`, and of `actors.ports.Timers`."""

import asyncio

import pytest

from protocol.log import SHARDS, DueTimer
from storage.ports import DeadLetter, Move, TimerEdit, TimersClear, TimersWake, TimerWake, TimerWrite
from tests.contracts.entries import AT, stream_on
from tests.contracts.storages import Storage

A, B, OTHER = stream_on(3), stream_on(3, 1), stream_on(9)
LATER = "2026-02-01T00:00:00.000Z"
BEFORE_LATER = "2026-01-31T23:59:59.999Z"


class PlannedError(Exception):
    """Ends a transaction in a test."""


async def write_timers(storage: Storage, *changes: TimerEdit) -> None:
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
            await storage.timer_table.write(transaction, [TimerWrite(A, "due", AT, 1)])
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
    late, soon = TimerWrite(A, "late", LATER, 4), TimerWrite(B, "soon", AT, 5)
    await write_timers(storage, late, soon, TimerWrite(OTHER, "soon", AT, 6))
    assert await storage.timers.due([3], AT, 10) == [DueTimer(B, "soon", AT, 5)]
    assert await storage.timers.due([3], LATER, 10) == [DueTimer(B, "soon", AT, 5), DueTimer(A, "late", LATER, 4)]
    assert len(await storage.timers.due([3, 9], LATER, 10)) == 3
    assert len(await storage.timers.due([3, 9], LATER, 2)) == 2
    assert await storage.timers.due([], LATER, 10) == []


async def test_due_timers_go_on_behind_one_and_leave_streams_out(storage: Storage) -> None:
    await write_timers(storage, *(TimerWrite(stream, name, AT, 1) for stream in (A, B) for name in ("one", "two")))
    await write_timers(storage, TimerWrite(OTHER, "late", LATER, 1))
    everything = await storage.timers.due([3, 9], LATER, 10)
    assert [len(everything), everything[-1]] == [5, DueTimer(OTHER, "late", LATER, 1)]
    for place, timer in enumerate(everything, 1):
        assert await storage.timers.due([3, 9], LATER, 10, behind=timer) == everything[place:]
    for left_out in ([A], [A, OTHER], [A, B, OTHER]):
        kept = [timer for timer in everything if timer.stream not in left_out]
        assert await storage.timers.due([3, 9], LATER, 10, without=left_out) == kept
        assert await storage.timers.due([3, 9], LATER, 1, without=left_out) == kept[:1]


async def test_a_timer_that_rested_keeps_the_place_of_when_it_was_due(storage: Storage) -> None:
    await write_timers(storage, TimerWrite(A, "rests", AT, 1), TimerWrite(B, "other", BEFORE_LATER, 1))
    [timer] = await storage.timers.due([3], AT, 10)
    await storage.timers.rest(timer, LATER)
    rested, other = await storage.timers.due([3], LATER, 10)
    assert (rested, other.stream) == (DueTimer(A, "rests", AT, 1, has_rested=True), B)
    assert await storage.timers.due([3], LATER, 10, behind=rested) == [other]


async def test_of_several_changes_of_a_timer_the_last_counts(storage: Storage) -> None:
    await write_timers(
        storage, TimerWrite(A, "one", LATER, 1), TimerWrite(A, "one", AT, 2), TimerWrite(B, "two", AT, 1)
    )
    await write_timers(storage, TimerWrite(B, "two", LATER, 2), TimerWrite(B, "two", None, 3))
    assert await storage.timers.due([3], LATER, 10) == [DueTimer(A, "one", AT, 2)]


@pytest.mark.parametrize("due_at", [AT, LATER], ids=["for the same time", "for another time"])
async def test_a_fired_timer_is_forgotten_unless_it_was_set_anew(storage: Storage, due_at: str) -> None:
    await write_timers(storage, TimerWrite(A, "one", AT, 1), TimerWrite(B, "two", AT, 1))
    first, second = await storage.timers.due([3], AT, 10)
    await write_timers(storage, TimerWrite(second.stream, second.name, due_at, 2))
    await storage.timers.done(first)
    await storage.timers.done(second)
    assert await storage.timers.due([3], LATER, 10) == [DueTimer(second.stream, second.name, due_at, 2)]


async def test_a_timer_that_rests_is_due_at_the_end_of_its_rest_and_says_so(storage: Storage) -> None:
    await write_timers(storage, TimerWrite(A, "one", AT, 1))
    [timer] = await storage.timers.due([3], AT, 10)
    await storage.timers.rest(timer, LATER)
    assert await storage.timers.due([3], BEFORE_LATER, 10) == []
    rested = DueTimer(A, "one", AT, 1, has_rested=True)
    assert await storage.timers.due([3], LATER, 10) == [rested]
    await storage.timers.done(rested)
    assert await storage.timers.due([3], LATER, 10) == []


async def test_a_timer_that_is_set_anew_rests_no_longer(storage: Storage) -> None:
    await write_timers(storage, TimerWrite(A, "one", AT, 1))
    [timer] = await storage.timers.due([3], AT, 10)
    await storage.timers.rest(timer, LATER)
    await write_timers(storage, TimerWrite(A, "one", AT, 2))
    assert await storage.timers.due([3], AT, 10) == [DueTimer(A, "one", AT, 2)]


async def test_timers_of_one_stream_are_woken_by_their_names_or_by_how_these_begin(storage: Storage) -> None:
    names = ["due", "due:1", "due:2", "due:22", "due;", "other"]
    await write_timers(storage, *(TimerWrite(stream, name, AT, 1) for stream in (A, B) for name in names))
    for timer in await storage.timers.due([3], AT, 20):
        await storage.timers.rest(timer, LATER)
    await write_timers(storage, TimerWake(A, "due:2", 2))
    assert await storage.timers.due([3], AT, 20) == [DueTimer(A, "due:2", AT, 2)]
    await write_timers(storage, TimersWake(A, "due:", 3), TimerWake(A, "none", 3))
    assert await storage.timers.due([3], AT, 20) == [DueTimer(A, name, AT, 3) for name in ("due:1", "due:2", "due:22")]


@pytest.mark.parametrize("last", [TimerWake(A, "due:1", 4), TimersWake(A, "due:", 4), TimersWake(A, "", 4)])
async def test_of_several_wakes_of_a_timer_the_last_counts(storage: Storage, last: TimerEdit) -> None:
    await write_timers(storage, TimerWrite(A, "due:1", AT, 1))
    wakes = (TimerWake(A, "due:1", 2), TimersWake(A, "due:", 2), TimersWake(A, "due:", 3), TimersWake(A, "", 3))
    await write_timers(storage, *wakes, TimerWake(A, "due:1", 3), last)
    assert await storage.timers.due([3], AT, 10) == [DueTimer(A, "due:1", AT, 4)]


async def test_all_timers_of_a_stream_are_cleared_but_those_that_are_set_later(storage: Storage) -> None:
    await write_timers(storage, *(TimerWrite(stream, "old", AT, 1) for stream in (A, B)))
    gone = [TimerWrite(A, name, AT, 2) for name in ("old", "new", "other")]
    await write_timers(storage, *gone, TimersClear(A), TimerWrite(A, "new", AT, 3))
    assert {timer.stream: timer for timer in await storage.timers.due([3], AT, 10)} == {
        A: DueTimer(A, "new", AT, 3),
        B: DueTimer(B, "old", AT, 1),
    }


async def test_waking_sets_no_timer_and_makes_none_due_sooner(storage: Storage) -> None:
    await write_timers(storage, TimerWrite(A, "later", LATER, 1), TimersWake(A, "", 2))
    assert await storage.timers.due([3], BEFORE_LATER, 10) == []
    assert await storage.timers.due([3], LATER, 10) == [DueTimer(A, "later", LATER, 2)]


async def test_what_is_set_or_cleared_after_it_was_woken_is_as_if_it_had_slept_on(storage: Storage) -> None:
    await write_timers(storage, TimerWrite(A, "one", AT, 1), TimerWrite(B, "two", AT, 1))
    await write_timers(
        storage,
        TimerWake(A, "one", 2),
        TimerWrite(A, "one", LATER, 3),
        TimerWake(B, "two", 2),
        TimerWrite(B, "two", None, 3),
    )
    assert await storage.timers.due([3], LATER, 10) == [DueTimer(A, "one", LATER, 3)]


@pytest.mark.parametrize("change", [TimerWake(A, "one", 2), TimerWrite(A, "one", AT, 2)], ids=["woken", "set"])
async def test_a_timer_does_not_rest_for_a_firing_from_before_it_was_woken_or_set(
    storage: Storage, change: TimerEdit
) -> None:
    await write_timers(storage, TimerWrite(A, "one", AT, 1))
    [timer] = await storage.timers.due([3], AT, 10)
    await write_timers(storage, change)
    await storage.timers.rest(timer, LATER)
    await storage.timers.done(timer)
    assert await storage.timers.due([3], AT, 10) == [DueTimer(A, "one", AT, 2)]
