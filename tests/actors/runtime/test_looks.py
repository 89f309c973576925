"""A command may carry a look: its sender is shown the state right after its entry, whatever comes behind it."""

from __future__ import annotations

from typing import Any

from actors.runtime.request import Look
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from storage.memory.faulty import Hold
from tests.actors.runtime.notes import Notes, add, edit, note_id
from tests.actors.runtime.world import STREAM, a_world, accepted, rejected

NOT_YOURS = Rejection(ErrorCode.FORBIDDEN, "not yours")


def text_of(state: Notes, principal: Principal, comment_id: str) -> str:
    del principal
    return state.texts[comment_id]


def number_of_notes(state: Notes, principal: Principal) -> int:
    del principal
    return len(state.texts)


def refuse(state: Notes, principal: Principal) -> Rejection:
    del state, principal
    return NOT_YOURS


def newest(state: Notes, principal: Principal, made: list[str]) -> tuple[str, str]:
    del principal
    return made[0], state.texts[made[0]]


NOTE_1 = Look(text_of, (note_id(1),))


async def test_each_command_is_shown_what_it_left_itself() -> None:
    async with a_world() as world:
        await world.given(1)
        hold = world.journal.next(Hold())
        first = world.send(edit(1, "one"), look=NOTE_1)
        await hold.reached.wait()
        later = [world.send(edit(1, text), look=NOTE_1) for text in ("two", "three")]
        assert not first.done(), "what is shown leaves with the answer: when the log has the entry"
        hold.release()
        seen = [accepted(await reply) for reply in (first, *later)]
        assert [(one.cursor.seq, one.shown) for one in seen] == [(2, "one"), (3, "two"), (4, "three")]


async def test_a_look_may_be_at_what_the_command_made() -> None:
    async with a_world() as world:
        made = accepted(await world.send(add(7, "seven"), look=Look(newest, made="notes")))
        assert made.shown == (note_id(7), "seven")


async def test_without_a_look_and_to_a_retry_nothing_is_shown() -> None:
    async with a_world() as world:
        op_id, counted = world.ids.new_id(), Look(number_of_notes)
        first = accepted(await world.send(add(1), op_id=op_id, look=counted))
        again = accepted(await world.send(add(1), op_id=op_id, look=counted))
        assert (first.shown, again.shown, again.cursor) == (1, None, first.cursor)
        assert accepted(await world.send(add(2))).shown is None


async def test_a_look_may_refuse_what_took_effect() -> None:
    async with a_world() as world:
        assert accepted(await world.send(add(1), look=Look(refuse))).shown == NOT_YOURS


async def test_a_refused_command_is_not_looked_at() -> None:
    async with a_world() as world:
        await world.given(1)
        looked: list[Any] = []
        rejected(await world.send(add(1), look=Look(lambda *seen: looked.append(seen))))
        assert looked == []


async def test_a_look_that_fails_takes_nothing_from_its_command() -> None:
    async with a_world() as world:
        failing = Look(text_of, (note_id(9),))
        done = accepted(await world.send(add(1), look=failing))
        assert (done.cursor.seq, done.shown) == (1, None)
        assert len(world.journal.entries(STREAM)) == 1
        assert accepted(await world.send(add(2))).cursor.seq == 2
