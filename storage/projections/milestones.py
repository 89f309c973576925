"""Milestones: their rows."""

from __future__ import annotations

from typing import Literal, NotRequired, assert_never

from typing_extensions import TypedDict

from protocol.log import Entry
from protocol.milestones import MilestoneChanges, MilestoneView
from storage.projections.fact import Fact
from storage.projections.table import Column, Row, Table

TABLE = Table(
    "milestones",
    ("projectId", "id"),
    (
        Column("projectId"),
        Column("id"),
        Column("name"),
        Column("description"),
        Column("status"),
        Column("startDate"),
        Column("dueDate"),
        Column("createdBy"),
        Column("createdAt"),
        Column("updatedAt"),
        Column("closedAt"),
        Column("seq", "bigint"),
    ),
)


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


def fold(row: Row | None, fact: MilestoneFact, entry: Entry) -> Row | None:
    """The row after the event, None when the milestone is gone. Raises KeyError for an edit before the creation."""
    match fact["kind"]:
        case "MilestoneCreated":
            return {"projectId": entry.stream.partition("/")[2], **fact["data"]["milestone"], "seq": entry.seq}
        case "MilestoneEdited":
            if row is None:
                raise KeyError(fact["data"]["milestoneId"])
            closed_at = fact["data"].get("closedAt", row["closedAt"])
            return {**row, **fact["data"]["changes"], "updatedAt": entry.at, "closedAt": closed_at, "seq": entry.seq}
        case "MilestoneDeleted":
            return None
        case _:
            assert_never(fact)
