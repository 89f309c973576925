"""Random undoing: of whatever came shortly before, and redone, with any step in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from protocol.event import Command, Principal
from protocol.undo import RedoCommand, UndoCommand
from tests.actors.given import ADMIN, MEMBER, OWNER, uuid
from tests.laws.steps import Step

UNDO_COMMANDS: tuple[type[Command], ...] = (UndoCommand, RedoCommand)
ANY_COMMAND = uuid(0x10_0000)
"""Stands there until the step is taken: only then is it known what came before."""

_about = st.integers(1, 6)
_people = st.sampled_from([OWNER, OWNER, OWNER, ADMIN, MEMBER])


def undo_commands() -> dict[type[Command], SearchStrategy[Command]]:
    """Command → strategy: of entries that are there, of others, of none."""
    op_ids = st.integers(0, 60).map(lambda number: uuid(0x10_0000 + number))
    return {
        UndoCommand: op_ids.map(lambda op_id: UndoCommand(op_id=op_id)),
        RedoCommand: op_ids.map(lambda op_id: RedoCommand(op_id=op_id)),
    }


def step_back(turn: Any, command: type[UndoCommand | RedoCommand], by: Principal, about: int) -> Step:
    """Undoes or redoes the newest entry but so many by that person."""
    return Step(turn, command(op_id=ANY_COMMAND), by, 0, None, about=about)


def undo_lives(live: SearchStrategy[Step], turns: SearchStrategy[Any]) -> Sequence[SearchStrategy[list[Step]]]:
    """Back and forth, and back again."""
    back = st.tuples(turns, _people, _about).map(lambda drawn: [step_back(drawn[0], UndoCommand, drawn[1], drawn[2])])
    # The command that was undone is the second newest entry of its author then, unless something came in between.
    there_and_back = st.tuples(live, turns, turns, live, st.booleans()).map(
        lambda drawn: [
            Step(drawn[0].turn, drawn[0].command, OWNER, drawn[0].day, None),
            step_back(drawn[1], UndoCommand, OWNER, 1),
            *([drawn[3]] if drawn[4] else []),
            step_back(drawn[2], RedoCommand, OWNER, 2),
            step_back(drawn[1], UndoCommand, OWNER, 3),
        ]
    )
    all_back = st.tuples(live, live, turns).map(
        lambda drawn: [
            *(Step(step.turn, step.command, OWNER, step.day, None) for step in drawn[:2]),
            step_back(drawn[2], UndoCommand, OWNER, 1),
            step_back("go on", UndoCommand, OWNER, 3),
        ]
    )
    return [back, back, there_and_back, all_back]
