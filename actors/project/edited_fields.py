"""What an event does to the single-valued fields of a project's records, for `actors.field_changes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from actors.field_changes import Edited
from protocol.comments import CommentEdited
from protocol.custom_fields import FieldEdited, FieldValuesSet
from protocol.event import Event
from protocol.members import MemberRoleChanged
from protocol.milestones import MilestoneEdited
from protocol.projects import ProjectEdited
from protocol.roles import RoleEdited
from protocol.tasks import TaskEdited, TaskRecurred


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
