"""Milestones: they write no row. A project's milestones are read from its actor."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from protocol.milestones import MilestoneChanges, MilestoneView
from storage.projections.fact import Fact


class MilestoneCreatedData(TypedDict):
    """See `protocol.milestones.MilestoneCreated`."""

    milestone: MilestoneView


class MilestoneEditedData(TypedDict):
    """See `protocol.milestones.MilestoneEdited`."""

    milestoneId: str
    changes: MilestoneChanges
    was: MilestoneChanges
    closedAt: NotRequired[str | None]


class MilestoneDeletedData(TypedDict):
    """See `protocol.milestones.MilestoneDeleted`."""

    milestoneId: str
    was: MilestoneView


MilestoneFact = (
    Fact[Literal["MilestoneCreated"], MilestoneCreatedData]
    | Fact[Literal["MilestoneEdited"], MilestoneEditedData]
    | Fact[Literal["MilestoneDeleted"], MilestoneDeletedData]
)
