"""Ranks of neighbours that got new ones together; a single move is an edit of its task."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from protocol.log import Entry
from storage.projections.fact import Fact
from storage.projections.table import Row


class TasksRerankedData(TypedDict):
    """See `protocol.ranks.TasksReranked`."""

    stateId: str
    ranks: dict[str, str]
    was: dict[str, str]


RankFact = Fact[Literal["TasksReranked"], TasksRerankedData]


def fold(row: Row | None, fact: RankFact, entry: Entry) -> Row:
    """The row of one of the tasks after the event. Raises KeyError for a task that was never created."""
    if row is None:
        raise KeyError("a rank of no task")
    return {**row, "rank": fact["data"]["ranks"][row["id"]], "seq": entry.seq}
