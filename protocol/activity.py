"""Activity: what happened, as readers are shown it, and which objects an event is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Instant, Integer, PersonId, Uuid
from protocol.wire import WireEvent

NOT_TOLD: Final = frozenset({"TaskEditsJudged", "TasksReranked"})
"""Kinds of events that are no news: what was answered to a sender, and how the server keeps order."""

SAY_WHY: Final = frozenset({"CommandUndone", "CommandRedone", "TaskRestoredTo", "ProjectRestoredTo"})
"""Kinds of events that are told with the others of their entry, whatever these are about, and never alone."""

EDITS: Final[Mapping[str, str | None]] = {
    "CommentEdited": "commentId",
    "FieldEdited": "fieldId",
    "FieldValuesSet": "taskId",
    "MilestoneEdited": "milestoneId",
    "ProjectEdited": None,
    "RoleEdited": "roleId",
    "TaskEdited": "taskId",
    "WatchersChanged": "taskId",
}
"""Kinds of events that an edit of one object makes, alone or several at once, and the id by which each names it.

None: the project itself, which needs no id.
"""

_IDS: Final = frozenset(
    {
        "commentId",
        "fieldId",
        "invitationId",
        "linkId",
        "milestoneId",
        "nextTaskId",
        "otherId",
        "parentId",
        "replyTo",
        "roleId",
        "taskId",
        "threadId",
        "userId",
    }
)
_RECORDS: Final = frozenset({"field", "invitation", "link", "milestone", "role", "task"})
"""Records that an event carries whole, under the id of their own."""


@with_config(VIEW_CONFIG)
class ActivityItem(TypedDict):
    """One entry, or a run of edits of one object by one author: `entries` of them, from `firstSeq` to `seq`.

    The values of a task's fields and its watchers count as the task's.
    `at` is when the newest happened, `beganAt` the oldest. Events and opIds stand in the order of the log; an opId is
    what `UndoCommand` takes. Where a command was undone or redone, the first event says so.
    """

    seq: Integer
    firstSeq: Integer
    author: PersonId
    at: Instant
    beganAt: Instant
    entries: Integer
    opIds: list[Uuid]
    events: list[WireEvent]


@with_config(VIEW_CONFIG)
class PersonActivityItem(ActivityItem):
    """The same of a person, with the project that it happened in."""

    projectId: Uuid


def named_objects(data: Mapping[str, Any]) -> Iterator[str]:
    """The ids of what the data of an event are about: the objects themselves and those that they belong to.

    People stand there only as members and invited ones, not as authors, assignees or watchers.
    """
    for name, value in data.items():
        if isinstance(value, str):
            if name in _IDS:
                yield value
        elif isinstance(value, dict):
            if name in _RECORDS:
                yield value["id"]
            yield from named_objects(value)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    yield from named_objects(item)
