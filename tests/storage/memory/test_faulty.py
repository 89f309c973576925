"""The faults that a journal in memory can be told to have."""

import asyncio

import pytest

from protocol.faults import NotApplied, OutcomeUnknown
from protocol.log import ClaimedShard
from storage.memory.faulty import FaultyJournal, Hold, LoseAnswer, Refuse
from storage.memory.ownership import MemoryOwnership
from tests.contracts.entries import batch, entry, fence, stream_on

A = stream_on(3)
ME = "session-1"


async def owned(journal: FaultyJournal) -> ClaimedShard:
    """Shard 3, ours."""
    ownership = MemoryOwnership(journal.shards, lambda: 0.0)
    await ownership.open_session(ME, "node", "", 5.0)
    [claimed] = await ownership.claim(ME, {3: 0}, 1)
    return claimed


async def test_a_refused_append_wrote_nothing_and_the_next_one_goes_well() -> None:
    journal = FaultyJournal()
    three, lane = await owned(journal), await journal.open_lane()
    journal.next(Refuse())
    first = batch(ME, [fence(three)], entry(A, 1))
    with pytest.raises(NotApplied):
        await lane.append(first)
    assert await journal.read(A, 0, 10) == []
    assert (await lane.append(first)).heads == {3: 1}
    assert journal.batches == [first, first]


@pytest.mark.parametrize(("fate", "before", "after"), [("applied", 1, 1), ("never", 0, 0), ("late", 0, 1)])
async def test_a_lost_answer_is_decided_by_abandoning_the_lane(fate: str, before: int, after: int) -> None:
    journal = FaultyJournal()
    three, lane = await owned(journal), await journal.open_lane()
    journal.next(LoseAnswer(fate))  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        await lane.append(batch(ME, [fence(three)], entry(A, 1)))
    assert len(await journal.read(A, 0, 10)) == before
    with pytest.raises(NotApplied, match="abandon"):
        await lane.append(batch(ME, [fence(three)], entry(A, 1)))
    await lane.abandon()
    assert len(await journal.read(A, 0, 10)) == after
    assert (await lane.append(batch(ME, [fence(three, after)], entry(A, after + 1)))).heads == {3: after + 1}


async def test_a_late_append_meets_the_fence_of_a_new_epoch() -> None:
    journal = FaultyJournal()
    three, lane = await owned(journal), await journal.open_lane()
    journal.next(LoseAnswer("late"))
    with pytest.raises(OutcomeUnknown):
        await lane.append(batch(ME, [fence(three)], entry(A, 1)))
    await MemoryOwnership(journal.shards, lambda: 0.0).claim(ME, {3: three.epoch}, 1)
    await lane.abandon()
    assert await journal.read(A, 0, 10) == []


@pytest.mark.parametrize("applied_first", [False, True])
async def test_a_held_append_is_under_way_until_it_is_released(applied_first: bool) -> None:
    journal = FaultyJournal()
    three, lane = await owned(journal), await journal.open_lane()
    hold = journal.next(Hold(applied_first=applied_first))
    appending = asyncio.create_task(lane.append_isolating(batch(ME, [fence(three)], entry(A, 1))))
    await hold.reached.wait()
    assert len(await journal.read(A, 0, 10)) == int(applied_first)
    assert not appending.done()
    hold.release()
    assert (await appending).heads == {3: 1}


async def test_a_journal_that_is_away_answers_nothing_until_it_is_back() -> None:
    journal = FaultyJournal()
    three, lane = await owned(journal), await journal.open_lane()
    journal.away = True
    for attempt in (
        lane.append(batch(ME, [fence(three)], entry(A, 1))),
        lane.abandon(),
        journal.load([A], 1),
        journal.load_at(A, None, None, 1),
        journal.snapshot_before(A, None, None),
        journal.read(A, 0, 1),
        journal.read_shard(3, 0, 1),
        journal.find_ops([]),
        journal.find_entries([]),
    ):
        with pytest.raises(NotApplied, match="away"):
            await attempt
    journal.away = False
    assert (await lane.append(batch(ME, [fence(three)], entry(A, 1)))).heads == {3: 1}
