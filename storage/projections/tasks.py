"""Tasks: their rows, and the tasks of a person across projects."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, NotRequired, assert_never

from typing_extensions import TypedDict

from protocol.log import Entry
from protocol.tasks import JudgedEdit, Recurrence, TaskChanges, TaskView
from storage.projections.across import BEGINNING, Across, InProject, PlaceAcross
from storage.projections.fact import Fact
from storage.projections.links import IS_BLOCKED
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
        Column("parentId"),
        Column("milestoneId"),
        Column("watcherIds", "jsonb"),
        Column("fields", "jsonb"),
        Column("recurrence", "jsonb"),
        Column("rank"),
        Column("createdBy"),
        Column("createdAt"),
        Column("updatedAt"),
        Column("closedAt"),
        Column("deletedAt"),
        Column("seq", "bigint"),
    ),
)


class Created(NamedTuple):
    """A task with its project, and whether its creator may look at that one now."""

    project_id: str
    listed: Listed
    is_visible: bool


class TaskCreatedData(TypedDict):
    """See `protocol.tasks.TaskCreated`."""

    task: TaskView


class TaskEditedData(TypedDict):
    """See `protocol.tasks.TaskEdited`."""

    taskId: str
    changes: TaskChanges
    was: TaskChanges
    labelsAdded: NotRequired[list[str]]
    labelsRemoved: NotRequired[list[str]]
    assigneesAdded: NotRequired[list[str]]
    assigneesRemoved: NotRequired[list[str]]
    closedAt: NotRequired[str | None]


class TaskNamedData(TypedDict):
    """See `protocol.tasks.TaskDeleted` and `TaskRestored`."""

    taskId: str


class TaskEditsJudgedData(TypedDict):
    """See `protocol.tasks.TaskEditsJudged`."""

    items: list[JudgedEdit]


JudgedFact = Fact[Literal["TaskEditsJudged"], TaskEditsJudgedData]
"""It writes no row."""


class TaskRecurredData(TypedDict):
    """See `protocol.tasks.TaskRecurred`."""

    taskId: str
    nextTaskId: str
    was: Recurrence


TaskFact = (
    Fact[Literal["TaskCreated"], TaskCreatedData]
    | Fact[Literal["TaskEdited"], TaskEditedData]
    | Fact[Literal["TaskDeleted"], TaskNamedData]
    | Fact[Literal["TaskRestored"], TaskNamedData]
    | Fact[Literal["TaskRecurred"], TaskRecurredData]
)
TaskFilter = Literal["open", "closed", "all"]
_STATES: Final[dict[TaskFilter, str]] = {
    "open": "r.closed_at IS NULL",
    "closed": "r.closed_at IS NOT NULL",
    "all": "true",
}
_BLOCKED: Final[dict[bool | None, str]] = {None: "true", True: IS_BLOCKED, False: f"NOT {IS_BLOCKED}"}
_LISTS: Final[dict[tuple[TaskFilter, bool | None], Across]] = {
    (which, blocked): Across(
        TABLE, "updated_at", f"r.assignee_ids ? $1 AND r.deleted_at IS NULL AND {state} AND {condition}"
    )
    for which, state in _STATES.items()
    for blocked, condition in _BLOCKED.items()
}


def fold(row: Row | None, fact: TaskFact, entry: Entry) -> Row:
    """The row after the event. Raises KeyError for an event before the creation."""
    if fact["kind"] == "TaskCreated":
        return {"projectId": entry.stream.partition("/")[2], **fact["data"]["task"], "seq": entry.seq}
    if row is None:
        raise KeyError(fact["data"]["taskId"])
    match fact["kind"]:
        case "TaskEdited":
            return _edited(row, fact["data"], entry)
        case "TaskDeleted":
            return {**row, "deletedAt": entry.at, "updatedAt": entry.at, "seq": entry.seq}
        case "TaskRestored":
            return {**row, "deletedAt": None, "updatedAt": entry.at, "seq": entry.seq}
        case "TaskRecurred":
            return {**row, "recurrence": None, "seq": entry.seq}
        case _:
            assert_never(fact)


def _edited(row: Row, edit: TaskEditedData, entry: Entry) -> Row:
    return {
        **row,
        **edit["changes"],
        "labels": _merged(row["labels"], edit.get("labelsRemoved", ()), edit.get("labelsAdded", ())),
        "assigneeIds": _merged(row["assigneeIds"], edit.get("assigneesRemoved", ()), edit.get("assigneesAdded", ())),
        "updatedAt": entry.at,
        "closedAt": edit.get("closedAt", row["closedAt"]),
        "seq": entry.seq,
    }


def _merged(values: list[str], removed: Collection[str], added: Collection[str]) -> list[str]:
    if not removed and not added:
        return values
    return [*(value for value in values if value not in removed), *added]


async def list_of_assignee(
    database: Database,
    user_id: str,
    which: TaskFilter,
    after: PlaceAcross | None,
    limit: int,
    blocked: bool | None = None,
    bytes_max: int | None = None,
) -> Sequence[InProject]:
    """The tasks assigned to a person, the last changed first, in projects that they are a member of now.

    Deleted tasks are left out. `blocked`: only those that an open task blocks, or only the others. It ends with
    the task with which the descriptions come to `bytes_max`. Raises NotApplied.
    """
    return await _LISTS[which, blocked].page_until(database, user_id, after, limit, bytes_max)


async def list_of_creator(database: Database, user_id: str, after: PlaceAcross | None, limit: int) -> Sequence[Created]:
    """The tasks that a person created, the oldest first, wherever they are; deleted ones too. Raises NotApplied."""
    query = f"""
        SELECT CASE WHEN p.deleted_at IS NULL THEN m.user_id IS NOT NULL OR p.visibility = 'public'
                    ELSE coalesce(m.role = 'owner', false) END AS is_visible, {TABLE.select("r")}
          FROM tasks r JOIN projects p ON p.id = r.project_id
                       LEFT JOIN members m ON m.project_id = r.project_id AND m.user_id = $1
         WHERE r.created_by = $1 AND (r.created_at, r.project_id, r.id) > ($2, $3, $4)
         ORDER BY r.created_at, r.project_id, r.id LIMIT $5"""  # noqa: S608
    created = []
    for record in await database.fetch(query, user_id, *(after or BEGINNING), limit):
        row = TABLE.row(record, after=1)
        created.append(Created(row["projectId"], listed(row, without=("projectId",)), record["is_visible"]))
    return created
