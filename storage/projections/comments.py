"""Comments: their rows, and the comments of an author."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, assert_never

from typing_extensions import TypedDict

from protocol.log import Entry
from storage.projections.across import Across, InProject, PlaceAcross
from storage.projections.fact import Fact
from storage.projections.table import Column, Row, Table

if TYPE_CHECKING:
    from storage.postgres.pool import Database

TABLE = Table(
    "comments",
    ("projectId", "id"),
    (
        Column("projectId"),
        Column("id"),
        Column("taskId"),
        Column("authorId"),
        Column("body"),
        Column("createdAt"),
        Column("updatedAt"),
        Column("edits", "jsonb"),
        Column("seq", "bigint"),
    ),
)


class CommentAddedData(TypedDict):
    """See `protocol.comments.CommentAdded`."""

    commentId: str
    taskId: str
    body: str


class CommentEditedData(TypedDict):
    """See `protocol.comments.CommentEdited`."""

    commentId: str
    body: str
    was: str


CommentFact = Fact[Literal["CommentAdded"], CommentAddedData] | Fact[Literal["CommentEdited"], CommentEditedData]


def fold(row: Row | None, fact: CommentFact, entry: Entry) -> Row:
    """The row after the event. Raises KeyError for an edit before the comment."""
    match fact["kind"]:
        case "CommentAdded":
            return _added(fact["data"], entry)
        case "CommentEdited":
            if row is None:
                raise KeyError(fact["data"]["commentId"])
            return _edited(row, fact["data"], entry)
        case _:
            assert_never(fact)


def _added(said: CommentAddedData, entry: Entry) -> Row:
    return {
        "projectId": entry.stream.partition("/")[2],
        "id": said["commentId"],
        "taskId": said["taskId"],
        "authorId": entry.author,
        "body": said["body"],
        "createdAt": entry.at,
        "updatedAt": entry.at,
        "edits": [],
        "seq": entry.seq,
    }


def _edited(row: Row, edit: CommentEditedData, entry: Entry) -> Row:
    old = {"body": edit["was"], "replacedAt": entry.at, "replacedBy": entry.author}
    return {**row, "body": edit["body"], "updatedAt": entry.at, "edits": [*row["edits"], old], "seq": entry.seq}


_OF_AUTHOR: Final = Across(
    TABLE,
    "created_at",
    "r.author_id = $6 AND NOT EXISTS (SELECT FROM tasks t WHERE t.project_id = r.project_id AND t.id = r.task_id"
    " AND t.deleted_at IS NOT NULL)",
)


async def list_of_author(
    database: Database, author_id: str, reader_id: str, after: PlaceAcross | None, limit: int
) -> Sequence[InProject]:
    """An author's comments in the projects that the reader is a member of now, the newest first.

    Those on deleted tasks are hidden with them.

    Raises NotApplied.
    """
    return await _OF_AUTHOR.page(database, reader_id, after, limit, author_id)
