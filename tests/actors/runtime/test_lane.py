"""The lane: group commit, and every failure of an append brought to a known end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors.runtime.request import Accepted
from protocol.errors import ErrorCode
from protocol.log import shard_of
from storage.memory.faulty import Hold, LoseAnswer, Refuse
from tests.actors.runtime.notes import add, edit, look_at_size
from tests.actors.runtime.world import (
    STREAM,
    World,
    a_world,
    accepted,
    rejected,
    settle,
    streams_of_shard,
)


async def test_while_a_batch_is_in_flight_the_next_one_fills_with_all_streams() -> None:
    async with a_world(lanes=1) as world:
        hold = world.journal.next(Hold())
        first = world.send(add(1), "notes/a")
        await hold.reached.wait()
        others = [world.send(add(n), f"notes/{name}") for n in range(1, 4) for name in "bcd"]
        await settle()
        assert len(world.journal.batches) == 1
        hold.release()
        await asyncio.gather(first, *others)
        assert world.meters.batches == [(1, 1), (9, 3)]


async def test_there_is_one_batch_in_flight_per_lane_and_lanes_do_not_wait_for_each_other() -> None:
    async with a_world(lanes=2) as world:
        even, odd = (next(f"notes/{n}" for n in range(100) if shard_of(f"notes/{n}") % 2 == lane) for lane in (0, 1))
        hold = world.journal.next(Hold())
        stuck = world.send(add(1), even)
        await hold.reached.wait()
        accepted(await world.send(add(1), odd))
        assert not stuck.done()
        hold.release()
        accepted(await stuck)


async def test_how_long_a_batch_is_on_its_way_is_known_from_outside() -> None:
    async with a_world() as world:
        hold = world.journal.next(Hold())
        stuck = world.send(add(1), within_s=999.0)
        assert world.region.append_pending_s == 0
        await hold.reached.wait()
        world.clock.advance(7.0)
        assert world.region.append_pending_s == 7.0
        hold.release()
        accepted(await stuck)
        assert world.region.append_pending_s == 0


@pytest.mark.parametrize(
    ("limits", "body"),
    [({"batch_entries_max": 4}, "x"), ({"batch_bytes_max": 7_000}, "x" * 2_000)],
    ids=["entries", "bytes"],
)
async def test_a_batch_is_bounded_and_the_order_is_kept(limits: dict[str, Any], body: str) -> None:
    async with a_world(lanes=1, **limits) as world:
        await world.given(1)
        hold = world.journal.next(Hold())
        replies = [world.send(add(2, body))]
        await hold.reached.wait()
        replies += [world.send(add(number, body)) for number in range(3, 12)]
        await settle()
        hold.release()
        seqs = [accepted(outcome).cursor.seq for outcome in await asyncio.gather(*replies)]
        assert seqs == list(range(2, 12))
        assert [len(batch.entries) for batch in world.journal.batches[2:]] == [4, 4, 1]


async def test_an_append_that_was_not_applied_is_tried_until_it_is() -> None:
    async with a_world() as world:
        for _ in range(3):
            world.journal.next(Refuse())
        outcome = accepted(await world.send(add(1)))
        assert outcome.cursor.seq == 1
        assert world.meters.counts["append not_applied"] == 3
        assert world.published() == [1]


async def test_a_database_that_is_away_loses_nothing() -> None:
    async with a_world() as world:
        await world.given(1)
        world.journal.away = True
        replies = [world.send(add(number)) for number in range(2, 6)]
        await settle(200)
        assert not any(reply.done() for reply in replies)
        world.journal.away = False
        assert [accepted(outcome).cursor.seq for outcome in await asyncio.gather(*replies)] == [2, 3, 4, 5]


@pytest.mark.parametrize("fate", ["applied", "never", "late"])
async def test_an_unknown_outcome_is_looked_up_under_a_new_epoch(fate: str) -> None:
    async with a_world() as world:
        await world.given(2)
        epoch = world.journal.entries()[0].epoch
        world.journal.next(LoseAnswer(fate))  # type: ignore[arg-type]
        replies = [world.send(add(number)) for number in range(3, 6)]
        outcomes = [accepted(outcome) for outcome in await asyncio.gather(*replies)]
        later = accepted(await world.send(add(6)))
        assert [outcome.cursor.seq for outcome in outcomes] == [3, 4, 5]
        entries = world.journal.entries()
        assert [outcome.cursor.epoch for outcome in outcomes] == [entry.epoch for entry in entries[2:5]]
        written_before = fate in ("applied", "late")
        assert [entry.epoch == epoch for entry in entries] == [True, True, *[written_before] * 3, False]
        assert later.cursor == (6, entries[5].epoch)
        assert world.published() == [1, 2, 3, 4, 5, 6]
        assert (await world.read(look_at_size)).cursor == later.cursor


async def test_an_unknown_outcome_with_the_database_away_waits_until_it_can_be_looked_up() -> None:
    async with a_world() as world:
        world.journal.next(LoseAnswer("applied"))
        world.journal.at_append = lambda: setattr(world.journal, "away", True)
        reply = world.send(add(1))
        await settle(200)
        assert not reply.done()
        world.journal.away = False
        assert accepted(await reply).cursor.seq == 1
        assert len(world.journal.batches) == 1


async def test_unknown_outcomes_in_a_row_do_not_double_anything() -> None:
    async with a_world() as world:
        for fate in ("never", "late", "applied"):
            world.journal.next(LoseAnswer(fate))
        outcomes = await asyncio.gather(*(world.send(add(n), f"notes/{n % 3}") for n in range(9)))
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)


async def a_refused_stream_in_flight(world: World, fate: str) -> None:
    """One stream of a shard repeats an opId that its memory lost; the isolating statement's answer is lost."""
    bad, good = streams_of_shard(5, 2)
    ops = await world.given(4, bad)
    repeated = world.ids.made_at(world.clock.now_ms + 3_600_000)
    first = accepted(await world.send(edit(1, "edited"), bad, op_id=repeated))
    await world.given(5, bad, first=60)
    world.journal.next(Hold()).release()
    world.journal.next(LoseAnswer(fate))  # type: ignore[arg-type]
    retry, healthy = world.send(edit(1, "edited"), bad, op_id=repeated), world.send(add(1), good)
    assert accepted(await healthy).cursor.seq == 1
    again = await retry
    if not isinstance(again, Accepted):
        assert again.retryable
        again = accepted(await world.send(edit(1, "edited"), bad, op_id=repeated))
    assert again == first
    assert len(ops) == 4


@pytest.mark.parametrize("fate", ["applied", "never", "late"])
async def test_an_unknown_outcome_of_the_isolating_statement_refuses_only_what_it_left_out(fate: str) -> None:
    async with a_world(outcomes_remembered_max=3) as world:
        await a_refused_stream_in_flight(world, fate)


async def test_a_lost_shard_is_given_up_and_the_others_go_on() -> None:
    async with a_world(lanes=1) as world:
        lost, kept = streams_of_shard(5, 1)[0], streams_of_shard(6, 1)[0]
        await world.given(1, lost)
        hold = world.journal.next(Hold())
        first = world.send(add(2), lost)
        await hold.reached.wait()
        waiting, healthy = world.send(add(3), lost), world.send(add(1), kept)
        reading = world.read(look_at_size, stream=lost)
        await settle()
        row = world.journal.shards.shards[5]
        row.owner, row.epoch = "somebody else", row.epoch + 1
        hold.release()
        for reply in (first, waiting, reading):
            refused = rejected(await reply)
            assert (refused.code, refused.retryable) == (ErrorCode.UNAVAILABLE, True)
        assert accepted(await healthy).cursor.seq == 1
        assert rejected(await world.send(add(4), lost)).retryable
        assert not world.shards.owns(5)
        assert len(world.journal.entries(lost)) == 1
        assert world.published(lost) == [1]


async def test_a_shard_that_is_lost_while_an_outcome_is_unknown_is_given_up() -> None:
    async with a_world() as world:
        world.journal.next(LoseAnswer("never"))
        row = world.journal.shards.shards[shard_of(STREAM)]

        def taken() -> None:
            row.owner, row.epoch = "somebody else", row.epoch + 1

        world.journal.at_append = taken
        reply = world.send(add(1))
        assert rejected(await reply).code is ErrorCode.UNAVAILABLE
        assert world.journal.entries() == []


async def test_a_session_that_was_ended_writes_nothing_more() -> None:
    async with a_world() as world:
        await world.given(1)
        world.journal.next(LoseAnswer("never"))
        world.journal.shards.nodes.clear()
        assert rejected(await world.send(add(2))).retryable
        assert len(world.journal.entries()) == 1


async def test_what_a_dead_incarnation_queued_is_never_written() -> None:
    async with a_world(lanes=1, outcomes_remembered_max=3) as world:
        op_id = world.ids.made_at(world.clock.now_ms + 3_600_000)
        await world.send(add(1), op_id=op_id)
        await world.given(4, first=2)
        hold = world.journal.next(Hold())
        world.send(edit(2, "again"), op_id=op_id)
        await hold.reached.wait()
        queued = [world.send(add(number)) for number in (10, 11)]
        await settle()
        hold.release()
        outcomes = await asyncio.gather(*queued)
        assert [rejected(outcome).code for outcome in outcomes] == [ErrorCode.UNAVAILABLE] * 2
        assert len(world.journal.entries()) == 5
        assert (await world.read(look_at_size)).value == 5


async def test_a_crash_in_the_middle_of_an_append_loses_no_ack() -> None:
    async with a_world() as world:
        ops = await world.given(3)
        hold = world.journal.next(Hold(applied_first=True))
        op_id = world.ids.new_id()
        lost = world.send(add(4), op_id=op_id)
        await hold.reached.wait()
        await world.crash()
        assert not lost.done()
        assert accepted(await world.send(add(4), op_id=op_id)).cursor.seq == 4
        for seq, op in enumerate(ops, 1):
            assert accepted(await world.send(add(seq), op_id=op)).cursor.seq == seq


async def test_an_old_node_that_wakes_up_after_the_takeover_acks_nothing() -> None:
    async with a_world() as world:
        await world.given(1)
        old = world.region
        hold = world.journal.next(Hold())
        zombie = world.send(add(2))
        await hold.reached.wait()
        await world.start()
        accepted(await world.send(add(3)))
        hold.release()
        assert rejected(await zombie).retryable
        await old.stop()
        assert [entry.seq for entry in world.journal.entries()] == [1, 2]
