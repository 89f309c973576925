"""A project's state as a client holds it: equal to the server's snapshot at the same point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypedDict, TypeVar

from pantherahive_client.models import (
    CommentView,
    FieldView,
    InvitationView,
    LinkView,
    MemberView,
    MilestoneView,
    ProjectCounters,
    ProjectView,
    RoleView,
    TaskView,
)

Made = TypeVar("Made", MilestoneView, FieldView, RoleView)


class Dated(TypedDict):
    """What a fold has to know of an entry beside its events."""

    author: str
    at: str


def _no_counters() -> ProjectCounters:
    return {"nextTaskNumber": 1, "contentAt": "", "live": False}


@dataclass(slots=True)
class ProjectState:
    """One project. Records are replaced, never changed in place: a record that was read stays as it was."""

    # The project's own fields; None before its first entry.
    project: ProjectView | None = None
    # User id → membership, in the order of joining.
    members: dict[str, MemberView] = field(default_factory=dict)
    # Invitation id → invitation without an answer, in the order of the log.
    invitations: dict[str, InvitationView] = field(default_factory=dict)
    # Role id → role of the project's own, the oldest first.
    roles: dict[str, RoleView] = field(default_factory=dict)
    # Milestone id → milestone, the oldest first.
    milestones: dict[str, MilestoneView] = field(default_factory=dict)
    # Field id → field of the project's own, the oldest first.
    fields: dict[str, FieldView] = field(default_factory=dict)
    # Task id → task, in the order of their numbers; deleted ones too.
    tasks: dict[str, TaskView] = field(default_factory=dict)
    # Link id → link, in the order of the log; those of deleted tasks too.
    links: dict[str, LinkView] = field(default_factory=dict)
    # Comment id → comment, in the order of the log.
    comments: dict[str, CommentView] = field(default_factory=dict)
    # What the server counts beside its records.
    counters: ProjectCounters = field(default_factory=_no_counters)

    def tasks_of(self, state_id: str) -> list[TaskView]:
        """The tasks of one state in the order of their ranks, as a board shows them."""
        tasks = [task for task in self.tasks.values() if task["stateId"] == state_id and task["deletedAt"] is None]
        return sorted(tasks, key=lambda task: (task["rank"], task["id"]))

    def living_tasks(self) -> list[TaskView]:
        """The tasks that are not deleted, in the order of their numbers."""
        return [task for task in self.tasks.values() if task["deletedAt"] is None]

    def copied(self) -> ProjectState:
        """Another state with the same records."""
        return ProjectState(
            self.project,
            dict(self.members),
            dict(self.invitations),
            dict(self.roles),
            dict(self.milestones),
            dict(self.fields),
            dict(self.tasks),
            dict(self.links),
            dict(self.comments),
            self.counters,
        )

    def forget(self) -> None:
        """Nothing of the project is left."""
        empty = ProjectState()
        for one in fields(ProjectState):
            setattr(self, one.name, getattr(empty, one.name))

    def as_json(self) -> dict[str, Any]:
        """The state as one snapshot part, to be kept beside a cursor; `from_parts` makes an equal one of it."""
        return {
            "project": self.project,
            "counters": self.counters,
            "members": list(self.members.values()),
            "invitations": list(self.invitations.values()),
            "roles": list(self.roles.values()),
            "milestones": list(self.milestones.values()),
            "fields": list(self.fields.values()),
            "tasks": list(self.tasks.values()),
            "links": list(self.links.values()),
            "comments": list(self.comments.values()),
        }


def put_in_order(records: dict[str, Made], record: Made) -> None:
    """Takes in a record at its place: by when it was made, those of one millisecond by id, as the server lists them.

    New ones come last; one that comes back, by an undo for instance, stands where it stood.
    """
    last = next(reversed(records.values()), None)
    records[record["id"]] = record
    if last is not None and _place_of(record) < _place_of(last):
        ordered = sorted(records.values(), key=_place_of)
        records.clear()
        records.update((one["id"], one) for one in ordered)


def _place_of(record: MilestoneView | FieldView | RoleView) -> tuple[str, str]:
    return record["createdAt"], record["id"]


def from_parts(parts: Iterable[Mapping[str, Any]]) -> ProjectState:
    """The state from all parts of a snapshot. Names that a newer server added are left out."""
    state = ProjectState()
    for part in parts:
        if "project" in part:
            state.project = part["project"]
        if "counters" in part:
            state.counters = part["counters"]
        state.members.update((member["userId"], member) for member in part.get("members", ()))
        state.invitations.update((one["id"], one) for one in part.get("invitations", ()))
        for role in part.get("roles", ()):
            put_in_order(state.roles, role)
        for milestone in part.get("milestones", ()):
            put_in_order(state.milestones, milestone)
        for own_field in part.get("fields", ()):
            put_in_order(state.fields, own_field)
        state.tasks.update((task["id"], task) for task in part.get("tasks", ()))
        state.links.update((link["id"], link) for link in part.get("links", ()))
        state.comments.update((comment["id"], comment) for comment in part.get("comments", ()))
    return state
