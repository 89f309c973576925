"""Joining and following: resume, snapshot or reset, then the live tail without a gap and without a duplicate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from actors.runtime.feeds import NO_SUCH_STREAM
from actors.runtime.hub import Following
from protocol.cursors import START, Cursor
from protocol.errors import ErrorCode
from protocol.event import OPERATOR
from protocol.members import AddMember, RemoveMember
from storage.memory.faulty import Hold
from tests.actors.runtime.notes import NotesActor, add, edit, note_id, person
from tests.actors.runtime.publications import Watcher
from tests.actors.runtime.readers import DEADLINE_S, Reader, cursor_at
from tests.actors.runtime.world import STREAM, World, a_world, accepted, rejected, settle


async def test_a_first_join_gets_the_state_and_then_the_live_tail() -> None:
    async with a_world() as world:
        await world.given(3)
        reader = Reader(world)
        joined = await reader.join()
        assert (joined.mode, joined.reason, joined.cursor) == ("snapshot", None, cursor_at(world, 3))
        assert joined.parts is not None
        assert [part.get("texts") for part in joined.parts][1:] == [{note_id(n): "text"} for n in (1, 2, 3)]
        await world.given(2, first=4)
        await reader.pull(joined.following)
        assert (reader.got, reader.woken) == ([4, 5], 2)


async def test_a_cursor_is_resumed_from_the_ring_without_reading_the_entries_again() -> None:
    async with a_world() as world:
        await world.given(2)
        await Reader(world).join()
        await world.given(3, first=3)
        reader = Reader(world, "ben")
        joined = await reader.join(cursor_at(world, 3))
        assert (joined.mode, joined.cursor, joined.parts) == ("resume", cursor_at(world, 3), None)
        reads = world.feeds.pages.reads
        await reader.pull(joined.following)
        assert (reader.got, world.feeds.pages.reads) == ([4, 5], reads)


async def test_a_cursor_older_than_the_ring_is_resumed_from_pages() -> None:
    async with a_world(ring_entries_max=4) as world:
        await asyncio.gather(*(world.send(add(number)) for number in range(1, 600)))
        reader = Reader(world)
        joined = await reader.join(cursor_at(world, 100))
        await world.given(10, first=700)
        await reader.pull(joined.following)
        assert joined.mode == "resume"
        assert reader.got == list(range(101, 610))


async def test_the_very_beginning_is_a_cursor_too() -> None:
    async with a_world() as world:
        await world.given(3)
        reader = Reader(world)
        joined = await reader.join(START)
        await reader.pull(joined.following)
        assert (joined.mode, reader.got) == ("resume", [1, 2, 3])


async def test_a_client_far_behind_gets_the_state_and_is_told_why() -> None:
    async with a_world(resume_entries_max=5) as world:
        await world.given(7)
        assert (await Reader(world).join(cursor_at(world, 2))).mode == "resume"
        joined = await Reader(world).join(cursor_at(world, 1))
        assert (joined.mode, joined.reason, joined.cursor) == ("snapshot", "behind", cursor_at(world, 7))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (lambda good: Cursor(good.seq, good.epoch + 1), "epoch"),
        (lambda good: Cursor(0, 7), "epoch"),
        (lambda good: Cursor(good.seq + 1, good.epoch), "ahead"),
        (lambda good: Cursor(10_000, good.epoch), "ahead"),
    ],
    ids=["another epoch", "an epoch of nothing", "one ahead", "far ahead"],
)
async def test_a_cursor_of_another_history_is_reset_with_the_reason(
    wrong: Callable[[Cursor], Cursor], reason: str
) -> None:
    async with a_world() as world:
        await world.given(3)
        joined = await Reader(world).join(wrong(cursor_at(world, 3)))
        assert (joined.mode, joined.reason, joined.cursor) == ("reset", reason, cursor_at(world, 3))
        assert joined.parts is not None


async def test_a_stream_without_an_entry_and_a_stream_that_one_may_not_see_look_alike() -> None:
    async with a_world() as world:
        accepted(await world.send(AddMember(user_id=person(1), role="member")))
        for stream, who in [("notes/empty", person(1)), ("nothing/1", person(1)), (STREAM, person(2))]:
            for cursor in (None, START):
                assert await world.feeds.join(Watcher(who), stream, cursor, DEADLINE_S) == NO_SUCH_STREAM
        assert world.feeds.followers == 0
        await Reader(world, person(1)).join()
        await Reader(world, OPERATOR).join()
        assert world.feeds.followers == 2


async def test_a_join_whose_deadline_passes_is_a_timeout_and_attaches_nobody() -> None:
    async with a_world() as world:
        await world.given(1)
        hold = world.journal.next(Hold())
        ack = world.send(add(2))
        await hold.reached.wait()
        joining = asyncio.ensure_future(world.feeds.join(Watcher(), STREAM, None, world.clock.elapsed_s + 5.0))
        await settle()
        world.clock.advance(5.0)
        world.region.sweep()
        assert rejected(await joining).code is ErrorCode.TIMEOUT
        hold.release()
        await ack
        assert world.feeds.followers == 0


@pytest.mark.parametrize("turns", range(8))
async def test_a_join_that_is_given_up_leaves_no_ghost(turns: int) -> None:
    async with a_world() as world:
        await world.given(1)
        hold = world.journal.next(Hold())
        ack = world.send(add(2))
        await hold.reached.wait()
        joins = [
            asyncio.ensure_future(world.feeds.join(Watcher(), STREAM, cursor, DEADLINE_S))
            for cursor in (None, cursor_at(world, 1))
        ]
        await settle()
        hold.release()
        await settle(turns)
        gone = [join.cancel() for join in joins].count(True)
        await asyncio.gather(*joins, return_exceptions=True)
        await ack
        assert world.feeds.followers == len(joins) - gone


async def test_a_place_given_up_in_the_turn_of_its_attaching_is_left() -> None:
    async with a_world() as world:
        await world.given(1)
        hold = world.journal.next(Hold())
        ack = world.send(add(2))
        await hold.reached.wait()
        joining = asyncio.ensure_future(world.feeds.join(Watcher(), STREAM, None, DEADLINE_S))
        await settle()

        def give_up() -> None:
            joining.cancel()

        world.at_publish = give_up
        hold.release()
        with pytest.raises(asyncio.CancelledError):
            await joining
        await ack
        assert world.feeds.followers == 0


async def test_a_thousand_followers_at_one_old_cursor_after_a_restart_cost_two_page_reads() -> None:
    async with a_world() as world:
        await asyncio.gather(*(world.send(add(number)) for number in range(1, 221)))
        cursor = cursor_at(world, 120)
        await world.restart()
        world.journal.pages.clear()
        readers = [Reader(world, f"user {number}") for number in range(1_000)]

        async def resume(reader: Reader) -> None:
            await reader.pull((await reader.join(cursor)).following)

        await asyncio.gather(*(resume(reader) for reader in readers))
        assert all(reader.got == list(range(121, 221)) for reader in readers)
        assert len(world.journal.pages) <= 2


async def test_a_removed_follower_gets_nothing_of_what_comes_after_its_removal() -> None:
    async with a_world() as world:
        for number in (1, 2):
            accepted(await world.send(AddMember(user_id=person(number), role="member")))
        ann, ben = Reader(world, person(1)), Reader(world, person(2))
        of_ann, of_ben = await asyncio.gather(ann.join(), ben.join())
        replies = [world.send(add(1)), world.send(RemoveMember(user_id=person(1))), world.send(add(2))]
        await asyncio.gather(*replies)
        await ann.pull(of_ann.following)
        await ben.pull(of_ben.following)
        assert (ann.got, ann.closed) == ([], [(STREAM, "removed")])
        assert ben.got == [3, 4, 5]
        assert await world.feeds.join(ann, STREAM, cursor_at(world, 2), DEADLINE_S) == NO_SUCH_STREAM


async def test_a_lagging_follower_is_cut_off_in_the_middle_of_catching_up() -> None:
    async with a_world() as world:
        accepted(await world.send(AddMember(user_id=person(1), role="member")))
        await world.given(20)
        await world.restart()
        ann = Reader(world, person(1))
        joined = await ann.join(cursor_at(world, 2))
        world.feeds.pages = type(world.feeds.pages)(world.journal, 1 << 20)
        world.journal.reads_wait_for = asyncio.Event()
        catching_up = asyncio.ensure_future(world.feeds.catch_up(joined.following))
        await settle()
        accepted(await world.send(RemoveMember(user_id=person(1))))
        world.journal.reads_wait_for.set()
        assert await catching_up == []


async def test_an_older_change_of_the_audience_does_not_confuse_an_attachment() -> None:
    async with a_world() as world:
        accepted(await world.send(AddMember(user_id=person(1), role="member")))
        watcher = Reader(world, person(1))
        await watcher.join()
        hold = world.journal.next(Hold())
        replies = [world.send(add(1))]
        await hold.reached.wait()
        replies.append(world.send(RemoveMember(user_id=person(2))))
        replies.append(world.send(AddMember(user_id=person(2), role="member")))
        late = Reader(world, person(2))
        joining = asyncio.ensure_future(late.join())
        await settle()
        hold.release()
        joined = await joining
        await asyncio.gather(*replies)
        assert (joined.cursor.seq, joined.following.closed, late.closed) == (4, False, [])
        accepted(await world.send(RemoveMember(user_id=person(2))))
        assert late.closed == [(STREAM, "removed")]


async def test_presence_is_told_at_the_beat() -> None:
    async with a_world() as world:
        accepted(await world.send(AddMember(user_id=person(1), role="member")))
        accepted(await world.send(AddMember(user_id=person(2), role="member")))
        ann, ben = Reader(world, person(1)), Reader(world, person(2))
        place = (await ann.join()).following
        await ben.join()
        assert len(world.feeds.present(STREAM)) == 2
        await world.feeds.tell_presence()
        place.leave()
        await world.feeds.tell_presence()
        assert ben.presences[-1] == [{"userId": person(2), "connections": 1}]
        assert world.feeds.present("notes/none") == []


async def test_a_beat_leaves_others_their_turns_between_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.runtime.feeds.TOLD_IN_A_TURN", 1)
    async with a_world() as world:
        reader = Reader(world, person(1))
        for stream in ("notes/1", "notes/2", "notes/3"):
            accepted(await world.send(AddMember(user_id=person(1), role="member"), stream=stream))
            await reader.join(stream=stream)
        seen: list[int] = []

        async def look() -> None:
            while len(seen) < 3:
                seen.append(len(reader.presences))
                await asyncio.sleep(0)

        await asyncio.gather(world.feeds.tell_presence(), look())
        assert seen == [1, 2, 3]


class PublicNotes(NotesActor):
    """Everybody may come and look."""

    exists_empty = False
    shows_presence = False


@pytest.mark.parametrize("actor", [PublicNotes(), NotesActor()], ids=["whatever is in it", "while it is everybody's"])
async def test_visitors_of_a_public_stream_are_not_told_of_each_other(actor: NotesActor) -> None:
    async with a_world(actor) as world:
        await world.given(1)
        ann, ben = Reader(world, "ann"), Reader(world, "ben")
        place = (await ann.join()).following
        await ben.join()
        await world.feeds.tell_presence()
        place.leave()
        await world.feeds.tell_presence()
        assert world.feeds.present(STREAM) == []
        assert (ann.presences, ben.presences) == ([], [])


async def test_a_hub_lingers_for_those_who_come_back_and_goes_after_that() -> None:
    async with a_world(hub_linger_s=60.0) as world:
        await world.given(1)
        place = (await Reader(world).join()).following
        place.leave()
        world.feeds.sweep()
        world.clock.advance(59.0)
        world.feeds.sweep()
        await world.given(1, first=2)
        reader = Reader(world)
        joined = await reader.join(cursor_at(world, 1))
        reads = world.feeds.pages.reads
        await reader.pull(joined.following)
        assert (reader.got, world.feeds.pages.reads) == ([2], reads)
        world.clock.advance(1_000.0)
        world.feeds.sweep()
        assert world.feeds.followers == 1
        joined.following.leave()
        world.feeds.sweep()
        world.clock.advance(60.0)
        world.feeds.sweep()
        assert world.feeds._hubs == {}


async def test_a_resume_that_needs_a_log_which_is_away_raises_and_attaches_nobody() -> None:
    async with a_world() as world:
        await world.given(1)
        world.journal.away = True
        joined: Any = await asyncio.gather(
            world.feeds.join(Watcher(), STREAM, cursor_at(world, 1), DEADLINE_S), return_exceptions=True
        )
        assert type(joined[0]).__name__ == "NotApplied"
        world.journal.away = False
        assert world.feeds.followers == 0


# — conflation ———————————————————————————————————————————————————————————————————————————————————————


async def far_behind(world: World, edits: int) -> tuple[Reader, Following]:
    """A live place with one note before it, and edits of that note that it has not pulled."""
    await world.given(1)
    reader = Reader(world)
    joined = await reader.join(cursor_at(world, 1))
    for number in range(edits):
        accepted(await world.send(edit(1, f"text {number}")))
    return reader, joined.following


async def test_who_is_far_behind_gets_each_record_once_and_goes_on_after_it() -> None:
    async with a_world() as world:
        reader, following = await far_behind(world, 20)
        state = await world.feeds.state_for(following, DEADLINE_S)
        assert state is not None
        assert state.cursor == cursor_at(world, 21)
        accepted(await world.send(edit(1, "later")))
        assert {"texts": {note_id(1): "text 19"}} in list(state.parts)
        assert following.pass_over(state.cursor)
        await reader.pull(following)
        assert reader.got == [22]


async def test_a_state_is_passed_over_to_only_by_a_place_that_is_still_there() -> None:
    async with a_world() as world:
        _, following = await far_behind(world, 20)
        state = await world.feeds.state_for(following, DEADLINE_S)
        assert state is not None
        following.leave()
        assert not following.pass_over(state.cursor)
        assert following.seq == 1


async def test_no_state_takes_a_place_back() -> None:
    async with a_world() as world:
        reader, following = await far_behind(world, 20)
        await reader.pull(following)
        state = await world.feeds.state_for(following, DEADLINE_S)
        assert state is not None
        assert not following.pass_over(state.cursor)
        assert following.seq == 21
