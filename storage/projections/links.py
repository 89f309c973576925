"""Links: their rows."""

from __future__ import annotations

from typing import Literal, assert_never

from typing_extensions import TypedDict

from protocol.links import LinkView
from protocol.log import Entry
from storage.projections.fact import Fact
from storage.projections.table import Column, Row, Table

TABLE = Table(
    "links",
    ("projectId", "id"),
    (
        Column("projectId"),
        Column("id"),
        Column("type"),
        Column("taskId"),
        Column("otherId"),
        Column("createdBy"),
        Column("createdAt"),
        Column("seq", "bigint"),
    ),
)


class LinkAddedData(TypedDict):
    """See `protocol.links.LinkAdded`."""

    link: LinkView


class LinkRemovedData(TypedDict):
    """See `protocol.links.LinkRemoved`."""

    linkId: str
    was: LinkView


LinkFact = Fact[Literal["LinkAdded"], LinkAddedData] | Fact[Literal["LinkRemoved"], LinkRemovedData]


def fold(row: Row | None, fact: LinkFact, entry: Entry) -> Row | None:
    """The row after the event; None when it is gone. Raises KeyError for a removal of what is not there."""
    match fact["kind"]:
        case "LinkAdded":
            return {"projectId": entry.stream.partition("/")[2], **fact["data"]["link"], "seq": entry.seq}
        case "LinkRemoved":
            if row is None:
                raise KeyError(fact["data"]["linkId"])
            return None
        case _:
            assert_never(fact)
