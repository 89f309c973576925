"""One opId takes effect once, and every retry gets the first answer: in memory, beyond it, after a restart."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid5

import pytest

from actors.runtime.actor import Context, Decision
from actors.runtime.delivery import UNAVAILABLE
from actors.runtime.rejections import OP_ID_REUSED
from actors.runtime.request import Accepted
from protocol.errors import ErrorCode, Rejection
from protocol.event import OPERATOR, SYSTEM, Command, Principal
from storage.memory.faulty import Hold
from tests.actors.runtime.guarded import HIDDEN, INSIDER, STRANGER, GuardedNotes, given_an_insider
from tests.actors.runtime.notes import TAKEN, Notes, NotesActor, add, edit, look_at_size, look_at_texts, note_id
from tests.actors.runtime.world import STREAM, World, a_world, accepted, rejected, settle

HOUR_MS = 3_600_000
VERSION_5 = str(uuid5(UUID(int=1), "an entry and a target"))


class CountingNotes(NotesActor):
    """Says how often it decided."""

    decided = 0

    def decide(self, state: Notes, command: Command, context: Context) -> Decision[Any] | Rejection:
        self.decided += 1
        return super().decide(state, command, context)


async def forget(world: World, stream: str = STREAM) -> None:
    """So many later commands that a memory of three has lost what was before."""
    for number in range(5):
        world.clock.advance(0.01)
        accepted(await world.send(edit(1, f"later {number}"), stream))
    world.clock.advance(0.01)


async def test_a_retry_in_memory_gets_the_first_answer_without_asking_the_log() -> None:
    async with a_world() as world:
        op_id = world.ids.new_id()
        first = accepted(await world.send(add(1), op_id=op_id))
        assert await world.send(add(1), op_id=op_id) == first
        assert first.result == {"notes": [note_id(1)]}
        assert (world.journal.lookups, len(world.journal.entries())) == ([], 1)


async def test_a_retry_of_what_is_still_in_flight_waits_for_the_same_commit() -> None:
    async with a_world() as world:
        hold, op_id = world.journal.next(Hold()), world.ids.new_id()
        first = world.send(add(1), op_id=op_id)
        later = world.send(add(2))
        retry = world.send(add(1), op_id=op_id)
        await hold.reached.wait()
        await settle()
        assert not retry.done()
        hold.release()
        assert await retry == await first
        await later
        assert len(world.journal.entries()) == 2


@pytest.mark.parametrize("again", ["same node", "after a restart", "after a crash", "passivated"])
@pytest.mark.parametrize("kind", ["now", "UUIDv5", "clock behind", "clock ahead"])
@pytest.mark.parametrize("command", [add(50), edit(1, "once")], ids=["creating", "repeatable"])
@pytest.mark.parametrize("forgotten", [True, False], ids=["forgotten", "remembered"])
async def test_a_retry_gets_the_first_answer(again: str, kind: str, command: Command, forgotten: bool) -> None:
    async with a_world(outcomes_remembered_max=3) as world:
        await world.given(1)
        now_ms = world.clock.now_ms
        op_id = {
            "now": world.ids.new_id(),
            "UUIDv5": VERSION_5,
            "clock behind": world.ids.made_at(now_ms - HOUR_MS),
            "clock ahead": world.ids.made_at(now_ms + HOUR_MS),
        }[kind]
        first = accepted(await world.send(command, op_id=op_id))
        if forgotten:
            await forget(world)
        entries = len(world.journal.entries())
        if again == "after a restart":
            await world.restart()
        elif again == "after a crash":
            await world.crash()
        elif again == "passivated":
            assert world.region.passivate(STREAM)
        outcome = await world.send(command, op_id=op_id)
        if not isinstance(outcome, Accepted):  # the unique index stopped it; the client sends it again
            assert (kind, forgotten, outcome.retryable) == ("clock ahead", True, True)
            outcome = await world.send(command, op_id=op_id)
        assert outcome == first
        assert len(world.journal.entries()) == entries


@pytest.mark.parametrize("forgotten", [True, False], ids=["forgotten", "remembered"])
@pytest.mark.parametrize(
    ("command", "by"),
    [(add(1, "other text"), Principal("ann")), (add(1), Principal("ben")), (edit(1, "text"), Principal("ann"))],
    ids=["other content", "other author", "other type"],
)
async def test_an_op_id_of_another_command_reveals_nothing(command: Command, by: Principal, forgotten: bool) -> None:
    async with a_world(outcomes_remembered_max=3) as world:
        op_id = world.ids.new_id()
        first = accepted(await world.send(add(1), op_id=op_id))
        if forgotten:
            await forget(world)
        refused = rejected(await world.send(command, op_id=op_id, by=by))
        assert (refused.code, refused.retryable, dict(refused.details)) == (ErrorCode.OP_ID_REUSED, False, {})
        assert refused == OP_ID_REUSED
        assert await world.send(add(1), op_id=op_id) == first


async def test_what_is_refused_and_looked_up_is_decided_once_while_the_state_is_the_same() -> None:
    actor = CountingNotes()
    async with a_world(actor, outcomes_remembered_max=3) as world:
        await world.given(1)
        await forget(world)
        actor.decided = 0
        assert rejected(await world.send(add(1))) == TAKEN
        assert (actor.decided, len(world.journal.lookups)) == (1, 1)
        edited, _ = await asyncio.gather(world.send(edit(2, "not there yet")), world.send(add(2)))
        assert accepted(edited).cursor.seq == world.journal.entries()[-1].seq, "meanwhile it is there: judged anew"


async def test_a_reused_op_id_is_not_held_against_its_owner_once_the_memory_is_gone() -> None:
    async with a_world(outcomes_remembered_max=3) as world:
        op_id = world.ids.new_id()
        first = accepted(await world.send(add(1), op_id=op_id))
        assert rejected(await world.send(add(1), op_id=op_id, by=Principal("thief"))) == OP_ID_REUSED
        await forget(world)
        assert await world.send(add(1), op_id=op_id) == first


async def test_a_reused_op_id_of_what_is_in_flight_waits_for_the_commit() -> None:
    async with a_world() as world:
        hold, op_id = world.journal.next(Hold()), world.ids.new_id()
        first, other = world.send(add(1), op_id=op_id), world.send(add(2), op_id=op_id)
        await hold.reached.wait()
        await settle()
        assert not other.done()
        hold.release()
        accepted(await first)
        assert await other == OP_ID_REUSED


async def test_a_duplicate_of_a_rejected_command_is_rejected_though_the_state_has_changed() -> None:
    async with a_world() as world:
        op_id = world.ids.new_id()
        first = rejected(await world.send(edit(1, "early"), op_id=op_id))
        await world.given(1)
        assert await world.send(edit(1, "early"), op_id=op_id) == first
        assert rejected(await world.send(edit(1, "other"), op_id=op_id)) == OP_ID_REUSED
        assert len(world.journal.entries()) == 1


async def test_a_duplicate_of_a_rejection_that_still_waits_at_the_gate_is_rejected_too() -> None:
    async with a_world() as world:
        hold, op_id = world.journal.next(Hold()), world.ids.new_id()
        first = world.send(add(1))
        rejection = world.send(edit(2, "early"), op_id=op_id)
        makes_it_possible = world.send(add(2))
        duplicate = world.send(edit(2, "early"), op_id=op_id)
        other = world.send(edit(2, "other"), op_id=op_id)
        await hold.reached.wait()
        hold.release()
        await asyncio.gather(first, makes_it_possible)
        assert rejected(await rejection).code is ErrorCode.NOT_FOUND
        assert await duplicate == await rejection
        assert await other == OP_ID_REUSED
        assert len(world.journal.entries()) == 2


async def test_a_rejection_by_one_whose_lease_is_over_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was frozen judges, or tells, when another one may have accepted the same command."""
    async with a_world() as world:
        hold, op_id, early_id = world.journal.next(Hold()), world.ids.new_id(), world.ids.new_id()
        first = world.send(add(1))
        early = world.send(edit(2, "early"), op_id=early_id)
        await hold.reached.wait()
        with monkeypatch.context() as patch:
            patch.setattr(world.shards, "may_serve", lambda: False)
            hold.release()
            await first
            for rejection in (early, world.send(edit(2, "late"), op_id=op_id)):
                assert rejected(await rejection) == UNAVAILABLE
        accepted(await world.send(add(2)))
        for again in (world.send(edit(2, "early"), op_id=early_id), world.send(edit(2, "late"), op_id=op_id)):
            accepted(await again)


async def test_a_rejection_is_remembered_from_when_it_was_told_and_not_for_ever() -> None:
    async with a_world() as world:
        hold, op_id = world.journal.next(Hold()), world.ids.new_id()
        first, rejection = world.send(add(1)), world.send(edit(2, "early"), op_id=op_id, within_s=999.0)
        await hold.reached.wait()
        world.clock.advance(100.0)
        hold.release()
        await asyncio.gather(first, rejection)
        world.region.sweep()
        accepted(await world.send(add(2)))
        assert await world.send(edit(2, "early"), op_id=op_id) == await rejection
        world.clock.advance(61.0)
        world.region.sweep()
        accepted(await world.send(edit(2, "early"), op_id=op_id))


async def test_what_the_server_itself_sends_again_after_a_rejection_is_judged_anew() -> None:
    async with a_world() as world:
        op_id = world.ids.new_id()
        rejected(await world.send(edit(2, "early"), op_id=op_id, by=SYSTEM))
        accepted(await world.send(add(2)))
        once = accepted(await world.send(edit(2, "early"), op_id=op_id, by=SYSTEM))
        assert accepted(await world.send(edit(2, "early"), op_id=op_id, by=SYSTEM)) == once
        assert len(world.journal.entries()) == 2


async def test_many_copies_at_once_of_an_old_command_take_effect_once() -> None:
    async with a_world(outcomes_remembered_max=3) as world:
        await world.given(1)
        await forget(world)
        copies = [world.send(edit(1, "once"), op_id=VERSION_5) for _ in range(20)]
        outcomes = {str(accepted(outcome)) for outcome in await asyncio.gather(*copies)}
        assert len(outcomes) == 1
        assert [entry.op_id for entry in world.journal.entries()].count(VERSION_5) == 1
        assert len(world.journal.lookups) <= 2


async def test_an_op_id_from_before_the_memory_is_looked_up_and_nothing_is_tried() -> None:
    async with a_world(outcomes_remembered_max=3) as world:
        await world.given(1)
        op_id = world.ids.new_id()
        first = accepted(await world.send(edit(1, "once"), op_id=op_id))
        await forget(world)
        batches = len(world.journal.batches)
        assert await world.send(edit(1, "once"), op_id=op_id) == first
        assert (world.journal.lookups, len(world.journal.batches)) == ([[(STREAM, op_id)]], batches)


async def test_pipelined_copies_beyond_the_memory_take_effect_once() -> None:
    async with a_world(outcomes_remembered_max=1) as world:
        await world.given(1)
        await forget(world)
        ops = [str(uuid5(UUID(int=2), str(number))) for number in range(10)]
        hold = world.journal.next(Hold())
        copies = [world.send(edit(1, op), op_id=op) for op in ops * 3]
        await settle()
        hold.release()
        for outcome in await asyncio.gather(*copies):
            accepted(outcome)
        assert len(world.journal.entries()) == 16


async def test_an_answer_of_the_log_that_is_out_of_date_is_not_believed() -> None:
    async with a_world(outcomes_remembered_max=1) as world:
        await world.given(1)
        await forget(world)
        gate = world.journal.reads_wait_for = asyncio.Event()
        late = world.send(add(50), op_id=VERSION_5)
        await settle()
        lookup = world.region._lookup
        world.region._lookup = type(lookup)(world.journal, world.limits, world.region._return_to_cell)
        world.journal.reads_wait_for = None
        first = accepted(await world.send(add(50), op_id=VERSION_5))
        await forget(world)
        gate.set()
        assert await late == first
        world.region._lookup = lookup


async def test_a_look_up_with_the_database_away_is_a_retryable_answer() -> None:
    async with a_world(outcomes_remembered_max=3) as world:
        await world.given(1)
        await forget(world)
        world.journal.away = True
        assert rejected(await world.send(edit(1, "x"), op_id=VERSION_5)).code is ErrorCode.UNAVAILABLE
        world.journal.away = False
        accepted(await world.send(edit(1, "x"), op_id=VERSION_5))


async def test_a_look_up_survives_the_passivation_of_its_cell() -> None:
    async with a_world(outcomes_remembered_max=3) as world:
        await world.given(1)
        await forget(world)
        world.journal.reads_wait_for = asyncio.Event()
        reply = world.send(edit(1, "x"), op_id=VERSION_5)
        await settle()
        assert world.region.passivate(STREAM)
        world.journal.reads_wait_for.set()
        accepted(await reply)


async def forty_nine_healthy_streams_and_a_retry(world: World, retried: Command) -> tuple[Accepted, int]:
    """A retry whose opId slipped past the memory, in one batch with 49 others. Returns its answer and the appends."""
    bad = "notes/bad"
    await world.given(1, bad)
    op_id = world.ids.made_at(world.clock.now_ms + HOUR_MS)
    first = accepted(await world.send(retried, bad, op_id=op_id))
    await forget(world, bad)
    healthy = [f"notes/healthy-{number}" for number in range(49)]
    await asyncio.gather(*(world.read(look_at_size, stream=stream) for stream in healthy))
    appends = len(world.journal.batches)
    hold = world.journal.next(Hold())
    await asyncio.gather(world.read(look_at_size, stream=bad))
    retry = world.send(retried, bad, op_id=op_id)
    replies = [world.send(add(1), stream) for stream in healthy]
    await hold.reached.wait()
    hold.release()
    for outcome in await asyncio.gather(*replies):
        assert accepted(outcome).cursor.seq == 1
    appends = len(world.journal.batches) - appends
    answer = await retry
    if not isinstance(answer, Accepted):
        assert answer.retryable
        answer = accepted(await world.send(retried, bad, op_id=op_id))
    assert answer == first
    return answer, appends


async def test_a_repeated_op_id_costs_the_49_others_of_its_batch_one_repeat_and_no_ack() -> None:
    async with a_world(lanes=1, outcomes_remembered_max=3) as world:
        _, appends = await forty_nine_healthy_streams_and_a_retry(world, edit(1, "again"))
        assert appends == 2
        assert world.meters.counts["append duplicate"] == 1
        assert world.meters.counts["append refused"] == 1
        assert max(streams for _, streams in world.meters.batches) == 50


async def test_a_creating_retry_with_a_clock_ahead_never_reaches_the_batch() -> None:
    async with a_world(lanes=1, outcomes_remembered_max=3) as world:
        _, appends = await forty_nine_healthy_streams_and_a_retry(world, add(50))
        assert appends == 1
        assert world.meters.counts["append duplicate"] == 0


async def test_a_refused_stream_shows_nothing_of_what_was_refused() -> None:
    async with a_world(lanes=1, outcomes_remembered_max=3) as world:
        await forty_nine_healthy_streams_and_a_retry(world, edit(1, "again"))
        assert world.published("notes/bad") == [1, 2, 3, 4, 5, 6, 7]
        assert (await world.read(look_at_texts, stream="notes/bad")).value[note_id(1)] == "later 4"


async def test_a_real_rejection_on_a_long_stream_is_told_after_a_look_into_the_log() -> None:
    async with a_world(outcomes_remembered_max=3) as world:
        await world.given(1)
        await forget(world)
        assert await world.send(add(1)) == TAKEN
        assert len(world.journal.lookups) == 1


@pytest.mark.parametrize("in_flight", [False, True])
async def test_an_op_id_with_which_a_stranger_was_refused_is_still_its_owners(in_flight: bool) -> None:
    async with a_world(GuardedNotes()) as world:
        await given_an_insider(world)
        op_id = world.ids.new_id()
        hold = world.journal.next(Hold()) if in_flight else None
        before = world.send(add(2), by=INSIDER)
        refused = world.send(add(9), op_id=op_id, by=STRANGER)
        if hold is None:
            assert await refused == HIDDEN
        owners = world.send(add(1), op_id=op_id, by=INSIDER)
        if hold is not None:
            await hold.reached.wait()
            hold.release()
        first = accepted(await owners)
        assert await refused == HIDDEN
        assert await world.send(add(9), op_id=op_id, by=STRANGER) == HIDDEN
        assert await world.send(add(1), op_id=op_id, by=INSIDER) == first
        accepted(await before)


@pytest.mark.parametrize("known_from", ["memory", "flight", "log", "rejection", "rejection in flight"])
async def test_an_op_id_of_another_command_tells_a_stranger_nothing_of_the_stream(known_from: str) -> None:
    async with a_world(GuardedNotes(), outcomes_remembered_max=3) as world:
        await given_an_insider(world)
        op_id = world.ids.new_id()
        original = edit(1, "refused") if known_from.startswith("rejection") else add(1)
        hold = world.journal.next(Hold()) if known_from.endswith("flight") else None
        before = world.send(add(2), by=INSIDER)
        first = world.send(original, op_id=op_id, by=INSIDER)
        if hold is None:
            await asyncio.gather(before, first)
        if known_from == "log":
            await asyncio.gather(*(world.send(add(number), by=INSIDER) for number in range(3, 8)))
        others = () if known_from.startswith("rejection") else (OPERATOR,)
        asked = [world.send(add(9), op_id=op_id, by=by) for by in (STRANGER, INSIDER, *others)]
        unknown = world.send(add(9), by=STRANGER)
        if hold is not None:
            await hold.reached.wait()
            hold.release()
        assert await asyncio.gather(*asked) == [HIDDEN, OP_ID_REUSED, *[OP_ID_REUSED for _ in others]]
        assert await unknown == HIDDEN
        assert await world.send(original, op_id=op_id, by=INSIDER) == await first, "the stranger's answer is not kept"
