"""A cell: nothing leaves it before the log has it, everything is answered once, and defects stay where they happen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors.runtime.request import Accepted
from protocol.errors import ErrorCode
from protocol.event import Principal
from storage.memory.faulty import Hold
from tests.actors.runtime.notes import (
    TAKEN,
    Defect,
    Notes,
    NotesActor,
    add,
    edit,
    look_at_size,
    look_at_texts,
    note_id,
    person,
)
from tests.actors.runtime.publications import Watcher
from tests.actors.runtime.world import STREAM, World, a_world, accepted, rejected, settle, until


async def a_held_note(world: World) -> tuple[Hold, asyncio.Future[Any]]:
    """A note that is applied, with its append held."""
    hold = world.journal.next(Hold())
    reply = world.send(add(1))
    await hold.reached.wait()
    return hold, reply


async def test_nobody_hears_anything_before_the_commit() -> None:
    async with a_world() as world:
        await world.given(1, first=9)
        early = Watcher("early")
        joined = await world.feeds.join(early, STREAM, None, 2000.0)
        assert not hasattr(joined, "code")
        hold, ack = await a_held_note(world)
        waiting = {
            "rejection": world.send(add(1)),
            "read": world.read(look_at_texts),
            "join": asyncio.ensure_future(world.feeds.join(Watcher("late"), STREAM, None, 2000.0)),
            "ack": ack,
        }
        woken = early.woken
        await settle()
        assert [name for name, reply in waiting.items() if reply.done()] == []
        assert (world.published(), early.woken) == ([1], woken)
        hold.release()
        await asyncio.gather(*waiting.values())
        assert accepted(ack.result()).cursor.seq == 2
        assert waiting["rejection"].result() == TAKEN
        assert waiting["read"].result().cursor == accepted(ack.result()).cursor
        assert note_id(1) in waiting["read"].result().value
        assert waiting["join"].result().cursor == accepted(ack.result()).cursor
        assert (world.published(), early.woken) == ([1, 2], woken + 1)


async def test_a_reading_of_the_durable_state_does_not_wait_for_the_log() -> None:
    async with a_world() as world:
        await world.given(1)
        reading = await world.read(look_at_size)
        assert (reading.value, reading.cursor.seq) == (1, 1)
        assert len(world.journal.batches) == 1


async def test_acks_leave_before_the_broadcast_and_the_broadcast_before_consumers() -> None:
    async with a_world() as world:
        hold, ack = await a_held_note(world)
        seen: list[bool] = []
        world.at_publish = lambda: seen.append(ack.done())
        hold.release()
        await ack
        assert seen == [True]
        assert world.told == [("publish", STREAM, [1]), ("committed", None, [1])]


async def test_work_goes_on_while_an_append_is_in_flight() -> None:
    async with a_world() as world:
        hold, first = await a_held_note(world)
        others = [world.send(add(number)) for number in range(2, 6)]
        await settle()
        assert len(world.journal.batches) == 1
        hold.release()
        outcomes = [accepted(outcome) for outcome in await asyncio.gather(first, *others)]
        assert [outcome.cursor.seq for outcome in outcomes] == [1, 2, 3, 4, 5]
        assert [len(batch.entries) for batch in world.journal.batches] == [1, 4]


@pytest.mark.parametrize(
    ("limits", "body", "in_memory"),
    [({"unsettled_entries_max": 4}, "x", 4), ({"unsettled_bytes_max": 5_000}, "x" * 2_000, 3)],
    ids=["entries", "bytes"],
)
async def test_a_cell_that_is_too_far_ahead_of_the_log_waits(limits: dict[str, Any], body: str, in_memory: int) -> None:
    async with a_world(**limits) as world:
        hold = world.journal.next(Hold())
        replies = [world.send(add(number, body)) for number in range(10)]
        await hold.reached.wait()
        await settle()
        assert world.region.mailbox_depth == 10 - in_memory
        hold.release()
        assert [accepted(reply).cursor.seq for reply in await asyncio.gather(*replies)] == list(range(1, 11))


async def test_answers_that_wait_at_the_gate_are_bounded_too() -> None:
    async with a_world(mailbox_messages_max=5) as world:
        hold, ack = await a_held_note(world)
        readings = []
        for _ in range(9):
            readings.append(world.read(look_at_size))
            await settle()
        assert world.region.mailbox_depth == 5  # the ack and four readings are at the gate
        assert rejected(await world.read(look_at_size)).code is ErrorCode.OVERLOADED
        hold.release()
        assert [reading.value for reading in await asyncio.gather(*readings)] == [1] * 9
        await ack


async def test_a_full_mailbox_answers_overloaded_and_when_to_come_back() -> None:
    async with a_world(mailbox_messages_max=10, unsettled_entries_max=1) as world:
        hold, first = await a_held_note(world)
        waiting = [world.send(add(number)) for number in range(2, 12)]
        refused = rejected(await world.send(add(99)))
        assert (refused.code, refused.retryable) == (ErrorCode.OVERLOADED, True)
        assert refused.details["retryAfterS"] > 0
        hold.release()
        assert len([accepted(outcome) for outcome in await asyncio.gather(first, *waiting)]) == 11


async def test_a_thousand_wait_by_default() -> None:
    async with a_world() as world:
        replies = [world.send(add(number)) for number in range(1_001)]
        assert rejected(await replies[-1]).code is ErrorCode.OVERLOADED
        assert len([accepted(outcome) for outcome in await asyncio.gather(*replies[:-1])]) == 1_000


async def test_a_turn_is_bounded_so_that_others_get_theirs() -> None:
    async with a_world(turn_messages_max=3) as world:
        await world.given(1)
        order: list[str] = []

        def look(state: Notes, name: str) -> None:
            order.append(name)

        await asyncio.gather(world.read(look, "warm", stream="notes/2"), world.read(look, "warm"))
        order.clear()
        busy = [world.read(look, "busy") for _ in range(9)]
        others = [world.read(look, "other", stream="notes/2") for _ in range(2)]
        await asyncio.gather(*others, *busy)
        first = ["busy", "other"]  # each found its actor without work, and was taken at once
        assert order[:6] == [*first, "busy", "busy", "busy", "other"]


async def test_a_turn_ends_with_its_slice_of_time_and_the_rest_comes_later_in_its_order() -> None:
    async with a_world(loop_slice_s=0.005) as world:
        await world.given(1)
        order: list[str] = []

        def look(state: Notes, name: str) -> None:
            order.append(name)
            world.clock.advance(0.003)

        def step() -> None:
            order.append("the loop")
            if len(order) < 20:
                asyncio.get_running_loop().call_soon(step)

        busy = [world.read(look, f"busy {number}") for number in range(6)]
        step()
        await asyncio.gather(*busy)
        waited = [name for name in order if name != "the loop"]
        assert waited == [f"busy {number}" for number in range(6)]
        others = "the loop the loop the loop"
        assert f"busy 1 busy 2 {others} busy 3 busy 4 {others} busy 5" in " ".join(order)


async def test_all_actors_share_the_slice_however_many_have_something_to_do() -> None:
    async with a_world(loop_slice_s=0.005) as world:
        streams = [f"notes/{number}" for number in range(8)]
        for stream in streams:
            await world.given(1, stream)
        rounds: list[list[str]] = [[]]

        def look(state: Notes, name: str) -> None:
            rounds[-1].append(name)
            world.clock.advance(0.003)

        def step() -> None:
            rounds.append([])
            if len(rounds) < 100:
                asyncio.get_running_loop().call_soon(step)

        step()
        await asyncio.gather(*[world.read(look, stream, stream=stream) for stream in streams for _ in range(2)])
        assert max(len(taken) for taken in rounds) <= 4  # two at once as they come, and two of the row
        taken = [name for names in rounds for name in names]
        assert sorted(taken) == sorted(streams * 2)
        assert list(dict.fromkeys(taken)) == streams  # in a row


async def test_the_runtimes_own_messages_overtake_and_are_taken_even_when_the_cell_is_full() -> None:
    async with a_world(unsettled_entries_max=1) as world:
        hold, ack = await a_held_note(world)
        waiting = world.send(add(2))
        await settle()
        cell = world.region._cells[STREAM]
        seen: list[bool] = []
        cell.control(lambda: seen.append(waiting.done()))
        await settle()
        assert seen == [False]
        hold.release()
        await asyncio.gather(ack, waiting)


async def test_a_deadline_in_the_mailbox_is_a_timeout_and_nothing_is_decided() -> None:
    async with a_world(unsettled_entries_max=1) as world:
        hold, ack = await a_held_note(world)
        command, reading = world.send(add(2), within_s=5.0), world.read(look_at_size, within_s=5.0)
        await settle()
        world.clock.advance(5.0)
        world.region.sweep()
        assert [rejected(await reply).code for reply in (command, reading)] == [ErrorCode.TIMEOUT] * 2
        hold.release()
        await ack
        assert [entry.seq for entry in world.journal.entries()] == [1]


async def test_a_deadline_that_passes_before_its_turn_is_a_timeout() -> None:
    async with a_world() as world:
        await world.given(1)
        world.read(look_at_size)
        late = world.send(add(2), within_s=5.0)  # its turn comes after this one
        world.clock.advance(5.0)
        assert rejected(await late).code is ErrorCode.TIMEOUT
        assert len(world.journal.entries()) == 1


async def test_a_deadline_at_the_gate_is_a_timeout_though_the_entry_may_commit() -> None:
    async with a_world() as world:
        hold = world.journal.next(Hold())
        op_id = world.ids.new_id()
        impatient = world.send(add(1), within_s=5.0, op_id=op_id)
        patient, late_read = world.send(add(2), within_s=50.0), world.read(look_at_size, within_s=5.0)
        await hold.reached.wait()
        world.clock.advance(5.0)
        world.region.sweep()
        assert [rejected(await reply).code for reply in (impatient, late_read)] == [ErrorCode.TIMEOUT] * 2
        assert not patient.done()
        hold.release()
        assert accepted(await patient).cursor.seq == 2
        assert accepted(await world.send(add(1), op_id=op_id)).cursor.seq == 1


async def test_a_caller_that_went_away_is_not_answered_and_harms_nobody() -> None:
    async with a_world() as world:
        hold, ack = await a_held_note(world)
        other = world.send(add(2))
        ack.cancel()
        hold.release()
        assert accepted(await other).cursor.seq == 2
        assert len(world.journal.entries()) == 2


async def test_a_decision_that_raises_is_internal_for_its_caller_alone() -> None:
    async with a_world() as world:
        replies = [world.send(command) for command in (add(1), add(2, "decide!"), add(3))]
        outcomes = await asyncio.gather(*replies)
        assert [isinstance(outcome, Accepted) for outcome in outcomes] == [True, False, True]
        assert rejected(outcomes[1]).code is ErrorCode.INTERNAL
        assert (await world.read(look_at_size)).value == 2
        assert world.meters.counts["crashed notes"] == 1
        assert world.meters.counts["activated notes"] == 1


async def test_a_look_that_raises_is_its_askers_defect() -> None:
    def look(state: Notes) -> None:
        raise Defect("look")

    async with a_world() as world:
        with pytest.raises(Defect):
            await world.read(look)
        await world.given(1)
        assert world.meters.counts["activated notes"] == 1


async def test_an_evolve_that_raises_costs_its_own_command_only() -> None:
    async with a_world() as world:
        hold = world.journal.next(Hold())
        commands = [add(1), add(2), add(3, "evolve!"), add(4), edit(1, "edited")]
        replies = [world.send(command) for command in commands]
        await hold.reached.wait()
        await settle()
        assert rejected(replies[2].result()).code is ErrorCode.INTERNAL
        assert [reply.done() for reply in replies] == [False, False, True, False, False]
        hold.release()
        outcomes = await asyncio.gather(*replies)
        assert [accepted(outcomes[number]).cursor.seq for number in (0, 1, 3, 4)] == [1, 2, 3, 4]
        texts = (await world.read(look_at_texts)).value
        assert texts == {note_id(1): "edited", note_id(2): "text", note_id(4): "text"}
        assert world.meters.counts["activated notes"] == 2
        assert world.published() == [1, 2, 3, 4]


async def test_a_reading_between_a_command_and_a_crash_sees_what_was_before_the_crash() -> None:
    async with a_world() as world:
        hold, ack = await a_held_note(world)
        reading = world.read(look_at_texts)
        crash = world.send(add(2, "evolve!"))
        after = world.read(look_at_texts)
        await settle()
        hold.release()
        assert (await reading).value == (await after).value == {note_id(1): "text"}
        await asyncio.gather(ack, crash)


async def test_an_answer_that_cannot_be_built_never_reaches_the_log() -> None:
    class Mute(NotesActor):
        def answer(self, events: Any) -> dict[str, Any]:
            raise Defect("answer")

    async with a_world(Mute()) as world:
        assert rejected(await world.send(add(1))).code is ErrorCode.INTERNAL
        assert world.journal.batches == []


async def test_a_retry_that_can_no_longer_be_answered_is_internal_and_the_stream_goes_on() -> None:
    actor = NotesActor()
    async with a_world(actor) as world:
        (op_id,) = await world.given(1)
        await world.restart()
        answer = actor.answer

        def broken(events: Any) -> dict[str, Any]:
            raise Defect("answer")

        actor.answer = broken  # type: ignore[method-assign]
        assert rejected(await world.send(add(1), op_id=op_id)).code is ErrorCode.INTERNAL
        actor.answer = answer  # type: ignore[method-assign]
        assert accepted(await world.send(add(2))).cursor.seq == 2


async def test_a_command_that_changes_nothing_is_an_entry_all_the_same() -> None:
    async with a_world() as world:
        assert accepted(await world.send(add(1, "nothing"))).cursor.seq == 1
        assert (await world.read(look_at_size)).value == 0


async def test_who_may_follow_travels_with_the_entry_that_changes_it() -> None:
    async with a_world() as world:
        await world.given(1)
        assert not hasattr(await world.feeds.join(Watcher(Principal(person(1))), STREAM, None, 2000.0), "code")
        from protocol.members import AddMember

        accepted(await world.send(AddMember(user_id=person(2), role="member")))
        await until(lambda: world.feeds.followers == 0)


async def test_a_read_with_no_answer_yet_times_out_while_its_stream_is_loading() -> None:
    async with a_world() as world:
        world.journal.reads_wait_for = asyncio.Event()
        reading = world.read(look_at_size, within_s=5.0)
        await settle()
        world.clock.advance(5.0)
        world.region.sweep()
        assert rejected(await reading).code is ErrorCode.TIMEOUT
        world.journal.reads_wait_for.set()
        assert (await world.read(look_at_size)).value == 0


async def test_what_comes_between_a_commit_and_the_next_turn_does_not_overtake_what_waits() -> None:
    async with a_world(unsettled_entries_max=1) as world:
        hold, first = await a_held_note(world)
        waiting = world.send(add(2))
        await settle()
        late: list[asyncio.Future[Any]] = []
        world.at_publish = lambda: late.append(world.send(add(3))) if not late else None
        hold.release()
        assert [accepted(reply).cursor.seq for reply in await asyncio.gather(first, waiting)] == [1, 2]
        assert accepted(await late[0]).cursor.seq == 3


async def test_a_full_cell_without_a_turn_to_come_takes_nothing_at_once() -> None:
    async with a_world(unsettled_entries_max=1) as world:
        hold, first = await a_held_note(world)
        await settle()
        waiting = world.send(add(2))
        assert world.region.mailbox_depth == 1
        hold.release()
        assert [accepted(reply).cursor.seq for reply in await asyncio.gather(first, waiting)] == [1, 2]
