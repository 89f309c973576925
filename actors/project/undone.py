"""Which commands are undone now, and which were redone, so that each is taken back from where it stands."""

from __future__ import annotations

from typing import Final, NamedTuple

from actors.runtime.actor import EntryMeta
from protocol.base import Uuid
from protocol.undo import CommandRedone, CommandUndone

TURNS_REMEMBERED_MAX: Final = 10_000
"""The newest ones of either kind. A command whose undo is forgotten cannot be redone any more, and is undone again
where that changes something; one whose redo is forgotten is undone as if others' changes since itself counted."""


class Turn(NamedTuple):
    """The entry that took a command back, or did it again."""

    seq: int
    op_id: Uuid


Turns = dict[Uuid, Turn]
"""Command's opId → its last turn, in the order of the log."""


def evolve_undone(undone: Turns, redone: Turns, event: CommandUndone, meta: EntryMeta) -> None:
    _turn(redone, undone, event.op_id, meta)


def evolve_redone(undone: Turns, redone: Turns, event: CommandRedone, meta: EntryMeta) -> None:
    _turn(undone, redone, event.op_id, meta)


def _turn(before: Turns, now: Turns, op_id: Uuid, meta: EntryMeta) -> None:
    """In the order of the log, so that the oldest are forgotten first."""
    before.pop(op_id, None)
    now.pop(op_id, None)
    now[op_id] = Turn(meta.seq, meta.op_id)
    if len(now) > TURNS_REMEMBERED_MAX:
        del now[next(iter(now))]
