"""The region: actors are found or started, let go when they are idle, and started again after a failure."""

from __future__ import annotations

import asyncio

import pytest

from actors.runtime.region import WEIGHT_FACTOR
from actors.runtime.request import Accepted
from protocol.errors import ErrorCode
from protocol.log import shard_of
from storage.memory.faulty import Hold
from tests.actors.runtime.notes import NotesActor, add, edit, look_at_size, look_at_texts, note_id
from tests.actors.runtime.world import STREAM, a_world, accepted, rejected, settle


async def test_a_stream_of_an_unknown_kind_does_not_exist() -> None:
    async with a_world() as world:
        assert rejected(await world.send(add(1), "nothing/1")).code is ErrorCode.NOT_FOUND
        assert rejected(await world.read(look_at_size, stream="nothing")).code is ErrorCode.NOT_FOUND


async def test_a_stream_of_a_shard_that_is_not_ours_is_unavailable() -> None:
    async with a_world() as world:
        world.shards.lost(shard_of(STREAM))
        assert rejected(await world.send(add(1))).code is ErrorCode.UNAVAILABLE


async def test_an_actor_goes_after_it_was_idle_and_comes_back_as_it_was() -> None:
    async with a_world(idle_passivation_s=300.0) as world:
        await world.given(3)
        world.clock.advance(299.0)
        world.region.sweep()
        assert world.region.live == 1
        await world.read(look_at_size)
        world.clock.advance(299.0)
        world.region.sweep()
        assert world.region.live == 1
        world.clock.advance(1.0)
        world.region.sweep()
        assert (world.region.live, world.meters.counts["passivated notes"]) == (0, 1)
        assert (await world.read(look_at_size)).value == 3


async def test_a_stream_without_an_entry_leaves_at_the_next_sweep() -> None:
    async with a_world() as world:
        await world.read(look_at_size, stream="notes/guessed")
        assert world.region.live == 1
        world.region.sweep()
        assert world.region.live == 0


async def test_beyond_the_memory_budget_the_longest_idle_go_first() -> None:
    async with a_world() as world:
        for number in range(4):
            world.clock.advance(1.0)
            await world.given(3, f"notes/{number}")
        world.clock.advance(1.0)
        await world.read(look_at_size, stream="notes/0")
        each = world.region.memory_bytes // 4
        assert each % WEIGHT_FACTOR == 0
        assert each > 0
    async with a_world(actors_memory_max_bytes=each * 2) as world:
        for number in range(4):
            world.clock.advance(1.0)
            await world.given(3, f"notes/{number}")
        world.clock.advance(1.0)
        await world.read(look_at_size, stream="notes/0")
        world.region.sweep()
        assert sorted(world.region._cells) == ["notes/0", "notes/3"]
        assert world.region.memory_bytes == each * 2


async def test_an_actor_with_anything_pending_stays_whatever_the_budget() -> None:
    async with a_world(actors_memory_max_bytes=1, idle_passivation_s=1.0) as world:
        hold = world.journal.next(Hold())
        in_flight = world.send(add(1))
        await hold.reached.wait()
        world.journal.reads_wait_for = asyncio.Event()
        loading = world.read(look_at_size, stream="notes/2")
        await settle()
        world.clock.advance(10.0)
        world.region.sweep()
        assert world.region.live == 2
        assert not world.region.passivate(STREAM)
        hold.release()
        await in_flight
        world.read(look_at_size)
        delivered = world.read(look_at_size)  # its turn comes after this one
        assert not world.region.passivate(STREAM)
        world.region.sweep()
        assert (await delivered).value == 1
        world.journal.reads_wait_for.set()
        await loading
        world.region.sweep()
        assert world.region.live == 0


async def test_deliveries_that_race_with_passivation_are_all_answered() -> None:
    async with a_world() as world:
        await world.given(1)
        replies = []
        for number in range(2, 40):
            replies.append(world.send(add(number)))
            await settle(number % 7)
            world.region.passivate(STREAM)
        outcomes = [accepted(outcome) for outcome in await asyncio.gather(*replies)]
        assert [outcome.cursor.seq for outcome in outcomes] == list(range(2, 40))
        assert world.meters.counts["passivated notes"] > 1


async def test_five_crashes_are_a_quarantine_for_that_stream_alone() -> None:
    async with a_world(quarantine_min_s=2.0) as world:
        await world.given(1)
        for _ in range(5):
            assert rejected(await world.send(add(9, "evolve!"))).code is ErrorCode.INTERNAL
        refused = rejected(await world.send(add(2)))
        assert (refused.code, refused.details) == (ErrorCode.UNAVAILABLE, {"retryAfterS": 2.0})
        assert rejected(await world.read(look_at_size)).code is ErrorCode.UNAVAILABLE
        accepted(await world.send(add(1), "notes/other"))
        world.clock.advance(2.0)
        assert accepted(await world.send(add(2))).cursor.seq == 2
        for _ in range(5):
            await world.send(add(9, "evolve!"))
        assert rejected(await world.send(add(3))).details == {"retryAfterS": 4.0}


async def test_what_waits_when_the_quarantine_begins_is_refused_and_not_left() -> None:
    async with a_world() as world:
        await world.given(1)
        replies = [world.send(add(9, "evolve!")) for _ in range(5)] + [world.send(add(2)), world.read(look_at_size)]
        outcomes = await asyncio.gather(*replies)
        assert [rejected(outcome).code for outcome in outcomes] == [ErrorCode.INTERNAL] * 5 + [
            ErrorCode.UNAVAILABLE
        ] * 2


async def test_commands_behind_a_crash_run_in_their_order_on_the_reloaded_state() -> None:
    async with a_world() as world:
        await world.given(1)
        commands = [add(9, "evolve!"), edit(1, "a"), add(2), edit(2, "b"), add(2)]
        outcomes = await asyncio.gather(*(world.send(command) for command in commands))
        assert [isinstance(outcome, Accepted) for outcome in outcomes] == [False, True, True, True, False]
        assert (await world.read(look_at_texts)).value == {note_id(1): "a", note_id(2): "b"}


async def test_a_log_that_cannot_be_replayed_halts_its_stream_readable_and_alarmed() -> None:
    actor = NotesActor()
    async with a_world(actor) as world:
        await world.given(3)
        await world.restart()
        actor.indigestible.add("text")
        for reply in [world.send(add(4)), world.send(add(5))]:
            refused = rejected(await reply)
            assert (refused.code, refused.retryable) == (ErrorCode.STREAM_HALTED, False)
        assert (await world.read(look_at_size)).cursor.seq == 0
        assert world.meters.counts["halted notes"] == 1
        assert list(world.region.supervisor.halted_streams) == [STREAM]
        assert len(await world.journal.read(STREAM, 0, 10)) == 3
        assert len(await world.feeds.pages.after(STREAM, 0)) == 3
        accepted(await world.send(add(1, "fine"), "notes/other"))
        assert len(world.journal.entries()) == 3


async def test_a_hole_in_the_log_is_never_skipped() -> None:
    async with a_world() as world:
        await world.given(3)
        assert world.region.passivate(STREAM)
        hidden = world.journal.entries().pop(1)
        assert rejected(await world.send(add(4))).code is ErrorCode.STREAM_HALTED
        world.journal.entries().insert(1, hidden)


async def test_an_orderly_end_writes_what_is_queued_and_refuses_what_comes_later() -> None:
    async with a_world() as world:
        hold = world.journal.next(Hold())
        replies = [world.send(add(number)) for number in range(1, 4)]
        await hold.reached.wait()
        await settle()
        stopping = asyncio.ensure_future(world.region.stop())
        await settle()
        assert rejected(await world.send(add(1), "notes/late")).code is ErrorCode.UNAVAILABLE
        hold.release()
        await stopping
        assert [accepted(reply).cursor.seq for reply in await asyncio.gather(*replies)] == [1, 2, 3]
        await world.start()
        assert (await world.read(look_at_size)).value == 3


async def test_an_end_that_is_cut_short_still_answers_everybody() -> None:
    async with a_world() as world:
        await world.given(1)
        world.journal.away = True
        waiting = [world.send(add(2)), world.read(look_at_size, stream="notes/2")]
        await settle()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await world.region.stop()
        assert [rejected(await reply).code for reply in waiting] == [ErrorCode.UNAVAILABLE] * 2
        world.journal.away = False
        await world.start()


async def test_a_task_that_ends_by_a_defect_is_reported() -> None:
    async with a_world() as world:

        def defect() -> None:
            raise RuntimeError("a lane's defect")

        world.journal.at_append = defect
        reply = world.send(add(1))
        await settle()
        assert isinstance(world.region.failed, RuntimeError)
        await world.region.stop(snapshots=False)
        assert rejected(await reply).retryable
        world.journal.at_append = lambda: None
        await world.start()


async def test_what_can_be_looked_at_adds_up() -> None:
    async with a_world(unsettled_entries_max=1) as world:
        hold = world.journal.next(Hold())
        replies = [world.send(add(number)) for number in range(1, 4)]
        await hold.reached.wait()
        await settle()
        assert (world.region.live, world.region.mailbox_depth) == (1, 2)
        world.clock.advance(0.25)
        hold.release()
        await asyncio.gather(*replies)
        assert world.meters.held_s[0] == 0.25
        assert world.meters.batches == [(1, 1)] * 3
