"""Undone and redone commands: they write no row of their own. What they change stands in other events."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from storage.projections.fact import Fact


class UndoData(TypedDict):
    """See `protocol.undo.CommandUndone` and `CommandRedone`."""

    opId: str
    seq: int


UndoFact = Fact[Literal["CommandUndone"], UndoData] | Fact[Literal["CommandRedone"], UndoData]
