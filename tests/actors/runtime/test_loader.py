"""Loading: many streams per round trip, long tails by pages, and no stream left behind by a failure."""

from __future__ import annotations

import asyncio

from actors.runtime.delivery import UNAVAILABLE
from protocol.errors import ErrorCode
from storage.memory.faulty import Hold
from tests.actors.runtime.notes import add, look_at_size
from tests.actors.runtime.world import STREAM, a_world, accepted, rejected, settle


async def test_a_hundred_streams_come_to_life_in_few_round_trips() -> None:
    async with a_world() as world:
        streams = [f"notes/{number}" for number in range(100)]
        await asyncio.gather(*(world.send(add(1), stream) for stream in streams))
        await world.restart()
        world.journal.loads.clear()
        readings = await asyncio.gather(*(world.read(look_at_size, stream=stream) for stream in streams))
        assert [reading.value for reading in readings] == [1] * 100
        assert len(world.journal.loads) <= 4
        assert max(len(load) for load in world.journal.loads) == 50
        assert sorted(stream for load in world.journal.loads for stream in load) == sorted(streams)


async def test_a_stream_is_loaded_once_however_many_ask() -> None:
    async with a_world() as world:
        await asyncio.gather(*(world.read(look_at_size) for _ in range(10)))
        assert world.journal.loads == [[STREAM]]


async def test_the_round_trips_under_way_are_bounded() -> None:
    async with a_world(concurrent_loads_max=2, streams_per_load_max=3) as world:
        world.journal.reads_wait_for = asyncio.Event()
        readings = [world.read(look_at_size, stream=f"notes/{number}") for number in range(20)]
        await settle()
        assert [len(load) for load in world.journal.loads] == [3, 3]
        world.journal.reads_wait_for.set()
        assert len(await asyncio.gather(*readings)) == 20


async def test_one_slow_load_does_not_hold_up_the_next() -> None:
    async with a_world() as world:
        slow, world.journal.reads_wait_for = asyncio.Event(), asyncio.Event()
        slow, first = world.journal.reads_wait_for, world.read(look_at_size, stream="notes/slow")
        await settle()
        world.journal.reads_wait_for = None
        assert (await world.read(look_at_size, stream="notes/quick")).value == 0
        assert not first.done()
        slow.set()
        await first


async def test_a_long_tail_is_loaded_page_by_page() -> None:
    async with a_world(load_page_entries=10, snapshot_at_passivation_entries=1_000) as world:
        await world.given(35)
        await world.restart()
        reading = await world.read(look_at_size)
        assert (reading.value, reading.cursor.seq) == (35, 35)
        assert world.journal.pages == [(STREAM, 10), (STREAM, 20), (STREAM, 30)]
        assert world.meters.replayed[-1] == 35


async def test_pages_of_large_entries_end_by_bytes_and_the_tail_is_whole() -> None:
    async with a_world(load_page_entries=10, load_page_bytes=1, snapshot_at_passivation_entries=1_000) as world:
        await world.given(13)
        await world.restart()
        reading = await world.read(look_at_size)
        assert (reading.value, reading.cursor.seq) == (13, 13)
        assert world.journal.pages == [(STREAM, seq) for seq in range(1, 14)]


async def test_a_tail_that_ends_with_its_page_is_whole() -> None:
    async with a_world(load_page_entries=10, snapshot_at_passivation_entries=1_000) as world:
        await world.given(20)
        await world.restart()
        assert (await world.read(look_at_size)).value == 20
        assert accepted(await world.send(add(21))).cursor.seq == 21


async def test_a_database_that_is_away_is_waited_for() -> None:
    async with a_world() as world:
        await world.given(1)
        await world.restart()
        world.journal.away = True
        reading = world.read(look_at_size)
        await settle(200)
        assert not reading.done()
        world.journal.away = False
        assert (await reading).value == 1


async def test_a_defect_in_loading_is_answered_and_the_stream_is_tried_again() -> None:
    async with a_world() as world:
        world.journal.load_defect = ZeroDivisionError("a driver's defect")
        assert rejected(await world.send(add(1))).code is ErrorCode.UNAVAILABLE
        assert accepted(await world.send(add(1))).cursor.seq == 1
        assert world.meters.counts["crashed notes"] == 1


async def test_a_stream_whose_write_is_in_flight_is_not_loaded_before_its_end() -> None:
    async with a_world(lanes=1) as world:
        hold = world.journal.next(Hold())
        first = world.send(add(1))
        await hold.reached.wait()
        crash = world.send(add(2, "evolve!"))
        behind = world.send(add(3))
        await settle()
        assert len(world.journal.loads) == 1
        hold.release()
        assert [accepted(await reply).cursor.seq for reply in (first, behind)] == [1, 2]
        assert rejected(await crash).code is ErrorCode.INTERNAL


async def test_a_stream_whose_actor_was_let_go_in_mid_write_is_loaded_after_the_write() -> None:
    async with a_world(lanes=1) as world:
        hold, first = world.journal.next(Hold()), world.send(add(1))
        await hold.reached.wait()
        world.region._drop(world.region._cells[STREAM], UNAVAILABLE)
        assert rejected(await first) == UNAVAILABLE
        second = world.send(add(2))
        await settle()
        assert len(world.journal.loads) == 1
        hold.release()
        assert accepted(await second).cursor.seq == 2
        assert (await world.read(look_at_size)).value == 2
