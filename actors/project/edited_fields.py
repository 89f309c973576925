"""What an event does to the single-valued fields of a project's records, for `actors.field_changes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from actors.field_changes import Edited
from protocol.comments import CommentEdited
from protocol.event import Event
from protocol.members import MemberRoleChanged
from protocol.projects import ProjectEdited
from protocol.roles import RoleEdited
from protocol.tasks import TaskEdited


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


READERS: Final[Mapping[type[Event], Callable[[Any], Edited]]] = {
    TaskEdited: _of_task,
    ProjectEdited: _of_project,
    CommentEdited: _of_comment,
    RoleEdited: _of_role,
    MemberRoleChanged: _of_member,
}
"""Events that set fields. A test names those with a `was` that are missing."""


def edited_by(event: Event) -> Edited | None:
    """The fields that the event sets; None for events of other kinds."""
    reader = READERS.get(type(event))
    return reader(event) if reader is not None else None


def wished_by(events: Iterable[Event]) -> Iterator[Edited]:
    """The fields that the sender set: with another state the server gives a rank, for which nobody asked."""
    for event in events:
        edited = edited_by(event)
        if edited is None:
            continue
        wished = {
            name: value for name, value in edited.changes.items() if name != "rank" or "stateId" not in edited.changes
        }
        yield edited._replace(changes=wished)
