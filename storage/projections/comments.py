"""Comments: their rows, and the comments of an author."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, assert_never

from typing_extensions import TypedDict

from protocol.comments import CommentEdit
from protocol.log import Entry
from protocol.reactions import Reaction
from storage.projections.across import BEGINNING, Across, InProject, PlaceAcross
from storage.projections.fact import Fact
from storage.projections.table import Column, Row, Table, listed

if TYPE_CHECKING:
    from storage.postgres.pool import Database

TABLE = Table(
    "comments",
    ("projectId", "id"),
    (
        Column("projectId"),
        Column("id"),
        Column("taskId"),
        Column("threadId"),
        Column("replyTo"),
        Column("authorId"),
        Column("body"),
        Column("mentions", "jsonb"),
        Column("reactions", "jsonb"),
        Column("createdAt"),
        Column("updatedAt"),
        Column("edits", "jsonb"),
        Column("deletedAt"),
        Column("deletedBy"),
        Column("seq", "bigint"),
    ),
)


class CommentAddedData(TypedDict):
    """See `protocol.comments.CommentAdded`."""

    commentId: str
    taskId: str
    threadId: str | None
    replyTo: str | None
    body: str
    mentions: list[str]


class CommentEditedData(TypedDict):
    """See `protocol.comments.CommentEdited`."""

    commentId: str
    body: str
    was: str
    mentions: list[str]
    mentionsWere: list[str]


class CommentDeletedData(TypedDict):
    """See `protocol.comments.CommentDeleted`."""

    commentId: str


class CommentRestoredData(TypedDict):
    """See `protocol.comments.CommentRestored`."""

    commentId: str
    body: str
    mentions: list[str]
    reactions: list[Reaction]
    edits: list[CommentEdit]


CommentFact = (
    Fact[Literal["CommentAdded"], CommentAddedData]
    | Fact[Literal["CommentEdited"], CommentEditedData]
    | Fact[Literal["CommentDeleted"], CommentDeletedData]
    | Fact[Literal["CommentRestored"], CommentRestoredData]
)


def fold(row: Row | None, fact: CommentFact, entry: Entry) -> Row:
    """The row after the event. Raises KeyError for a change before the comment."""
    if fact["kind"] == "CommentAdded":
        return _added(fact["data"], entry)
    if row is None:
        raise KeyError(fact["data"]["commentId"])
    match fact["kind"]:
        case "CommentEdited":
            return _edited(row, fact["data"], entry)
        case "CommentDeleted":
            empty = {"body": "", "mentions": [], "reactions": [], "edits": []}
            return {**row, **empty, **_written(entry), "deletedAt": entry.at, "deletedBy": entry.author}
        case "CommentRestored":
            held = {name: value for name, value in fact["data"].items() if name != "commentId"}
            return {**row, **held, **_written(entry), "deletedAt": None, "deletedBy": None}
        case _:
            assert_never(fact)


def _added(said: CommentAddedData, entry: Entry) -> Row:
    return {
        "projectId": entry.stream.partition("/")[2],
        "id": said["commentId"],
        "taskId": said["taskId"],
        "threadId": said["threadId"],
        "replyTo": said["replyTo"],
        "authorId": entry.author,
        "body": said["body"],
        "mentions": said["mentions"],
        "reactions": [],
        "createdAt": entry.at,
        "updatedAt": entry.at,
        "edits": [],
        "deletedAt": None,
        "deletedBy": None,
        "seq": entry.seq,
    }


def _edited(row: Row, edit: CommentEditedData, entry: Entry) -> Row:
    old = {"body": edit["was"], "replacedAt": entry.at, "replacedBy": entry.author}
    return {
        **row,
        **_written(entry),
        "body": edit["body"],
        "mentions": edit["mentions"],
        "edits": [*row["edits"], old],
    }


def _written(entry: Entry) -> Row:
    return {"updatedAt": entry.at, "seq": entry.seq}


_OF_AUTHOR: Final = Across(
    TABLE,
    "created_at",
    "r.author_id = $6 AND r.deleted_at IS NULL"
    " AND NOT EXISTS (SELECT FROM tasks t WHERE t.project_id = r.project_id AND t.id = r.task_id"
    " AND t.deleted_at IS NOT NULL)",
)


async def list_of_author(
    database: Database, author_id: str, reader_id: str, after: PlaceAcross | None, limit: int
) -> Sequence[InProject]:
    """An author's comments, without deleted ones, in the projects that the reader is a member of now, the newest first.

    Those on deleted tasks are hidden with them.

    Raises NotApplied.
    """
    return await _OF_AUTHOR.page(database, reader_id, after, limit, author_id)


async def list_written_by(
    database: Database, author_id: str, after: PlaceAcross | None, limit: int
) -> Sequence[InProject]:
    """An author's comments, the oldest first, wherever they are: for the author, who may have left the project.

    Those that are deleted have no words any more and are left out. Raises NotApplied.
    """
    query = f"""
        SELECT {TABLE.select("r")} FROM comments r
         WHERE r.author_id = $1 AND r.deleted_at IS NULL AND (r.created_at, r.project_id, r.id) > ($2, $3, $4)
         ORDER BY r.created_at, r.project_id, r.id LIMIT $5"""  # noqa: S608
    rows = map(TABLE.row, await database.fetch(query, author_id, *(after or BEGINNING), limit))
    return [InProject(row["projectId"], listed(row, without=("projectId",))) for row in rows]
