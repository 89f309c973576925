"""Commands that name the one before them have no effect before that one is decided, whatever fails in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

import pytest

from actors.runtime.actor import Context, Decision
from actors.runtime.rejections import OP_ID_REUSED, TOO_EARLY
from actors.runtime.request import Outcome
from protocol.comments import AddComment, EditComment
from protocol.errors import ErrorCode, Rejection
from protocol.event import OPERATOR, Command, Principal
from protocol.faults import NotApplied
from protocol.log import Entry
from protocol.members import AddMember, RemoveMember
from storage.memory.faulty import Hold
from tests.actors.runtime.guarded import HIDDEN, INSIDER, STRANGER, GuardedNotes
from tests.actors.runtime.notes import MISSING, Notes, add, edit, look_at_texts
from tests.actors.runtime.test_retries import forget
from tests.actors.runtime.world import STREAM, World, a_world, accepted, rejected, settle

OPS = [str(uuid5(UUID(int=3), str(number))) for number in range(40)]
"""None tells its time, so each is looked up in the log once the memory is not whole."""


async def resent(world: World, ops: Sequence[str], outcomes: Sequence[Outcome]) -> None:
    """Sends again what was refused for now, each after the one before it that has no answer yet, until all have one."""
    answers = list(outcomes)
    while any(isinstance(answer, Rejection) for answer in answers):
        replies, before = dict[int, asyncio.Future[Outcome]](), None
        for place, (op_id, answer) in enumerate(zip(ops, answers, strict=True)):
            if isinstance(answer, Rejection):
                assert answer.retryable
                replies[place] = world.send(edit(1, op_id), op_id=op_id, after_op_id=before)
                before = op_id
        for place, reply in replies.items():
            answers[place] = await reply


def sent_in_order(world: World, ops: list[str]) -> list[asyncio.Future[Outcome]]:
    """Edits of the first note, all on their way at once."""
    before = [None, *ops]
    return [world.send(edit(1, op_id), op_id=op_id, after_op_id=last) for op_id, last in zip(ops, before, strict=False)]


async def test_nothing_is_decided_whose_predecessor_is_not_here() -> None:
    async with a_world() as world:
        refused = rejected(await world.send(add(1), after_op_id=world.ids.new_id()))
        assert (refused, refused.code, refused.retryable) == (TOO_EARLY, ErrorCode.UNAVAILABLE, True)
        assert world.journal.entries() == []


async def test_what_is_behind_a_command_on_its_way_goes_with_it() -> None:
    async with a_world() as world:
        hold, first = world.journal.next(Hold()), world.ids.new_id()
        replies = [world.send(add(1), op_id=first), world.send(edit(1, "second"), after_op_id=first)]
        await hold.reached.wait()
        hold.release()
        assert [accepted(outcome).cursor.seq for outcome in await asyncio.gather(*replies)] == [1, 2]


@pytest.mark.parametrize("durable", [True, False], ids=["durable", "on its way"])
async def test_what_is_behind_a_command_that_was_refused_for_good_is_decided(durable: bool) -> None:
    async with a_world() as world:
        await world.given(1)
        hold = world.journal.next(Hold())
        before = world.send(edit(1, "on its way")) if not durable else None
        await settle()
        refused = world.ids.new_id()
        replies = [world.send(edit(2, "none"), op_id=refused), world.send(edit(1, "next"), after_op_id=refused)]
        await settle()
        hold.release()
        assert rejected(await replies[0]) == MISSING
        accepted(await replies[1])
        if before is not None:
            accepted(await before)


async def test_only_the_senders_own_refusals_count() -> None:
    async with a_world() as world:
        await world.given(1)
        refused = world.ids.new_id()
        assert rejected(await world.send(edit(2, "none"), op_id=refused, by=Principal("ben"))) == MISSING
        assert rejected(await world.send(edit(1, "next"), after_op_id=refused)) == TOO_EARLY


@pytest.mark.parametrize("batch", [1, 3, 7])
async def test_a_look_up_that_fails_lets_nothing_behind_it_pass(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_world(outcomes_remembered_max=3, batch_entries_max=batch) as world:
        await world.given(1)
        await forget(world)
        find, failed = world.journal.find_ops, list[Sequence[tuple[str, str]]]()

        async def find_ops(ops: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Entry]:
            if not failed:
                failed.append(ops)
                raise NotApplied("the connection was lost")
            return await find(ops)

        monkeypatch.setattr(world.journal, "find_ops", find_ops)
        outcomes = await asyncio.gather(*sent_in_order(world, OPS))
        assert len(failed[0]) == batch
        assert all(rejected(outcome).retryable for outcome in outcomes)
        await resent(world, OPS, outcomes)
        assert [entry.op_id for entry in world.journal.entries() if entry.op_id in OPS] == OPS


async def test_a_full_mailbox_that_has_room_again_lets_nothing_pass() -> None:
    async with a_world(unsettled_entries_max=2, mailbox_messages_max=3) as world:
        await world.given(1)
        ops = [world.ids.new_id() for _ in range(9)]
        hold = world.journal.next(Hold())
        replies = sent_in_order(world, ops[:8])
        await hold.reached.wait()
        hold.release()
        outcomes = await asyncio.gather(*replies)
        outcomes.append(await world.send(edit(1, ops[8]), op_id=ops[8], after_op_id=ops[7]))
        refused = [isinstance(outcome, Rejection) for outcome in outcomes]
        assert refused == sorted(refused)
        assert any(refused)
        await resent(world, ops, outcomes)
        assert [entry.op_id for entry in world.journal.entries()][1:] == ops


@pytest.mark.parametrize("again", ["same node", "after a restart"])
async def test_what_is_behind_one_that_only_the_log_has_is_decided(again: str) -> None:
    async with a_world(outcomes_remembered_max=3) as world:
        await world.given(1)
        accepted(await world.send(edit(1, "old"), op_id=OPS[0]))
        await forget(world)
        if again == "after a restart":
            await world.restart()
        replies = [
            world.send(edit(1, "old"), op_id=OPS[0]),
            world.send(edit(1, "new"), op_id=OPS[1], after_op_id=OPS[0]),
        ]
        first, second = [accepted(outcome) for outcome in await asyncio.gather(*replies)]
        assert (first.cursor.seq, second.cursor.seq) == (2, 8)
        assert await world.read(look_at_texts, stream=STREAM)


async def test_a_retry_may_name_another_predecessor_or_none() -> None:
    async with a_world() as world:
        first, second = await world.given(1), world.ids.new_id()
        outcome = accepted(await world.send(edit(1, "x"), op_id=second, after_op_id=first[0]))
        for after in (None, first[0], world.ids.new_id(), second):
            assert await world.send(edit(1, "x"), op_id=second, after_op_id=after) == outcome
        assert rejected(await world.send(edit(1, "y"), op_id=second)) == OP_ID_REUSED


class PrivateNotes(GuardedNotes):
    """Private from the beginning, as projects are. Strangers are told more than one thing, by what they sent."""

    def decide(self, state: Notes, command: Command, context: Context) -> Decision[Any] | Rejection:
        if isinstance(command, EditComment) and context.principal == STRANGER:
            return NOT_LIKE_THIS
        return super().decide(state, command, context)

    def audience(self, state: Notes) -> frozenset[str] | None:
        if state.members is None:
            return frozenset({FOUNDER.id}) if state.applied == 0 else frozenset()
        return frozenset(state.members)


FOUNDER = Principal("founder")
NOT_LIKE_THIS = Rejection(ErrorCode.INVALID, "edits of notes are not taken like this")
NOWHERE = "notes/nowhere"


async def given_secret_notes(world: World) -> None:
    """The stranger was a member once; memory and log hold what came since then."""
    for command in (
        AddMember(user_id=INSIDER.id, role="member"),
        AddMember(user_id=STRANGER.id, role="member"),
        RemoveMember(user_id=STRANGER.id),
    ):
        accepted(await world.send(command, by=FOUNDER if command.user_id == INSIDER.id else INSIDER))


async def probed(world: World, command: Command, stream: str, op_id: str) -> list[Outcome]:
    """What a stranger hears who asks in every way whether the stream has this opId."""
    ways = [{"after": op_id}, {"op_id": op_id, "after": world.ids.new_id()}, {"op_id": op_id}, {"after": op_id}]
    replies = []
    for way in ways:
        replies.append(world.send(command, stream, op_id=way.get("op_id"), after_op_id=way.get("after"), by=STRANGER))
        await settle()
    return await asyncio.gather(*replies)


@pytest.mark.parametrize("command", [add(9), edit(1, "x")], ids=["not found", "another refusal"])
@pytest.mark.parametrize("known_from", ["memory", "the log"])
async def test_nobody_learns_what_is_in_a_stream_that_is_hidden_from_them(command: Command, known_from: str) -> None:
    """The answers are the same for every opId, whether the stream has it or not, and where there is no stream."""
    async with a_world(PrivateNotes(), outcomes_remembered_max=3) as world:
        await given_secret_notes(world)
        secret, unknown = OPS[:2]
        accepted(await world.send(add(1), op_id=secret, by=INSIDER))
        if known_from == "the log":
            for number in range(2, 6):
                accepted(await world.send(add(number), by=INSIDER))
            accepted(await world.send(add(1), op_id=secret, by=INSIDER))
        refused = HIDDEN if isinstance(command, AddComment) else NOT_LIKE_THIS
        for stream, op_id in ((STREAM, secret), (STREAM, unknown), (NOWHERE, secret)):
            assert await probed(world, command, stream, op_id) == [TOO_EARLY, TOO_EARLY, refused, refused]
        accepted(await world.send(add(1), op_id=secret, by=INSIDER))


async def test_nobody_learns_what_is_on_its_way_into_a_hidden_stream() -> None:
    async with a_world(PrivateNotes()) as world:
        await given_secret_notes(world)
        hold, secret, unknown = world.journal.next(Hold()), world.ids.new_id(), world.ids.new_id()
        first = world.send(add(1), op_id=secret, by=INSIDER)
        answers = [asyncio.ensure_future(probed(world, add(9), STREAM, op_id)) for op_id in (secret, unknown)]
        await hold.reached.wait()
        for _ in range(5):
            await settle()
        hold.release()
        assert await asyncio.gather(*answers) == [[TOO_EARLY, TOO_EARLY, HIDDEN, HIDDEN]] * 2
        accepted(await first)


async def test_who_sees_a_stream_goes_on_behind_whatever_it_holds() -> None:
    async with a_world(PrivateNotes()) as world:
        await given_secret_notes(world)
        first = world.ids.new_id()
        accepted(await world.send(add(1), op_id=first, by=INSIDER))
        for by in (INSIDER, OPERATOR):
            accepted(await world.send(edit(1, by.id), after_op_id=first, by=by))


async def test_what_is_behind_the_command_that_lets_its_sender_in_goes_with_it() -> None:
    async with a_world(PrivateNotes()) as world:
        first, early = world.ids.new_id(), world.ids.new_id()
        wish = add(1)
        assert rejected(await world.send(wish, op_id=early, after_op_id=first, by=INSIDER)) == TOO_EARLY
        replies = [
            world.send(AddMember(user_id=INSIDER.id, role="member"), op_id=first, by=FOUNDER),
            world.send(wish, op_id=early, after_op_id=first, by=INSIDER),
        ]
        assert [accepted(outcome).cursor.seq for outcome in await asyncio.gather(*replies)] == [1, 2]
