"""A log that cannot be folded further halts its stream: readable as of the last good entry, and healed by a repair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from actors.runtime.feeds import NO_SUCH_STREAM, Joined
from actors.runtime.history import History
from actors.runtime.hub import Following
from actors.runtime.rejections import STREAM_HALTED
from actors.runtime.replay import ReplayFailed
from protocol.cursors import START, Cursor
from protocol.event import OPERATOR, Principal
from protocol.log import Entry
from protocol.members import AddMember, RemoveMember
from protocol.messages import event_json, pack_payload
from tests.actors.runtime.guarded import HIDDEN, INSIDER, STRANGER, GuardedNotes, given_an_insider
from tests.actors.runtime.notes import Notes, NotesActor, add, edit, look_at_texts, note_id, noted, person
from tests.actors.runtime.publications import Watcher
from tests.actors.runtime.world import STREAM, World, a_world, accepted, until

DEADLINE_S = 1e6
GOOD_SEQ = 3
"""Entry 1 lets the insider in, 2 and 3 are notes, 4 is damaged, 5 is a note again."""


def damage(entries: list[Entry], seq: int) -> Entry:
    """Makes the entry unreadable in the stream, and returns it as it was."""
    good = entries[seq - 1]
    entries[seq - 1] = replace(good, payload=b"\xc1")
    return good


@asynccontextmanager
async def a_halted_world() -> AsyncIterator[tuple[World, Entry]]:
    """A restarted node whose stream is damaged at entry 4; and that entry as it was."""
    async with a_world(GuardedNotes()) as world:
        await given_an_insider(world)
        for number in range(2, 6):
            accepted(await world.send(add(number), by=INSIDER))
        await world.restart()
        good = damage(world.journal.entries(), GOOD_SEQ + 1)
        yield world, good
        world.journal.entries()[GOOD_SEQ] = good


def cursor_at(world: World, seq: int) -> Cursor:
    return Cursor(seq, world.journal.entries()[seq - 1].epoch)


async def pulled(world: World, following: Following) -> list[int]:
    """The seqs that the follower gets, up to the head."""
    got: list[int] = []
    while (publications := following.pull(100)) != []:
        if publications is None:
            publications = await world.feeds.catch_up(following)
            assert publications
        got += [publication.entry.seq for publication in publications]
    return got


class PrivateNotes(GuardedNotes):
    """Private from the beginning, as projects are: nobody may follow the stream before its first entry."""

    def audience(self, state: Notes) -> frozenset[str]:
        return super().audience(state) or frozenset()


async def test_looks_see_the_last_good_state_and_commands_are_refused() -> None:
    async with a_halted_world() as (world, _):
        reading = await world.read(look_at_texts)
        assert reading.halted
        assert reading.value == {note_id(2): "text", note_id(3): "text"}
        assert reading.cursor == cursor_at(world, GOOD_SEQ)
        for command in (add(9), edit(2, "new"), edit(4, "this note is beyond the damage")):
            assert await world.send(command, by=INSIDER) == STREAM_HALTED
            assert await world.send(command, by=OPERATOR) == STREAM_HALTED
            assert await world.send(command, by=STRANGER) == HIDDEN
        assert world.meters.counts["halted notes"] == 1
        assert list(world.region.supervisor.halted_streams) == [STREAM]


@pytest.mark.parametrize("snapshot_every", [2, 1_000])
@pytest.mark.parametrize("page", [1, 2, 500])
async def test_an_entry_that_half_changes_the_state_leaves_no_trace(snapshot_every: int, page: int) -> None:
    actor = NotesActor()
    async with a_world(actor, snapshot_every_entries=snapshot_every, load_page_entries=page) as world:
        await world.given(3)
        await world.region.snapshots.written()
        accepted(await world.send(add(4, "poison")))
        await world.given(3, first=5)
        world.journal._snapshots._by_stream.get(STREAM, {}).pop(4, None)
        world.journal._snapshots._by_stream.get(STREAM, {}).pop(6, None)
        await world.crash()
        actor.indigestible.add("poison")

        def look(state: Notes) -> tuple[int, int]:
            return len(state.texts), state.applied

        reading = await world.read(look)
        assert (reading.value, reading.cursor) == ((3, 3), cursor_at(world, 3))


async def test_a_halted_stream_can_be_joined_as_of_its_last_good_entry() -> None:
    async with a_halted_world() as (world, _):
        follower = Watcher(INSIDER)
        fresh = await world.feeds.join(follower, STREAM, None, DEADLINE_S)
        assert isinstance(fresh, Joined)
        assert (fresh.mode, fresh.cursor, fresh.halted) == ("snapshot", cursor_at(world, GOOD_SEQ), True)
        for cursor, seqs in [(START, [1, 2, 3]), (cursor_at(world, 2), [3]), (cursor_at(world, GOOD_SEQ), [])]:
            joined = await world.feeds.join(follower, STREAM, cursor, DEADLINE_S)
            assert isinstance(joined, Joined)
            assert (joined.mode, joined.halted) == ("resume", True)
            assert await pulled(world, joined.following) == seqs


async def test_what_is_complete_is_not_called_halted() -> None:
    async with a_halted_world() as (world, good):
        assert (await world.read(look_at_texts)).halted
        world.journal.entries()[GOOD_SEQ] = good
        assert world.region.passivate(STREAM)
        assert not (await world.read(look_at_texts)).halted
        for cursor in (None, START):
            joined = await world.feeds.join(Watcher(INSIDER), STREAM, cursor, DEADLINE_S)
            assert isinstance(joined, Joined)
            assert not joined.halted


@pytest.mark.parametrize("seq", [4, 5, 6, 200])
@pytest.mark.parametrize("epoch_off_by", [0, 1])
async def test_a_cursor_beyond_the_last_good_entry_is_answered_and_does_not_raise(seq: int, epoch_off_by: int) -> None:
    async with a_halted_world() as (world, _):
        cursor = Cursor(seq, cursor_at(world, 5).epoch + epoch_off_by)
        assert await world.feeds.join(Watcher(INSIDER), STREAM, cursor, DEADLINE_S) == STREAM_HALTED
        assert await world.feeds.join(Watcher(STRANGER), STREAM, cursor, DEADLINE_S) == NO_SUCH_STREAM
        assert world.feeds.followers == 0


@pytest.mark.parametrize("epoch_off_by", [0, 1])
async def test_entries_that_can_be_read_and_not_folded_are_not_shown_either(epoch_off_by: int) -> None:
    actor = NotesActor()
    async with a_world(actor) as world:
        await world.given(2)
        accepted(await world.send(add(3, "poison")))
        await world.given(2, first=4)
        await world.restart()
        actor.indigestible.add("poison")
        beyond = Cursor(4, cursor_at(world, 4).epoch + epoch_off_by)
        assert await world.feeds.join(Watcher(), STREAM, beyond, DEADLINE_S) == STREAM_HALTED
        joined = await world.feeds.join(Watcher(), STREAM, START, DEADLINE_S)
        assert isinstance(joined, Joined)
        assert await pulled(world, joined.following) == [1, 2]


async def test_a_ring_that_is_ahead_of_the_halted_state_shows_nothing() -> None:
    actor = NotesActor()
    async with a_world(actor) as world:
        await world.given(1)
        early = await world.feeds.join(Watcher("ben"), STREAM, None, DEADLINE_S)
        assert isinstance(early, Joined)
        accepted(await world.send(add(2, "poison")))
        assert world.region.passivate(STREAM)
        actor.indigestible.add("poison")
        assert await world.feeds.join(Watcher(), STREAM, START, DEADLINE_S) == STREAM_HALTED
        assert await world.feeds.join(Watcher(), STREAM, None, DEADLINE_S) == STREAM_HALTED
        early.following.leave()
        joined = await world.feeds.join(Watcher(), STREAM, None, DEADLINE_S)
        assert isinstance(joined, Joined)
        assert joined.cursor == cursor_at(world, 1)


async def test_the_past_up_to_the_last_good_entry_can_be_seen() -> None:
    async with a_halted_world() as (world, _):
        history = History([world.actor], world.journal, world.clock, world.limits)
        for seq in range(1, GOOD_SEQ + 1):
            found = await history.state_at(STREAM, seq=seq)
            assert found is not None
            assert found[1] == cursor_at(world, seq)
        with pytest.raises(ReplayFailed):
            await history.state_at(STREAM, seq=GOOD_SEQ + 1)
        with pytest.raises(ReplayFailed):
            await history.state_at(STREAM, at=world.clock.now())


async def test_repaired_data_heal_within_seconds_and_cost_nothing_while_nobody_asks() -> None:
    async with a_halted_world() as (world, good):
        loads, loading = len(world.journal.loads), asyncio.Event()
        world.journal.reads_wait_for = loading
        reply = world.send(add(9), by=INSIDER, within_s=600.0)
        await until(lambda: len(world.journal.loads) == loads + 1)
        world.clock.advance(100.0)  # a log that takes so long is not at once read again
        loading.set()
        assert await reply == STREAM_HALTED
        world.clock.advance(world.limits.halted_retry_s / 2)
        world.region.sweep()
        assert world.region.live == 1
        world.journal.entries()[GOOD_SEQ] = good
        world.clock.advance(world.limits.halted_retry_s / 2)
        world.region.sweep()
        assert (world.region.live, len(world.journal.loads)) == (0, loads + 1)
        assert accepted(await world.send(add(9), by=INSIDER)).cursor.seq == 6


async def test_a_stream_that_stays_halted_is_alarmed_once_and_told_shortly_after_that(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_halted_world() as (world, _):
        for _ in range(3):
            await world.read(look_at_texts)
            assert world.region.passivate(STREAM)
    told = [record for record in caplog.records if record.name == "pantherahive.loader"]
    assert [record.levelname for record in told] == ["ERROR", "WARNING", "WARNING"]


async def test_repaired_data_heal_without_a_restart_however_often_it_is_asked_meanwhile() -> None:
    async with a_halted_world() as (world, good):
        for _ in range(2):
            assert await world.send(add(9), by=INSIDER) == STREAM_HALTED
            world.clock.advance(world.limits.halted_retry_s / 2)
            world.region.sweep()
        assert world.region.live == 0
        assert await world.send(add(9), by=INSIDER) == STREAM_HALTED
        assert world.meters.counts["halted notes"] == 2
        world.journal.entries()[GOOD_SEQ] = good
        assert await world.send(add(9), by=INSIDER) == STREAM_HALTED
        assert world.region.passivate(STREAM)
        assert list(world.region.supervisor.halted_streams) == [STREAM]
        assert accepted(await world.send(add(9), by=INSIDER)).cursor.seq == 6
        assert world.region.supervisor.halted_streams == {}
        assert world.journal.snapshot_seqs() == []


async def test_after_a_repair_followers_get_what_was_missing_and_only_those_who_may() -> None:
    async with a_world(GuardedNotes()) as world:
        await given_an_insider(world)
        removed = Principal(person(3))
        accepted(await world.send(AddMember(user_id=removed.id, role="member"), by=INSIDER))
        accepted(await world.send(add(3), by=INSIDER))
        accepted(await world.send(RemoveMember(user_id=removed.id), by=INSIDER))
        accepted(await world.send(add(5), by=INSIDER))
        await world.restart()
        good = damage(world.journal.entries(), 3)
        stays, goes = Watcher(INSIDER), Watcher(removed)
        places = [await world.feeds.join(follower, STREAM, None, DEADLINE_S) for follower in (stays, goes)]
        followings = [place.following for place in places if isinstance(place, Joined)]
        assert [following.seq for following in followings] == [2, 2]
        world.journal.entries()[2] = good
        assert world.region.passivate(STREAM)
        await world.read(look_at_texts)
        assert await pulled(world, followings[0]) == [3, 4, 5]
        assert (followings[1].closed, followings[1].pull(100)) == (True, [])


async def test_after_a_repair_nobody_gets_what_stood_in_the_log_before_it() -> None:
    actor = NotesActor()
    async with a_world(actor) as world:
        await world.given(4)
        await world.restart()
        actor.indigestible.add("poison")
        event = event_json(noted(note_id(3), "poison"))
        good = world.journal.entries()[2]
        world.journal.entries()[2] = replace(good, payload=pack_payload([event], None))
        joined = await world.feeds.join(Watcher(), STREAM, None, DEADLINE_S)
        assert isinstance(joined, Joined)
        assert await world.feeds.join(Watcher("ben"), STREAM, cursor_at(world, 4), DEADLINE_S) == STREAM_HALTED
        world.journal.entries()[2] = good
        assert world.region.passivate(STREAM)
        await world.read(look_at_texts)
        assert joined.following.pull(100) is None
        missed = await world.feeds.catch_up(joined.following)
        assert [publication.entry for publication in missed] == world.journal.entries()[2:]


async def test_a_damage_behind_a_snapshot_costs_the_resume_and_not_the_stream() -> None:
    async with a_world(snapshot_at_passivation_entries=5) as world:
        await world.given(5)
        await world.restart()
        good = damage(world.journal.entries(), 3)
        joined = await world.feeds.join(Watcher(), STREAM, cursor_at(world, 1), DEADLINE_S)
        assert isinstance(joined, Joined)
        assert (joined.mode, joined.cursor) == ("snapshot", cursor_at(world, 5))
        assert await world.feeds.join(Watcher(), STREAM, cursor_at(world, 4), DEADLINE_S) == STREAM_HALTED
        assert accepted(await world.send(add(6))).cursor.seq == 6
        world.journal.entries()[2] = good


@pytest.mark.parametrize("number", [None, 0, 1])
async def test_a_private_stream_damaged_at_its_first_entry_is_halted_for_the_operator_alone(number: int | None) -> None:
    async with a_world(PrivateNotes()) as world:
        accepted(await world.send(AddMember(user_id=INSIDER.id, role="member"), by=OPERATOR))
        await world.restart()
        good = damage(world.journal.entries(), 1)
        cursor = None if number is None else cursor_at(world, number) if number else START
        assert await world.feeds.join(Watcher(OPERATOR), STREAM, cursor, DEADLINE_S) == STREAM_HALTED
        assert await world.feeds.join(Watcher(INSIDER), STREAM, cursor, DEADLINE_S) == NO_SUCH_STREAM
        assert await world.feeds.join(Watcher(OPERATOR), "notes/none", cursor, DEADLINE_S) == NO_SUCH_STREAM
        assert (await world.send(add(1), by=OPERATOR), await world.send(add(1), by=INSIDER)) == (STREAM_HALTED, HIDDEN)
        assert world.feeds.followers == 0
        world.journal.entries()[0] = good


async def test_a_public_stream_damaged_at_its_first_entry_is_halted_for_everybody_and_takes_nothing() -> None:
    async with a_world(GuardedNotes()) as world:
        await given_an_insider(world)
        await world.restart()
        good = damage(world.journal.entries(), 1)
        assert await world.send(add(1)) == STREAM_HALTED
        for cursor in (None, START, cursor_at(world, 1)):
            assert await world.feeds.join(Watcher(STRANGER), STREAM, cursor, DEADLINE_S) == STREAM_HALTED
        world.region.sweep()
        world.journal.entries()[0] = good
        assert accepted(await world.send(add(1), by=INSIDER)).cursor.seq == 2
