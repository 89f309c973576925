"""What an event does to the fields of a project's records, for `actors.field_changes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from actors.field_changes import Edited
from protocol.comments import CommentDeleted, CommentEdited, CommentRestored
from protocol.custom_fields import FieldDefined, FieldEdited, FieldValuesSet
from protocol.event import Event
from protocol.links import LinkAdded
from protocol.members import MemberRoleChanged
from protocol.milestones import MilestoneCreated, MilestoneEdited
from protocol.projects import ProjectEdited
from protocol.reactions import ReactionAdded, ReactionRemoved
from protocol.roles import RoleEdited
from protocol.tasks import TaskDeleted, TaskEdited, TaskRecurred, TaskRestored
from protocol.watchers import WatchersChanged


def _of_task(event: TaskEdited) -> Edited:
    return Edited(f"task/{event.task_id}", event.changes, event.was)


def _of_project(event: ProjectEdited) -> Edited:
    return Edited("project/", event.changes, event.was)


def _of_comment(event: CommentEdited) -> Edited:
    return Edited(f"comment/{event.comment_id}", {"body": event.body}, {"body": event.was})


def _of_role(event: RoleEdited) -> Edited:
    return Edited(f"role/{event.role_id}", event.changes, event.was)


def _of_member(event: MemberRoleChanged) -> Edited:
    return Edited(f"member/{event.user_id}", {"role": event.role}, {"role": event.was})


def _of_values(event: FieldValuesSet) -> Edited:
    """Each field of the project's own is one of the task's fields."""
    return Edited(
        f"task/{event.task_id}",
        {f"fields.{field_id}": value for field_id, value in event.values.items()},
        {f"fields.{field_id}": value for field_id, value in event.was.items()},
    )


def _of_recurrence(event: TaskRecurred) -> Edited:
    return Edited(f"task/{event.task_id}", {"recurrence": None}, {"recurrence": event.was})


def _of_milestone(event: MilestoneEdited) -> Edited:
    return Edited(f"milestone/{event.milestone_id}", event.changes, event.was)


def _of_field(event: FieldEdited) -> Edited:
    return Edited(f"field/{event.field_id}", event.changes, event.was)


READERS: Final[Mapping[type[Event], Callable[[Any], Edited]]] = {
    TaskEdited: _of_task,
    ProjectEdited: _of_project,
    CommentEdited: _of_comment,
    RoleEdited: _of_role,
    MemberRoleChanged: _of_member,
    FieldValuesSet: _of_values,
    TaskRecurred: _of_recurrence,
    MilestoneEdited: _of_milestone,
    FieldEdited: _of_field,
}
"""Events that set fields. A test names those with a `was` that are missing."""


def edited_by(event: Event) -> Edited | None:
    """The fields that the event sets; None for events of other kinds."""
    reader = READERS.get(type(event))
    return reader(event) if reader is not None else None


def wished_by(events: Iterable[Event]) -> Iterator[Edited]:
    """The fields that the sender set: with another state the server gives a rank, for which nobody asked.

    Nor does who completes a task say anything of its recurrence.
    """
    for event in events:
        edited = edited_by(event)
        if edited is None or isinstance(event, TaskRecurred):
            continue
        wished = {
            name: value for name, value in edited.changes.items() if name != "rank" or "stateId" not in edited.changes
        }
        yield edited._replace(changes=wished)


DELETION: Final = "deletedAt"
"""The field under which it is noted that a task or a comment was deleted or restored."""

REACTIONS: Final = "reactions"
"""The field under which it is noted that somebody reacted to a comment, or did no more."""

PRESENCE: Final = "present"
"""The field under which it is noted that a record was made that can be taken away whole."""


def member(field: str, item: str) -> str:
    """The name under which a set field's item is noted."""
    return f"{field}.{item}"


def noted_by(event: Event, author: str, at: str) -> Iterator[Edited]:
    """All that is kept in mind of an event, which is more than a base asks for: undo has to know it."""
    edited = edited_by(event)
    if edited is not None:
        yield edited
    names = _marks_of(event, author, at)
    if names is not None:
        yield Edited(names[0], dict.fromkeys(names[1]), {})


def _marks_of(event: Event, author: str, at: str) -> tuple[str, Sequence[str]] | None:
    """Record and names of what is no single-valued field."""
    match event:
        case TaskEdited():
            labels = (*event.labels_added, *event.labels_removed)
            people = (*event.assignees_added, *event.assignees_removed)
            if not labels and not people:
                return None
            names = [member("labels", label) for label in labels]
            return f"task/{event.task_id}", [*names, *(member("assigneeIds", person) for person in people)]
        case WatchersChanged():
            people = (*event.added, *event.removed)
            return f"task/{event.task_id}", [member("watcherIds", person) for person in people]
        case TaskDeleted() | TaskRestored():
            return f"task/{event.task_id}", [DELETION]
        case CommentDeleted() | CommentRestored():
            return f"comment/{event.comment_id}", [DELETION]
        case ReactionAdded() | ReactionRemoved():
            return f"comment/{event.comment_id}", [REACTIONS]
        case MilestoneCreated():
            return f"milestone/{event.milestone['id']}", [PRESENCE]
        case FieldDefined():
            return f"field/{event.field['id']}", [PRESENCE]
        case LinkAdded():
            # Who made it and when stands in the record itself, so only who brings it back is noted.
            is_new = (event.link["createdBy"], event.link["createdAt"]) == (author, at)
            return None if is_new else (f"link/{event.link['id']}", [PRESENCE])
        case _:
            return None
