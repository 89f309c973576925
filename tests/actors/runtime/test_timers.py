"""Timers fire once, also when the node is restarted in between, and stay until their stream has answered."""

from __future__ import annotations

import pytest

from actors.runtime.timers import REST, TimerService, timer_op_id
from protocol.faults import NotApplied
from protocol.log import DueTimer, shard_of
from storage.memory.faulty import LoseAnswer
from storage.memory.transactions import MemoryTransactions
from storage.ports import TimerWake, TimerWrite
from tests.actors.runtime.notes import REFUSED, NotesActor, add
from tests.actors.runtime.world import STREAM, World, a_world, accepted, settle

PAST = "2026-01-01T00:00:00.000Z"


def service_of(world: World) -> TimerService:
    return TimerService([world.actor], world.timers, world.region, world.shards, world.clock, 10.0)


async def set_timers(world: World, *names: str, due_at: str = PAST, stream: str = STREAM, seq: int = 1) -> None:
    async with MemoryTransactions().transaction() as transaction:
        await world.timers.write(transaction, [TimerWrite(stream, name, due_at, seq) for name in names])


async def wake(world: World, prefix: str, seq: int) -> None:
    async with MemoryTransactions().transaction() as transaction:
        await world.timers.write(transaction, [TimerWake(STREAM, prefix, seq)])


async def left(world: World) -> list[str]:
    """The names of the timers that are still set."""
    everything = await world.timers.due(range(128), "9999", 100)
    return [timer.name for timer in everything]


async def test_a_due_timer_sends_its_command_once() -> None:
    async with a_world() as world:
        await set_timers(world, "remind")
        service = service_of(world)
        assert [await service.fire_due(), await service.fire_due()] == [1, 0]
        (entry,) = world.journal.entries()
        assert entry.op_id == timer_op_id(DueTimer(STREAM, "remind", PAST, 1))
        assert entry.author == "system"
        assert await left(world) == []


async def test_a_timer_whose_op_id_somebody_has_used_fires_all_the_same() -> None:
    async with a_world() as world:
        timer = DueTimer(STREAM, "remind", PAST, 1)
        for taken in range(2):
            accepted(await world.send(add(taken), op_id=timer_op_id(timer, taken)))
        await set_timers(world, "remind")
        assert await service_of(world).fire_due() == 1
        assert [entry.op_id for entry in world.journal.entries()][-1] == timer_op_id(timer, 2)
        assert (len(world.journal.entries()), await left(world)) == (3, [])


async def test_a_timer_does_not_fire_before_it_is_due() -> None:
    async with a_world() as world:
        world.clock.advance(60.0)
        due_at = world.clock.now()
        world.clock.advance(-60.0)
        await set_timers(world, "later", due_at=due_at)
        assert await service_of(world).fire_due() == 0
        world.clock.advance(60.0)
        assert await service_of(world).fire_due() == 1


async def test_a_timer_that_fired_before_a_crash_changes_nothing_when_it_fires_again() -> None:
    async with a_world() as world:
        await set_timers(world, "remind")
        done = world.timers.done

        async def crash(timer: DueTimer) -> None:
            raise NotApplied("the node dies before the timer is done")

        world.timers.done = crash  # type: ignore[method-assign]
        with pytest.raises(NotApplied):
            await service_of(world).fire_due()
        world.timers.done = done  # type: ignore[method-assign]
        await world.crash()
        assert await left(world) == ["remind"]
        assert await service_of(world).fire_due() == 1
        assert (len(world.journal.entries()), await left(world)) == (1, [])


async def test_a_timer_set_before_a_crash_fires_after_it() -> None:
    async with a_world() as world:
        await set_timers(world, "remind")
        await world.crash()
        assert await service_of(world).fire_due() == 1
        assert len(world.journal.entries()) == 1


async def test_a_timer_whose_commit_was_in_doubt_fires_once() -> None:
    async with a_world() as world:
        await set_timers(world, "remind")
        world.journal.next(LoseAnswer("applied"))
        assert await service_of(world).fire_due() == 1
        assert len(world.journal.entries()) == 1


async def test_a_refused_timer_rests_and_the_next_one_fires() -> None:
    async with a_world() as world:
        await set_timers(world, "refused", "remind", due_at=world.clock.now())
        assert [await service_of(world).fire_due() for _ in range(2)] == [2, 0]
        assert (len(world.journal.entries()), await left(world)) == (1, ["refused"])


async def test_a_refused_timer_fires_once_it_is_woken_and_its_stream_accepts_it() -> None:
    async with a_world() as world:
        await set_timers(world, "refused", due_at=world.clock.now())
        assert await service_of(world).fire_due() == 1
        await wake(world, "ref", 2)
        assert await service_of(world).fire_due() == 1
        accepted(await world.send(add(REFUSED)))
        assert await service_of(world).fire_due() == 0
        await wake(world, "ref", 3)
        assert await service_of(world).fire_due() == 1
        assert (len(world.journal.entries()), await left(world)) == (2, [])


async def test_a_refused_timer_fires_when_it_is_set_anew_for_the_same_time() -> None:
    async with a_world() as world:
        await set_timers(world, "refused", due_at=(due_at := world.clock.now()))
        assert await service_of(world).fire_due() == 1
        accepted(await world.send(add(REFUSED)))
        await set_timers(world, "refused", due_at=due_at, seq=2)
        assert await service_of(world).fire_due() == 1
        assert (len(world.journal.entries()), await left(world)) == (2, [])


@pytest.mark.parametrize("again", ["set", "woken"])
async def test_a_timer_is_not_put_to_rest_by_a_refusal_from_before_it_was_set_or_woken(again: str) -> None:
    async with a_world() as world:
        await set_timers(world, "refused", due_at=(due_at := world.clock.now()))
        rest = world.timers.rest

        async def too_late(timer: DueTimer, until: str) -> None:
            accepted(await world.send(add(REFUSED)))
            await (set_timers(world, "refused", due_at=due_at, seq=2) if again == "set" else wake(world, "refused", 2))
            await rest(timer, until)

        world.timers.rest = too_late  # type: ignore[method-assign]
        assert await service_of(world).fire_due() == 1
        assert await service_of(world).fire_due() == 1
        assert (len(world.journal.entries()), await left(world)) == (2, [])


async def test_a_timer_that_has_fired_changes_nothing_when_it_is_set_once_more_for_the_same_time() -> None:
    async with a_world() as world:
        await set_timers(world, "remind")
        assert await service_of(world).fire_due() == 1
        await set_timers(world, "remind", seq=2)
        assert await service_of(world).fire_due() == 1
        assert (len(world.journal.entries()), await left(world)) == (1, [])


async def test_a_timer_that_nothing_woke_is_forgotten_and_its_stream_not_asked_again() -> None:
    async with a_world() as world:
        await set_timers(world, "refused", due_at=world.clock.now())
        assert await service_of(world).fire_due() == 1
        accepted(await world.send(add(REFUSED)))
        world.clock.advance(REST.total_seconds() - 1)
        assert (await service_of(world).fire_due(), await left(world)) == (0, ["refused"])
        world.clock.advance(1)
        assert await service_of(world).fire_due() == 1
        assert (len(world.journal.entries()), await left(world)) == (1, [])


async def test_a_timer_that_could_not_fire_for_long_fires_all_the_same() -> None:
    async with a_world() as world:
        await set_timers(world, "remind", "refused", due_at=world.clock.now())
        world.clock.advance(REST.total_seconds() * 3)
        assert [await service_of(world).fire_due() for _ in range(3)] == [2, 1, 0]
        assert (len(world.journal.entries()), await left(world)) == (1, [])


async def test_a_timer_of_a_stream_that_cannot_answer_now_stays() -> None:
    async with a_world() as world:
        await world.given(1)
        for _ in range(5):
            world.region.supervisor.crashed(STREAM, world.clock.monotonic_s())
        world.region.passivate(STREAM)
        await set_timers(world, "remind")
        assert await service_of(world).fire_due() == 0
        assert await left(world) == ["remind"]
        world.clock.advance(60.0)
        assert await service_of(world).fire_due() == 1


async def test_a_timer_of_a_halted_stream_waits_for_its_repair() -> None:
    actor = NotesActor()
    async with a_world(actor) as world:
        await world.given(1)
        world.region.passivate(STREAM)
        actor.indigestible.add("text")
        await set_timers(world, "remind")
        assert await service_of(world).fire_due() == 0
        assert await left(world) == ["remind"]


async def test_timers_of_shards_that_are_not_ours_are_left_to_others() -> None:
    async with a_world() as world:
        await set_timers(world, "remind")
        world.shards.lost(shard_of(STREAM))
        assert await service_of(world).fire_due() == 0
        world.shards.clear()
        assert await service_of(world).fire_due() == 0
        assert await left(world) == ["remind"]


async def test_a_timer_set_anew_while_it_fires_stays_set() -> None:
    async with a_world() as world:
        await set_timers(world, "remind")
        later = "2030-01-01T00:00:00.000Z"
        done = world.timers.done

        async def set_anew(timer: DueTimer) -> None:
            await set_timers(world, "remind", due_at=later, seq=2)
            await done(timer)

        world.timers.done = set_anew  # type: ignore[method-assign]
        assert await service_of(world).fire_due() == 1
        assert await left(world) == ["remind"]
        await settle()
