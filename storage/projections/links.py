"""Links: their rows, and what they say of tasks in lists across projects."""

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


IS_BLOCKED = """EXISTS (
    SELECT FROM links l JOIN tasks b ON b.project_id = l.project_id AND b.id = l.task_id
     WHERE l.project_id = r.project_id AND l.other_id = r.id AND l.type = 'blocks'
       AND b.closed_at IS NULL AND b.deleted_at IS NULL
)"""
"""SQL over the alias `r` of a task: whether an open task blocks it."""


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
