"""Restorations to a point of the past: they write no row of their own. What they change stands in other events."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from storage.projections.fact import Fact


class TaskRestoredToData(TypedDict):
    """See `protocol.timetravel.TaskRestoredTo`."""

    taskId: str
    seq: int
    left: NotRequired[list[str]]


class ProjectRestoredToData(TypedDict):
    """See `protocol.timetravel.ProjectRestoredTo`."""

    seq: int
    remaining: int
    left: NotRequired[list[str]]


RestorationFact = (
    Fact[Literal["TaskRestoredTo"], TaskRestoredToData] | Fact[Literal["ProjectRestoredTo"], ProjectRestoredToData]
)
