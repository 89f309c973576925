"""Tasks: their messages and their record of state."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import AfterValidator, FailFast, Field, StringConstraints, with_config
from typing_extensions import TypedDict

from protocol.base import (
    INTEGER_MAX,
    VIEW_CONFIG,
    AssigneeIds,
    AtMost,
    Day,
    Instant,
    Integer,
    Labels,
    Markdown,
    PersonId,
    Title,
    Unique,
    Uuid,
    _printable,
    absent,
)
from protocol.errors import ErrorCode
from protocol.event import Command, Event
from protocol.projects import StateId
from protocol.ranks import Rank, rank_of_number

Priority = Literal["urgent", "high", "medium", "low", "none"]
Estimate = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False, strict=True)]
"""Effort in the team's own unit (points, hours)."""
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
"""Where an imported task comes from, such as `github:owner/repo#12`. One task per project may have it."""


RecurrenceUnit = Literal["day", "week", "month", "year"]
WatcherIds = Annotated[list[Uuid], Field(max_length=1000)]
WatcherWishes = Annotated[list[Uuid], Field(max_length=100), Unique()]
FieldText = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_printable)]
FieldNumber = Annotated[float, Field(ge=-INTEGER_MAX, le=INTEGER_MAX, allow_inf_nan=False, strict=True)]
FieldValue = FieldText | FieldNumber
FieldValues = Annotated[dict[Uuid, FieldValue], Field(max_length=50)]
ValueChanges = Annotated[dict[Uuid, FieldValue | None], Field(max_length=50)]
"""Values by the ids of the project's own fields; `null` is no value."""


def _plain_zero(number: float) -> float:
    """0 for -0, which JSON can say and the columns of the read tables cannot: the log is never told of it.

    In commands alone, so that a log that holds it from of old is replayed as it is.
    """
    return number + 0.0


WishedEstimate = Annotated[Estimate, AfterValidator(_plain_zero)]
WishedValue = FieldText | Annotated[FieldNumber, AfterValidator(_plain_zero)]
FieldWishes = Annotated[dict[Uuid, WishedValue | None], AtMost(50)]
"""Values by the ids of the project's own fields; `null` takes the value away."""
DayOfMonth = Annotated[int, Field(ge=1, le=31, strict=True)]


@with_config(VIEW_CONFIG)
class Recurrence(TypedDict):
    """How often a task comes again after it was completed.

    `startDay` and `dueDay` are the days of the month that its dates go back to after a month that was too short;
    they go with their date.
    """

    every: Annotated[int, Field(ge=1, le=366, strict=True)]
    unit: RecurrenceUnit
    startDay: NotRequired[DayOfMonth]
    dueDay: NotRequired[DayOfMonth]


@with_config(VIEW_CONFIG)
class TaskView(TypedDict):
    """A task. `closedAt` is when it last entered a completed or cancelled state, null while it is open.

    `rank` orders the tasks of one state as text, byte by byte. `fields` holds the values of the project's own fields by
    their ids. `deletedAt` marks a tombstone.
    """

    id: Uuid
    key: str
    number: Integer
    title: Title
    description: Markdown
    stateId: StateId
    priority: Priority
    labels: Labels
    assigneeIds: AssigneeIds
    startDate: Day | None
    dueDate: Day | None
    estimate: Estimate | None
    externalId: ExternalId | None
    parentId: Uuid | None
    milestoneId: Uuid | None
    watcherIds: WatcherIds
    fields: FieldValues
    recurrence: Recurrence | None
    rank: Rank
    createdBy: PersonId
    createdAt: Instant
    updatedAt: Instant
    closedAt: Instant | None
    deletedAt: Instant | None


@with_config(VIEW_CONFIG)
class OwnTask(TaskView):
    """A task with the project that it lies in, for lists across projects."""

    projectId: Uuid


@with_config(VIEW_CONFIG)
class TaskChanges(TypedDict, total=False):
    """The single-valued fields of a task that an edit can set. Labels and assignees merge as sets instead.

    `rank` comes from the server: with every other state, and when the task was moved.
    """

    title: Title
    description: Markdown
    stateId: StateId
    priority: Priority
    startDate: Day | None
    dueDate: Day | None
    estimate: Estimate | None
    rank: Rank
    parentId: Uuid | None
    milestoneId: Uuid | None
    recurrence: Recurrence | None


class CreateTask(Command):
    """Adds a task. Without `stateId` it starts in the project's first state; the id may come from the client.

    `externalId` must be free in the project: `already_exists` names the task that has it (`taskId`). `dueDate` must
    not lie before `startDate`, unless the command carries an origin: history is taken as it was. `parentId` makes it a
    subtask of a task that is not deleted.
    """

    makes = "task_id"

    task_id: Uuid = absent()
    title: Title
    description: Markdown = ""
    state_id: StateId = absent()
    priority: Priority = "none"
    labels: Labels = Field(default_factory=list)
    assignee_ids: AssigneeIds = Field(default_factory=list)
    start_date: Day | None = None
    due_date: Day | None = None
    estimate: WishedEstimate | None = None
    external_id: ExternalId | None = None
    parent_id: Uuid | None = None
    milestone_id: Uuid | None = None
    fields: FieldWishes = Field(default_factory=dict)
    recurrence: Recurrence | None = None


EDITS_PER_COMMAND_MAX: Final = 200
"""Items of one `EditTasks`."""

EDITED_MEMBERS_MAX: Final = 2000
"""Labels, people and values of fields in all items of one `EditTasks`: each is decided, noted and told by itself."""


class EditTask(Command):
    """Sets the fields that are present; labels and assignees are added and removed one by one.

    In another state the task stands behind all others. An edit that moves a day is refused when
    `dueDate` would then lie before `startDate`. `parentId` is refused when it would close a cycle of blocking,
    preceding and subtasks: the reason `cycle` comes with the tasks on it.
    To complete a task that has a `recurrence` creates the next one in the same entry, and the
    recurrence moves to it.
    """

    task_id: Uuid
    title: Title = absent()
    description: Markdown = absent()
    state_id: StateId = absent()
    priority: Priority = absent()
    start_date: Day | None = absent()
    due_date: Day | None = absent()
    estimate: WishedEstimate | None = absent()
    parent_id: Uuid | None = absent()
    milestone_id: Uuid | None = absent()
    fields: FieldWishes = Field(default_factory=dict)
    recurrence: Recurrence | None = absent()
    add_labels: Labels = Field(default_factory=list)
    remove_labels: Labels = Field(default_factory=list)
    add_assignees: AssigneeIds = Field(default_factory=list)
    remove_assignees: AssigneeIds = Field(default_factory=list)
    add_watchers: WatcherWishes = Field(default_factory=list)
    remove_watchers: WatcherWishes = Field(default_factory=list)


class DeleteTask(Command):
    """Leaves a tombstone. Its key, its external id and its place stay taken; its links and comments are hidden.

    Subtasks stay, and keep their parent: boards show them at the top level until it is restored.
    """

    task_id: Uuid


class RestoreTask(Command):
    """Brings a deleted task back, with links, comments and place; into another state, where its own is gone.

    Its recurrence stays with another task of the series where that one has it by now.
    """

    task_id: Uuid


def _distinct_tasks(edits: list[EditTask]) -> list[EditTask]:
    if len({edit.task_id for edit in edits}) != len(edits):
        raise ValueError("the same task stands there twice")
    return edits


def _few_members(edits: list[EditTask]) -> list[EditTask]:
    members = 0
    for edit in edits:
        members += len(edit.fields) + len(edit.add_labels) + len(edit.remove_labels)
        members += len(edit.add_assignees) + len(edit.remove_assignees)
        members += len(edit.add_watchers) + len(edit.remove_watchers)
    if members > EDITED_MEMBERS_MAX:
        raise ValueError(f"at most {EDITED_MEMBERS_MAX} labels, people and values of fields fit into one command")
    return edits


class EditTasks(Command):
    """Edits many tasks, each as `EditTask` would, in one entry.

    The ack has a result per item in their order: `items: [{taskId, ok: true} | {taskId, error}]`. A refused item stops
    no other. A `base` is judged for each by itself. One that cannot be read refuses the command, which says what is
    wrong with the first of them. All items together have at most 2,000 labels, people and values of fields.
    """

    edits: Annotated[
        list[EditTask],
        Field(min_length=1, max_length=EDITS_PER_COMMAND_MAX),
        FailFast(),
        AfterValidator(_distinct_tasks),
        AfterValidator(_few_members),
    ]


@with_config(VIEW_CONFIG)
class EditRefusal(TypedDict):
    """Why one of several edits was refused, as the ack of a single one would say it."""

    code: ErrorCode
    message: str
    retryable: bool
    details: dict[str, Any]


@with_config(VIEW_CONFIG)
class JudgedEdit(TypedDict):
    """What became of one of several edits; without `error` it is as wished."""

    taskId: Uuid
    error: NotRequired[EditRefusal]


class TaskEditsJudged(Event):
    """What became of each edit of an `EditTasks`, so that a retry gets the same answer.

    The accepted ones have their own events in the same entry.
    """

    items: Annotated[list[JudgedEdit], Field(min_length=1, max_length=EDITS_PER_COMMAND_MAX)]


class TaskCreated(Event):
    """The whole task as it was created. Version 1 knew no parents, milestones, watchers, fields or ranks."""

    version = 2
    task: TaskView


def task_created_2(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 to 2: what the task could not have then, it has not; its rank is that of its number."""
    task = data["task"]
    added: dict[str, Any] = {
        "parentId": None,
        "milestoneId": None,
        "watcherIds": [],
        "fields": {},
        "recurrence": None,
        "rank": rank_of_number(task["number"]),
        "deletedAt": None,
    }
    return {"task": {**task, **added}}


class TaskEdited(Event):
    """Only what really changed. `was` holds the previous values of the fields in `changes`.

    `closedAt` is the value after the edit, given whenever the edit moved the task into or out of a closed state.
    Version 1 knew no parents, milestones, recurrence or ranks in `changes`: a task kept its own rank in every state.
    """

    version = 2
    task_id: Uuid
    changes: TaskChanges
    was: TaskChanges
    labels_added: Labels = Field(default_factory=list)
    labels_removed: Labels = Field(default_factory=list)
    assignees_added: AssigneeIds = Field(default_factory=list)
    assignees_removed: AssigneeIds = Field(default_factory=list)
    closed_at: Instant | None = absent()


def task_edited_2(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 to 2: the rank of its number is one that no other task has, so it stays."""
    return data


class TaskDeleted(Event):
    """The task is a tombstone since the entry's time."""

    task_id: Uuid


class TaskRestored(Event):
    """The task is back. Where the state that it had is gone, or closes tasks otherwise, a `TaskEdited` follows."""

    task_id: Uuid


class TaskRecurred(Event):
    """The task was completed and comes again as `nextTaskId`, which takes the recurrence over. `was` is the rule.

    The next task is created by an event of the same entry.
    """

    task_id: Uuid
    next_task_id: Uuid
    was: Recurrence
