"""Tasks: their rows, and the tasks of a person across projects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, assert_never

from protocol.log import Entry
from protocol.tasks import TaskCreated, TaskEdited
from storage.projections.table import Column, Listed, Row, Table, listed

if TYPE_CHECKING:
    from storage.postgres.pool import Database

TABLE = Table(
    "tasks",
    ("projectId", "id"),
    (
        Column("projectId"),
        Column("id"),
        Column("key"),
        Column("number", "bigint"),
        Column("title"),
        Column("description"),
        Column("stateId"),
        Column("priority"),
        Column("labels", "jsonb"),
        Column("assigneeIds", "jsonb"),
        Column("startDate"),
        Column("dueDate"),
        Column("estimate", "double precision"),
        Column("externalId"),
        Column("createdBy"),
        Column("createdAt"),
        Column("updatedAt"),
        Column("closedAt"),
        Column("seq", "bigint"),
    ),
)

TaskFact = TaskCreated | TaskEdited
TaskFilter = Literal["open", "closed", "all"]
_CONDITIONS: Final[dict[TaskFilter, str]] = {
    "open": "t.closed_at IS NULL",
    "closed": "t.closed_at IS NOT NULL",
    "all": "true",
}


def fold(row: Row | None, event: TaskFact, entry: Entry) -> Row:
    """The row after the event. Raises KeyError for an edit before the creation."""
    match event:
        case TaskCreated():
            return {"projectId": entry.stream.partition("/")[2], **event.task, "seq": entry.seq}
        case TaskEdited():
            if row is None:
                raise KeyError(event.task_id)
            return _edited(row, event, entry)
        case _:
            assert_never(event)


def _edited(row: Row, event: TaskEdited, entry: Entry) -> Row:
    labels, assignees = row["labels"], row["assigneeIds"]
    return {
        **row,
        **event.changes,
        "labels": [one for one in labels if one not in event.labels_removed] + event.labels_added,
        "assigneeIds": [one for one in assignees if one not in event.assignees_removed] + event.assignees_added,
        "updatedAt": entry.at,
        "closedAt": event.closed_at if "closed_at" in event.model_fields_set else row["closedAt"],
        "seq": entry.seq,
    }


class TaskPlace(NamedTuple):
    """Where a page of a person's tasks ended."""

    updated_at: str
    project_id: str
    task_id: str


class OwnTask(NamedTuple):
    """A task with the project that it lies in."""

    project_id: str
    task: Listed


async def list_of_assignee(
    database: Database, user_id: str, which: TaskFilter, after: TaskPlace | None, limit: int
) -> Sequence[OwnTask]:
    """The tasks assigned to a person, the last changed first, in projects that they are a member of now.

    Raises NotApplied.
    """
    query = f"""
        SELECT {TABLE.select("t")}
          FROM tasks t JOIN members m ON m.project_id = t.project_id AND m.user_id = $1
                       JOIN projects p ON p.id = t.project_id AND p.deleted_at IS NULL
         WHERE t.assignee_ids ? $1 AND {_CONDITIONS[which]}
           AND ($2::text IS NULL OR (t.updated_at, t.project_id, t.id) < ($2, $3::text, $4::text))
         ORDER BY t.updated_at DESC, t.project_id DESC, t.id DESC LIMIT $5"""  # noqa: S608
    place = after or (None, None, None)
    rows = map(TABLE.row, await database.fetch(query, user_id, *place, limit))
    return [OwnTask(row["projectId"], listed(row, without=("projectId",))) for row in rows]
