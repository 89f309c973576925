"""Which commands are undone now, so that none is undone twice and each can be redone."""

from __future__ import annotations

from typing import Final, NamedTuple

from actors.runtime.actor import EntryMeta
from protocol.base import Uuid
from protocol.undo import CommandRedone, CommandUndone

UNDONE_REMEMBERED_MAX: Final = 10_000
"""The newest ones. An older one cannot be redone any more, and is undone again where that changes something."""


class Undoing(NamedTuple):
    """The entry that took a command back."""

    seq: int
    op_id: Uuid


def evolve_undone(undone: dict[str, Undoing], event: CommandUndone, meta: EntryMeta) -> None:
    """In the order of the log, so that the oldest are forgotten first."""
    undone.pop(event.op_id, None)
    undone[event.op_id] = Undoing(meta.seq, meta.op_id)
    if len(undone) > UNDONE_REMEMBERED_MAX:
        del undone[next(iter(undone))]


def evolve_redone(undone: dict[str, Undoing], event: CommandRedone) -> None:
    del undone[event.op_id]
