"""Timers fire once, also when the node is restarted in between, and stay until their stream has answered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors.runtime.delivery import Reply
from actors.runtime.request import Outcome, Request
from actors.runtime.stuck_streams import PAUSE_MAX_S, StuckStreams
from actors.runtime.timers import LINES_PER_ROUND_MAX, REST, TIMERS_PER_ROUND_MAX, TimerService, timer_op_id
from protocol.errors import ErrorCode, Rejection
from protocol.faults import NotApplied
from protocol.log import DueTimer, shard_of
from storage.memory.faulty import LoseAnswer
from storage.memory.transactions import MemoryTransactions
from storage.ports import TimersWake, TimerWrite
from tests.actors.runtime.notes import REFUSED, NotesActor, add
from tests.actors.runtime.world import STREAM, World, a_world, accepted, rejected, settle, until

OTHER = "notes/2"
PAST = "2026-01-01T00:00:00.000Z"


class Asked:
    """The world's router, which keeps the streams that it was asked for; `silent` gets `answer`."""

    def __init__(self, world: World, silent: str = "") -> None:
        self._region, self._silent = world.region, silent
        self.streams: list[str] = []
        self.answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def command(self, request: Request) -> asyncio.Future[Outcome]:
        self.streams.append(request.stream)
        return self.answer if request.stream == self._silent else self._region.command(request)

    def send(self, request: Request, reply: Reply) -> None:
        self._region.send(request, reply)

    def read(self, *arguments: Any, **others: Any) -> asyncio.Future[Any]:
        return self._region.read(*arguments, **others)


def service_of(world: World) -> TimerService:
    return TimerService([world.actor], world.timers, world.region, world.shards, world.clock, 10.0)


async def set_timers(world: World, *names: str, due_at: str = PAST, stream: str = STREAM, seq: int = 1) -> None:
    async with MemoryTransactions().transaction() as transaction:
        await world.timers.write(transaction, [TimerWrite(stream, name, due_at, seq) for name in names])


async def wake(world: World, prefix: str, seq: int) -> None:
    async with MemoryTransactions().transaction() as transaction:
        await world.timers.write(transaction, [TimersWake(STREAM, prefix, seq)])


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


async def test_who_foresees_the_op_id_of_a_timer_cannot_use_it_up() -> None:
    async with a_world() as world:
        op_id = timer_op_id(DueTimer(STREAM, "remind", PAST, 1))
        assert rejected(await world.send(add(1), op_id=op_id)).code is ErrorCode.INVALID
        await set_timers(world, "remind")
        assert await service_of(world).fire_due() == 1
        assert [entry.op_id for entry in world.journal.entries()] == [op_id]


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


async def test_more_timers_of_a_halted_stream_than_a_round_takes_cost_other_streams_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_world(actor := NotesActor()) as world:
        await world.given(1)
        world.region.passivate(STREAM)
        actor.indigestible.add("text")
        await set_timers(world, *(f"of the halted {number:03}" for number in range(2 * TIMERS_PER_ROUND_MAX)))
        await set_timers(world, "remind", due_at=world.clock.now(), stream=OTHER)
        service = service_of(world)
        assert [await service.fire_due(), await service.fire_due()] == [0, 1]
        assert (len(world.journal.entries(OTHER)), service.stuck_streams) == (1, 1)
        for _ in range(60):
            world.clock.advance(1.0)
            assert await service.fire_due() == 0
        [line] = [record for record in caplog.records if record.levelname == "WARNING" and "timers" in record.name]
        assert STREAM in line.getMessage()


async def test_a_stream_that_is_repaired_fires_its_timers_soon() -> None:
    async with a_world(actor := NotesActor(), halted_retry_s=1.0) as world:
        await world.given(1)
        world.region.passivate(STREAM)
        actor.indigestible.add("text")
        await set_timers(world, "remind", "refused")
        service = service_of(world)
        for _ in range(100):
            assert await service.fire_due() == 0
            world.clock.advance(PAUSE_MAX_S / 4)
        actor.indigestible.clear()
        world.region.passivate(STREAM)
        world.clock.advance(PAUSE_MAX_S)
        assert (await service.fire_due(), service.stuck_streams, await left(world)) == (2, 0, ["refused"])


async def test_each_stream_that_cannot_answer_is_asked_once_in_a_round() -> None:
    async with a_world() as world:
        for _ in range(5):
            world.region.supervisor.crashed(STREAM, world.clock.monotonic_s())
        await set_timers(world, "one", "two", "three")
        await set_timers(world, "remind", stream=OTHER, due_at=world.clock.now())
        router = Asked(world)
        service = TimerService([world.actor], world.timers, router, world.shards, world.clock, 10.0)
        assert (await service.fire_due(), router.streams) == (1, [STREAM, OTHER])


async def test_a_stream_that_lets_its_timer_wait_does_not_hold_the_others_up() -> None:
    async with a_world() as world:
        await set_timers(world, "remind")
        await set_timers(world, "remind", stream=OTHER, due_at=world.clock.now())
        router = Asked(world, silent=STREAM)
        service = TimerService([world.actor], world.timers, router, world.shards, world.clock, 10.0)
        round_of = asyncio.create_task(service.fire_due())
        await until(lambda: len(world.journal.entries(OTHER)) == 1)
        assert not round_of.done()
        router.answer.set_result(Rejection(ErrorCode.TIMEOUT, "too late"))
        assert (await round_of, service.stuck_streams) == (1, 1)


async def test_the_rounds_pass_more_stuck_streams_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.runtime.timers.StuckStreams", lambda: StuckStreams(3))
    async with a_world() as world:
        stuck = [f"notes/stuck {number:03}" for number in range(2 * TIMERS_PER_ROUND_MAX)]
        for stream in stuck:
            for _ in range(5):
                world.region.supervisor.crashed(stream, world.clock.monotonic_s())
            await set_timers(world, "remind", stream=stream)
        await set_timers(world, "remind", due_at=world.clock.now())
        service = service_of(world)
        assert [await service.fire_due() for _ in range(3)] == [0, 0, 1]
        assert (len(world.journal.entries()), service.stuck_streams) == (1, 3)


async def test_many_streams_that_begin_to_be_stuck_are_a_few_lines_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_world() as world:
        for number in range(TIMERS_PER_ROUND_MAX):
            for _ in range(5):
                world.region.supervisor.crashed(f"notes/{number}", world.clock.monotonic_s())
            await set_timers(world, "remind", stream=f"notes/{number}")
        await service_of(world).fire_due()
        lines = [record.getMessage() for record in caplog.records if record.name == "pantherahive.timers"]
        assert (len(lines), lines[-1]) == (LINES_PER_ROUND_MAX + 1, "due timers of 90 more streams wait")


async def test_a_timer_that_cannot_be_put_away_does_not_keep_the_others_of_its_round() -> None:
    async with a_world() as world:
        await set_timers(world, "remind")
        await set_timers(world, "remind", stream=OTHER)
        done = world.timers.done

        async def refuse(timer: DueTimer) -> None:
            if timer.stream == STREAM:
                raise NotApplied("the row is locked")
            await done(timer)

        world.timers.done = refuse  # type: ignore[method-assign]
        with pytest.raises(NotApplied):
            await service_of(world).fire_due()
        assert [timer.stream for timer in await world.timers.due(range(128), "9999", 100)] == [STREAM]
