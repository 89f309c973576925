"""Random undoing: of whatever came shortly before, and redone; and ways back to points of the past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from protocol.event import Command, Principal
from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from protocol.undo import RedoCommand, UndoCommand
from tests.actors.given import ADMIN, MEMBER, OWNER, uuid
from tests.laws.steps import Step

UNDO_COMMANDS: tuple[type[Command], ...] = (UndoCommand, RedoCommand, RestoreTaskTo, RestoreProjectTo)
TASK_IDS = [uuid(0x200 + n) for n in range(2)]
ANY_COMMAND = uuid(0x10_0000)
"""Stands there until the step is taken: only then is it known what came before."""

_about = st.integers(1, 6)
_people = st.sampled_from([OWNER, OWNER, OWNER, ADMIN, MEMBER])


_points = st.one_of(
    st.integers(5, 40), st.integers(5, 40), st.sampled_from(["2026-03-02T12:00:00.000Z", "2015-06-03T00:00:00.000Z"])
)


def undo_commands() -> dict[type[Command], SearchStrategy[Command]]:
    """Command → strategy: of entries that are there, of others, of none."""
    op_ids = st.integers(0, 60).map(lambda number: uuid(0x10_0000 + number))
    return {
        UndoCommand: op_ids.map(lambda op_id: UndoCommand(op_id=op_id)),
        RedoCommand: op_ids.map(lambda op_id: RedoCommand(op_id=op_id)),
        RestoreTaskTo: st.tuples(st.sampled_from(TASK_IDS), _points).map(
            lambda drawn: RestoreTaskTo(task_id=drawn[0], as_of=drawn[1])
        ),
        RestoreProjectTo: _points.map(lambda point: RestoreProjectTo(as_of=point)),
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
    rewound = st.tuples(live, turns, _points, st.sampled_from(TASK_IDS), st.booleans()).map(
        lambda drawn: [
            drawn[0],
            Step(
                drawn[1],
                RestoreProjectTo(as_of=drawn[2]) if drawn[4] else RestoreTaskTo(task_id=drawn[3], as_of=drawn[2]),
                OWNER,
                1,
                None,
            ),
            step_back(drawn[1], UndoCommand, OWNER, 1),
        ]
    )
    return [back, back, there_and_back, all_back, rewound]
