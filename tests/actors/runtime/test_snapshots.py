"""Snapshots: taken in a turn, written when durable and off the hot path, used only by the build that knows them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from actors.runtime.history import History
from protocol.faults import NotApplied
from protocol.log import Snapshot
from storage.memory.faulty import Hold
from tests.actors.runtime.notes import Defect, Notes, NotesActor, add, edit, look_at_size, look_at_texts
from tests.actors.runtime.world import STREAM, World, a_world, accepted, rejected, settle


def look_at_all(state: Notes) -> Notes:
    """The whole state, for comparing; nothing changes it meanwhile."""
    return state


async def test_a_snapshot_is_taken_every_five_hundred_entries() -> None:
    async with a_world() as world:
        await asyncio.gather(*(world.send(add(number)) for number in range(1, 1_000)))
        await world.region.snapshots.written()
        await asyncio.gather(*(world.send(edit(1, str(number))) for number in range(700)))
        await world.region.snapshots.written()
        seqs = [0, *world.journal.snapshot_seqs()]
        assert len(seqs) == 4
        assert all(500 <= later - earlier < 500 + 64 for earlier, later in itertools.pairwise(seqs))


async def test_a_large_state_is_kept_the_more_seldom_the_larger_it_is() -> None:
    async with a_world(snapshot_every_entries=2, snapshot_every_entries_max=9, snapshot_bytes_per_entry=500) as world:
        for number in range(1, 60):
            accepted(await world.send(add(number)))
            await world.region.snapshots.written()
        seqs = world.journal.snapshot_seqs()
        apart = [later - earlier for earlier, later in itertools.pairwise(seqs)]
        assert apart == sorted(apart)
        assert (apart[0] < 9, apart[-1]) == (True, 9)


async def test_a_large_state_is_not_kept_for_a_few_entries_when_it_leaves_memory() -> None:
    async with a_world(snapshot_bytes_per_entry=1) as world:
        await world.given(60)
        assert world.region.passivate(STREAM)
        await world.region.snapshots.written()
        assert world.journal.snapshot_seqs() == []


async def test_a_snapshot_is_taken_at_passivation_when_twenty_entries_came_since_the_last() -> None:
    async with a_world() as world:
        await world.given(19)
        assert world.region.passivate(STREAM)
        await world.region.snapshots.written()
        assert world.journal.snapshot_seqs() == []
        await world.given(1, first=20)
        assert world.region.passivate(STREAM)
        await world.region.snapshots.written()
        assert world.journal.snapshot_seqs() == [20]
        await world.given(5, first=21)
        await world.restart()
        assert world.journal.snapshot_seqs() == [20]


async def test_others_have_their_turn_between_the_parts_of_a_snapshot_that_is_read() -> None:
    class Slow(NotesActor):
        def take_part(self, state: Notes, part: dict[str, Any]) -> None:
            super().take_part(state, part)
            world.clock.advance(0.01)
            parts.append(turns)

    turns, parts = 0, list[int]()
    async with a_world(Slow()) as world:
        await world.given(60)
        await world.restart()
        reading = asyncio.ensure_future(world.read(look_at_size))
        while not reading.done():
            turns += 1
            await asyncio.sleep(0)
        assert (await reading).value == 60
        assert len(parts) > 1
        assert len(set(parts)) == len(parts), "two parts were taken in one turn"


async def test_the_state_from_a_snapshot_is_the_state_from_the_log() -> None:
    async with a_world(snapshot_every_entries=7) as world:
        await world.given(10)
        accepted(await world.send(edit(3, "edited")))
        live = (await world.read(look_at_all)).value
        await world.restart()
        assert world.journal.snapshot_seqs() == [7]
        restored = await world.read(look_at_all)
        assert restored.value == live
        assert (restored.cursor.seq, world.meters.replayed[-1]) == (11, 4)
        assert restored.cursor.epoch == world.journal.entries()[-1].epoch
        world.journal._snapshots._by_stream.clear()
        await world.restart()
        assert (await world.read(look_at_all)).value == live
        assert world.meters.replayed[-1] == 11


async def test_a_stream_that_ends_at_its_snapshot_has_the_epoch_of_its_last_entry() -> None:
    async with a_world(snapshot_every_entries=5) as world:
        await world.given(5)
        await world.restart()
        reading = await world.read(look_at_size)
        assert reading.cursor == (5, world.journal.entries()[-1].epoch)
        assert world.meters.replayed[-1] == 0


async def test_a_snapshot_of_another_schema_is_not_used() -> None:
    actor = NotesActor(schema_version=1)
    async with a_world(actor, snapshot_every_entries=5, load_page_entries=4) as world:
        await world.given(10)
        await world.restart()
        actor.schema_version = 2
        assert (await world.read(look_at_size)).value == 10
        assert world.meters.replayed[-1] == 10


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"\xc1 no msgpack",
        lambda _: b"",
        lambda good: good[:-1],
        lambda good: good[: len(good) // 2],
        lambda good: good.replace(b"note", b"nose", 1) if b"note" in good else bytes([good[0] ^ 1]) + good[1:],
    ],
    ids=["other bytes", "nothing", "the last byte", "half of it", "a flipped letter"],
)
async def test_a_snapshot_that_cannot_be_read_costs_a_replay_and_an_error_line(
    damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    async with a_world(load_page_entries=4, snapshot_at_passivation_entries=5) as world:
        await world.given(5)
        await world.restart()
        await world.given(5, first=6)
        live = (await world.read(look_at_all)).value
        await world.restart()
        snapshots = world.journal._snapshots._by_stream[STREAM]
        assert sorted(snapshots) == [5, 10]
        snapshots[10] = replace(snapshots[10], state=damage(snapshots[10].state))
        assert (await world.read(look_at_all)).value == live
        assert world.meters.replayed[-1] == 5, "the older snapshot serves"
        snapshots[5] = replace(snapshots[5], state=damage(snapshots[5].state))
        assert world.region.passivate(STREAM)
        assert (await world.read(look_at_all)).value == live
        assert world.meters.replayed[-1] == 10
        past = await History([world.actor], world.journal, world.clock, world.limits).state_at(STREAM, seq=10)
        assert past is not None
        assert past[0] == live
        assert accepted(await world.send(add(11))).cursor.seq == 11
        assert world.region.supervisor.halted_streams == {}
        passed_over = [record.args for record in caplog.records if record.levelname == "ERROR"]
        assert passed_over == [(STREAM, seq) for seq in (10, 10, 5, 10, 5)]


async def test_a_snapshot_is_written_only_when_its_state_is_durable() -> None:
    async with a_world(snapshot_every_entries=3, unsettled_entries_max=100) as world:
        first = world.journal.next(Hold())
        replies = [world.send(add(1))]
        await first.reached.wait()
        second = world.journal.next(Hold())
        replies += [world.send(add(number)) for number in range(2, 8)]
        await settle()
        first.release()
        await second.reached.wait()
        await settle()
        assert isinstance(world.actor, NotesActor)
        assert (world.actor.captures, world.journal.snapshot_seqs()) == (1, [])
        second.release()
        await asyncio.gather(*replies)
        await world.region.snapshots.written()
        assert world.journal.snapshot_seqs() == [7]


async def a_lost_capture(world: World) -> None:
    """A snapshot was asked for, and the state that it saw never reached the log."""
    first = world.journal.next(Hold())
    replies = [world.send(add(1))]
    await first.reached.wait()
    second = world.journal.next(Hold())
    replies += [world.send(add(number)) for number in range(2, 8)]
    await settle()
    first.release()
    await second.reached.wait()
    await settle()
    for row in world.journal.shards.shards:
        row.owner, row.epoch = "somebody else", row.epoch + 1
    second.release()
    assert rejected(await replies[-1]).retryable
    await settle()


async def test_a_snapshot_of_what_was_never_committed_is_never_written() -> None:
    async with a_world(snapshot_every_entries=3) as world:
        await a_lost_capture(world)
        assert isinstance(world.actor, NotesActor)
        assert (world.actor.captures, world.journal.snapshot_seqs()) == (1, [])


async def test_a_snapshot_belongs_to_one_point_however_late_it_is_packed() -> None:
    async with a_world(snapshot_every_entries=5) as world:
        await world.given(4)
        last = world.send(add(5))
        later = [world.send(edit(number, "after the snapshot")) for number in range(1, 5)]
        await asyncio.gather(last, *later)
        await world.region.snapshots.written()
        await world.restart()
        loaded = (await world.journal.load([STREAM], 100))[STREAM]
        assert loaded.snapshot is not None
        seq = loaded.snapshot.seq
        assert loaded.snapshot.state.count(b"after the snapshot") == seq - 5
        assert (await world.read(look_at_texts)).cursor.seq == 9


async def test_a_retry_is_known_from_the_snapshot() -> None:
    async with a_world(snapshot_every_entries=5) as world:
        ops = await world.given(5)
        await world.restart()
        assert accepted(await world.send(add(2), op_id=ops[1])).cursor == (2, world.journal.entries()[1].epoch)
        assert len(world.journal.entries()) == 5


async def test_a_snapshot_that_cannot_be_written_or_taken_harms_nobody() -> None:
    class Shy(NotesActor):
        def parts(self, state: Notes) -> Iterator[dict[str, Any]]:
            if self.captures == 0:
                self.captures += 1
                raise Defect("parts")
            if self.captures == 1:
                self.captures += 1
                return iter([{"not": object()}])
            return super().parts(state)

    async with a_world(Shy(), snapshot_every_entries=2) as world:
        await world.given(5)
        await world.region.snapshots.written()
        assert world.journal.snapshot_seqs() == []
        save = world.journal.save_snapshot

        async def away(snapshot: Snapshot) -> None:
            raise NotApplied("away")

        world.journal.save_snapshot = away  # type: ignore[method-assign]
        await world.given(2, first=6)
        await world.region.snapshots.written()
        world.journal.save_snapshot = save  # type: ignore[method-assign]
        await world.given(2, first=8)
        await world.region.snapshots.written()
        assert world.journal.snapshot_seqs() == [8]


async def test_snapshots_that_wait_are_bounded() -> None:
    async with a_world(snapshots_waiting_max=2, snapshot_at_passivation_entries=1) as world:
        streams = [f"notes/{number}" for number in range(6)]
        for stream in streams:
            await world.given(1, stream)
        for stream in streams:
            assert world.region.passivate(stream)
        await world.region.snapshots.written()
        assert sum(len(world.journal.snapshot_seqs(stream)) for stream in streams) == 2
