"""The contract of `actors.ports.AppendLane`: fences, unique keys, and the isolating append."""

from collections.abc import AsyncIterator

import pytest

from actors.ports import AppendLane
from protocol.faults import DuplicateEntry
from protocol.log import NewEntry, ShardFence
from tests.contracts.entries import AT, RECORDED_AT, batch, entry, fence, op, stream_on
from tests.contracts.storages import SESSION, Storage

A, B, OTHER = stream_on(3), stream_on(3, 1), stream_on(9)


@pytest.fixture
async def lane(storage: Storage) -> AsyncIterator[AppendLane]:
    """A lane of the storage."""
    lane = await storage.journal.open_lane()
    yield lane
    await lane.close()


async def test_an_append_gives_epoch_and_dense_positions_and_tells_the_heads(
    storage: Storage, lane: AppendLane
) -> None:
    three, nine = await storage.own(3, 9)
    appended = await lane.append(
        batch(SESSION, [fence(nine), fence(three)], entry(A, 1), entry(OTHER, 1), entry(B, 1), entry(A, 2))
    )
    assert appended.heads == {3: 3, 9: 1}
    assert appended.refused == frozenset()
    log = await storage.journal.read_shard(3, 0, 10)
    assert [(e.stream, e.seq, e.pos, e.shard, e.epoch) for e in log] == [
        (A, 1, 1, 3, three.epoch),
        (B, 1, 2, 3, three.epoch),
        (A, 2, 3, 3, three.epoch),
    ]
    again = await lane.append(batch(SESSION, [fence(three, 3)], entry(A, 3)))
    assert again.heads == {3: 4}


async def test_every_field_comes_back_as_it_went_in(storage: Storage, lane: AppendLane) -> None:
    [three] = await storage.own(3)
    await lane.append(batch(SESSION, [fence(three)], entry(A, 1, "first")))
    [read] = await storage.journal.read(A, 0, 10)
    assert (read.op_id, read.digest, read.payload) == (op("first"), b"digest", b"payload 1")
    assert (read.author, read.at, read.recorded_at) == ("external:github:ada", AT, RECORDED_AT)


async def test_an_empty_append_only_asks_whether_the_shard_is_ours(storage: Storage, lane: AppendLane) -> None:
    [three] = await storage.own(3)
    assert (await lane.append(batch(SESSION, [fence(three)]))).heads == {3: 0}
    assert (await lane.append(batch("somebody", [fence(three)]))).heads == {}


@pytest.mark.parametrize("isolating", [False, True])
@pytest.mark.parametrize(
    ("session", "epoch_off", "head_off"),
    [("somebody", 0, 0), (SESSION, -1, 0), (SESSION, 1, 0), (SESSION, 0, 1), (SESSION, 0, -1)],
)
async def test_a_wrong_owner_epoch_or_head_loses_its_shard_and_no_other(
    storage: Storage, lane: AppendLane, session: str, epoch_off: int, head_off: int, isolating: bool
) -> None:
    three, nine = await storage.own(3, 9)
    await lane.append(batch(SESSION, [fence(three)], entry(A, 1)))
    append = lane.append_isolating if isolating else lane.append
    wrong = ShardFence(3, three.epoch + epoch_off, 1 + head_off)
    appended = await append(batch(session, [wrong, fence(nine)], entry(A, 2), entry(OTHER, 1)))
    assert appended.heads == ({9: 1} if session == SESSION else {})
    assert appended.refused == frozenset()
    assert len(await storage.journal.read(A, 0, 10)) == 1
    assert len(await storage.journal.read(OTHER, 0, 10)) == (1 if session == SESSION else 0)


@pytest.mark.parametrize(
    "second",
    [entry(A, 2, "known"), entry(A, 1, "new"), entry(A, 1, "known")],
    ids=["known opId", "known seq", "both"],
)
async def test_a_duplicate_refuses_the_whole_usual_append(storage: Storage, lane: AppendLane, second: NewEntry) -> None:
    three, nine = await storage.own(3, 9)
    await lane.append(batch(SESSION, [fence(three)], entry(A, 1, "known")))
    with pytest.raises(DuplicateEntry):
        await lane.append(batch(SESSION, [fence(three, 1), fence(nine)], entry(OTHER, 1), second))
    assert await storage.journal.read(OTHER, 0, 10) == []
    rows = await storage.ownership.shards()
    assert (rows[3].head, rows[9].head) == (1, 0)
    after = await lane.append(batch(SESSION, [fence(three, 1)], entry(A, 2)))
    assert after.heads == {3: 2}, "the lane goes on without being abandoned"


async def test_one_op_id_in_two_streams_is_no_duplicate(storage: Storage, lane: AppendLane) -> None:
    [three] = await storage.own(3)
    appended = await lane.append(batch(SESSION, [fence(three)], entry(A, 1, "same"), entry(B, 1, "same")))
    assert appended.heads == {3: 2}


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("a known opId", [entry(A, 2, "known")]),
        ("a known opId further on", [entry(A, 2), entry(A, 3, "known")]),
        ("an opId twice", [entry(A, 2, "twice"), entry(A, 3, "twice")]),
        ("a missing predecessor", [entry(A, 3)]),
        ("a known seq", [entry(A, 1, "new")]),
        ("a gap within the batch", [entry(A, 2), entry(A, 4)]),
        ("a wrong order", [entry(A, 3), entry(A, 2)]),
    ],
)
async def test_the_isolating_append_leaves_out_the_stream_and_keeps_the_others(
    storage: Storage, lane: AppendLane, name: str, entries: list[NewEntry]
) -> None:
    three, nine = await storage.own(3, 9)
    await lane.append(batch(SESSION, [fence(three)], entry(A, 1, "known")))
    mixed = [entry(B, 1), *entries, entry(OTHER, 1), entry(B, 2)]
    appended = await lane.append_isolating(batch(SESSION, [fence(three, 1), fence(nine)], *mixed))
    assert appended.refused == {A}, name
    assert appended.heads == {3: 3, 9: 1}
    log = await storage.journal.read_shard(3, 0, 10)
    assert [(e.stream, e.seq, e.pos) for e in log] == [(A, 1, 1), (B, 1, 2), (B, 2, 3)]


async def test_the_isolating_append_of_a_first_entry_with_a_gap_is_refused(storage: Storage, lane: AppendLane) -> None:
    [three] = await storage.own(3)
    appended = await lane.append_isolating(batch(SESSION, [fence(three)], entry(A, 2), entry(B, 1)))
    assert (appended.refused, appended.heads) == (frozenset([A]), {3: 1})


async def test_an_isolating_append_without_anything_wrong_takes_all(storage: Storage, lane: AppendLane) -> None:
    [three] = await storage.own(3)
    appended = await lane.append_isolating(batch(SESSION, [fence(three)], entry(A, 1), entry(B, 1), entry(A, 2)))
    assert (appended.refused, appended.heads) == (frozenset(), {3: 3})


async def test_when_all_are_refused_the_head_stays(storage: Storage, lane: AppendLane) -> None:
    [three] = await storage.own(3)
    appended = await lane.append_isolating(batch(SESSION, [fence(three)], entry(A, 5)))
    assert (appended.refused, appended.heads) == (frozenset([A]), {3: 0})


async def test_an_entry_without_a_fence_is_a_defect(storage: Storage, lane: AppendLane) -> None:
    [nine] = await storage.own(9)
    for append in (lane.append, lane.append_isolating):
        with pytest.raises(ValueError, match="no fence"):
            await append(batch(SESSION, [fence(nine)], entry(A, 1)))


async def test_an_abandoned_lane_can_be_used_again(storage: Storage, lane: AppendLane) -> None:
    [three] = await storage.own(3)
    await lane.append(batch(SESSION, [fence(three)], entry(A, 1)))
    await lane.abandon()
    await lane.abandon()
    assert (await lane.append(batch(SESSION, [fence(three, 1)], entry(A, 2)))).heads == {3: 2}
