"""Comments: their rows, and the comments of an author."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, assert_never

from protocol.comments import CommentAdded, CommentEdited
from protocol.log import Entry
from storage.projections.table import Column, Listed, Row, Table, listed

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

CommentFact = CommentAdded | CommentEdited


def fold(row: Row | None, event: CommentFact, entry: Entry) -> Row:
    """The row after the event. Raises KeyError for an edit before the comment."""
    match event:
        case CommentAdded():
            return {
                "projectId": entry.stream.partition("/")[2],
                "id": event.comment_id,
                "taskId": event.task_id,
                "authorId": entry.author,
                "body": event.body,
                "createdAt": entry.at,
                "updatedAt": entry.at,
                "edits": [],
                "seq": entry.seq,
            }
        case CommentEdited():
            if row is None:
                raise KeyError(event.comment_id)
            edit = {"body": event.was, "replacedAt": entry.at, "replacedBy": entry.author}
            return {
                **row,
                "body": event.body,
                "updatedAt": entry.at,
                "edits": [*row["edits"], edit],
                "seq": entry.seq,
            }
        case _:
            assert_never(event)


class CommentPlace(NamedTuple):
    """Where a page of an author's comments ended."""

    created_at: str
    project_id: str
    comment_id: str


class AuthoredComment(NamedTuple):
    """A comment with the project that it lies in."""

    project_id: str
    comment: Listed


async def list_of_author(
    database: Database, author_id: str, reader_id: str, after: CommentPlace | None, limit: int
) -> Sequence[AuthoredComment]:
    """An author's comments in the projects that the reader is a member of now, the newest first.

    Raises NotApplied.
    """
    query = f"""
        SELECT {TABLE.select("c")}
          FROM comments c JOIN members m ON m.project_id = c.project_id AND m.user_id = $2
                          JOIN projects p ON p.id = c.project_id AND p.deleted_at IS NULL
         WHERE c.author_id = $1
           AND ($3::text IS NULL OR (c.created_at, c.project_id, c.id) < ($3, $4::text, $5::text))
         ORDER BY c.created_at DESC, c.project_id DESC, c.id DESC LIMIT $6"""  # noqa: S608
    place = after or (None, None, None)
    rows = map(TABLE.row, await database.fetch(query, author_id, reader_id, *place, limit))
    return [AuthoredComment(row["projectId"], listed(row, without=("projectId",))) for row in rows]
