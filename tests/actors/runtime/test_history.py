"""Any state of the past, by seq and by time."""

from __future__ import annotations

import pytest

from actors.runtime.history import History
from actors.runtime.limits import RuntimeLimits
from actors.runtime.replay import ReplayFailed
from protocol.cursors import Cursor
from protocol.event import Origin
from protocol.members import AddMember
from tests.actors.runtime.notes import NotesActor, add, edit, note_id, person
from tests.actors.runtime.world import STREAM, World, a_world, accepted

YEARS = ["2015-01-01T00:00:00.000Z", "2016-01-01T00:00:00.000Z", "2017-01-01T00:00:00.000Z"]


def history_of(world: World, **limits: int) -> History:
    return History([world.actor], world.journal, world.clock, RuntimeLimits(**limits))


async def member(world: World, number: int) -> None:
    accepted(await world.send(AddMember(user_id=person(number), role="member")))


async def seq_at(history: History, at: str) -> int | None:
    found = await history.state_at(STREAM, at=at)
    return None if found is None else found[1].seq


@pytest.mark.parametrize(
    "limits",
    [{}, {"load_page_entries": 3}, {"load_page_entries": 3, "load_page_bytes": 1}],
    ids=["one page", "many pages", "an entry each"],
)
@pytest.mark.parametrize("snapshots", [1_000, 4], ids=["no snapshots", "snapshots"])
async def test_the_state_as_of_every_seq_is_the_state_that_was(limits: dict[str, int], snapshots: int) -> None:
    async with a_world(snapshot_every_entries=snapshots) as world:
        for number in range(1, 11):
            accepted(await world.send(add(number)))
            await world.region.snapshots.written()
        history = history_of(world, **limits)
        for seq in range(1, 11):
            found = await history.state_at(STREAM, seq=seq)
            assert found is not None
            state, cursor = found
            assert list(state.texts) == [note_id(number) for number in range(1, seq + 1)]
            assert cursor == Cursor(seq, world.journal.entries()[seq - 1].epoch)


async def test_before_the_first_entry_and_beyond_the_head_there_is_nothing() -> None:
    async with a_world() as world:
        await world.given(3)
        history = history_of(world)
        assert await history.state_at(STREAM, seq=4) is None
        assert await history.state_at(STREAM, seq=0) is None
        assert await history.state_at("notes/none", seq=1) is None
        assert await history.state_at("notes/none", at=YEARS[0]) is None
        assert await history.state_at("nothing/1", seq=1) is None
        assert await history.state_at(STREAM, at=YEARS[0]) is None


async def test_it_is_a_seq_or_a_time() -> None:
    async with a_world() as world:
        with pytest.raises(ValueError, match="either"):
            await history_of(world).state_at(STREAM)
        with pytest.raises(ValueError, match="either"):
            await history_of(world).state_at(STREAM, seq=1, at=YEARS[0])


@pytest.mark.parametrize("snapshots", [1_000, 2], ids=["no snapshots", "snapshots"])
async def test_a_time_means_the_last_content_that_is_not_later(snapshots: int) -> None:
    async with a_world(snapshot_every_entries=snapshots) as world:
        ats = []
        for number in range(1, 8):
            world.clock.advance(60.0)
            ats.append(world.clock.now())
            accepted(await world.send(add(number)))
            await world.region.snapshots.written()
        history = history_of(world)
        assert [await seq_at(history, at) for at in ats] == [1, 2, 3, 4, 5, 6, 7]
        assert await seq_at(history, "2099-01-01T00:00:00.000Z") == 7


@pytest.mark.parametrize("snapshots", [1_000, 2, 3], ids=["no snapshots", "every 2", "every 3"])
async def test_imported_content_is_found_at_its_own_time_though_creation_and_members_are_newer(snapshots: int) -> None:
    async with a_world(snapshot_every_entries=snapshots) as world:
        await member(world, 1)
        await member(world, 2)
        for number, at in enumerate(YEARS, 1):
            origin = Origin(author="external:github:matz", at=at)
            accepted(await world.send(add(number), origin=origin))
            await world.region.snapshots.written()
        world.clock.advance(60.0)
        live_at = world.clock.now()
        accepted(await world.send(edit(1, "live")))
        joined_at = []
        for number in range(3, 8):
            world.clock.advance(60.0)
            joined_at.append(world.clock.now())
            await member(world, number)
            await world.region.snapshots.written()
        history = history_of(world)
        assert [await seq_at(history, at) for at in YEARS] == [3, 4, 5]
        assert await seq_at(history, "2014-12-31T23:59:59.999Z") is None
        assert await seq_at(history, "2016-06-01T00:00:00.000Z") == 4
        assert await seq_at(history, live_at) == 6
        assert [await seq_at(history, at) for at in joined_at] == [7, 8, 9, 10, 11]
        found = await history.state_at(STREAM, at=YEARS[1])
        assert found is not None
        assert list(found[0].texts) == [note_id(1), note_id(2)]


async def test_before_any_content_the_last_entry_that_is_not_later_counts() -> None:
    async with a_world() as world:
        start = world.clock.now()
        await member(world, 1)
        world.clock.advance(60.0)
        await member(world, 2)
        world.clock.advance(60.0)
        accepted(await world.send(add(1)))
        history = history_of(world)
        assert await seq_at(history, start) == 1
        assert await seq_at(history, world.clock.now()) == 3


async def test_a_snapshot_of_another_schema_is_not_used() -> None:
    actor = NotesActor()
    async with a_world(actor, snapshot_every_entries=3) as world:
        await world.given(7)
        await world.region.snapshots.written()
        actor.schema_version = 2
        found = await history_of(world).state_at(STREAM, seq=5)
        assert found is not None
        assert (found[0].applied, found[1].seq) == (5, 5)


async def test_a_past_that_cannot_be_folded_is_a_defect_and_not_an_answer() -> None:
    actor = NotesActor()
    async with a_world(actor) as world:
        await world.given(2)
        actor.indigestible.add("text")
        with pytest.raises(ReplayFailed):
            await history_of(world).state_at(STREAM, seq=2)
