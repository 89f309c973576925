"""A project's state, folded on the client: equal to the server's snapshot after the same entries.

The fold is this library's own, written against the published schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pantherahive_client.models import (
    CommentView,
    FieldView,
    InvitationView,
    LinkView,
    MemberView,
    MilestoneView,
    ProjectCounters,
    ProjectView,
    Reaction,
    RoleView,
    TaskView,
    WireEntry,
)
from pantherahive_client.replica_planning import PLANNING, merged


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
    # Role id → role of the project's own, in the order of their definition.
    roles: dict[str, RoleView] = field(default_factory=dict)
    # Milestone id → milestone, in the order of the log.
    milestones: dict[str, MilestoneView] = field(default_factory=dict)
    # Field id → field of the project's own, in the order of the log.
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
        state.roles.update((role["id"], role) for role in part.get("roles", ()))
        state.milestones.update((milestone["id"], milestone) for milestone in part.get("milestones", ()))
        state.fields.update((one["id"], one) for one in part.get("fields", ()))
        state.tasks.update((task["id"], task) for task in part.get("tasks", ()))
        state.links.update((link["id"], link) for link in part.get("links", ()))
        state.comments.update((comment["id"], comment) for comment in part.get("comments", ()))
    return state


def evolve(state: ProjectState, entry: WireEntry) -> None:
    """Takes the events of one entry into the state, in place. Kinds that a newer server added change nothing here.

    Raises KeyError where an event speaks of something that is not there.
    """
    for event in entry["events"]:
        _evolve_one(state, event["kind"], event["data"], entry)


def _evolve_one(state: ProjectState, kind: str, data: Mapping[str, Any], entry: WireEntry) -> None:
    match kind:
        case "ProjectCreated":
            state.project = data["project"]
        case "ProjectEdited":
            _set_project(state, entry, data["changes"])
            _note_content(state, entry)
        case "ProjectDeleted":
            _set_project(state, entry, {"deletedAt": entry["at"]})
        case "ProjectRestored":
            _set_project(state, entry, {"deletedAt": None})
        case "MemberAdded":
            user_id = data["userId"]
            state.members[user_id] = {"userId": user_id, "role": data["role"], "addedAt": entry["at"]}
        case "MemberRoleChanged":
            state.members[data["userId"]] = {**state.members[data["userId"]], "role": data["role"]}
        case "MemberRemoved":
            del state.members[data["userId"]]
        case "MemberInvited":
            state.invitations[data["invitation"]["id"]] = data["invitation"]
        case "InvitationAccepted" | "InvitationDeclined" | "InvitationRevoked" | "InvitationExpired":
            del state.invitations[data["invitationId"]]
        case "RoleDefined":
            state.roles[data["role"]["id"]] = data["role"]
        case "RoleEdited":
            _edit_role(state, entry, data)
        case "RoleRemoved":
            del state.roles[data["roleId"]]
        case "TaskCreated":
            _add_task(state, entry, data["task"])
        case "TaskEdited":
            _edit_task(state, entry, data)
        case "TasksReranked":
            for task_id, rank in data["ranks"].items():
                state.tasks[task_id] = {**state.tasks[task_id], "rank": rank}
            _note_content(state, entry)
        case "TaskDeleted":
            _set_deleted(state, entry, data["taskId"], entry["at"])
        case "TaskRestored":
            _set_deleted(state, entry, data["taskId"], None)
        case "LinkAdded":
            state.links[data["link"]["id"]] = data["link"]
            _note_content(state, entry)
        case "LinkRemoved":
            del state.links[data["linkId"]]
            _note_content(state, entry)
        case _:
            _evolve_comment(state, kind, data, entry)


def _evolve_comment(state: ProjectState, kind: str, data: Mapping[str, Any], entry: WireEntry) -> None:
    match kind:
        case "CommentAdded":
            _add_comment(state, entry, data)
        case "CommentEdited":
            _edit_comment(state, entry, data)
        case "CommentDeleted":
            empty = {"body": "", "mentions": [], "reactions": [], "edits": []}
            gone = {"deletedAt": entry["at"], "deletedBy": entry["author"], "updatedAt": entry["at"]}
            _set_comment(state, entry, data, {**empty, **gone})
        case "CommentRestored":
            held = {name: data[name] for name in ("body", "mentions", "reactions", "edits")}
            back = {"deletedAt": None, "deletedBy": None, "updatedAt": entry["at"]}
            _set_comment(state, entry, data, {**held, **back})
        case "ReactionAdded" | "ReactionRemoved":
            _set_comment(state, entry, data, {"reactions": _reactions(state, kind, data, entry)})
        case _:
            fold = PLANNING.get(kind)
            if fold is None:
                return
            fold(state, data, entry)
            if kind != "WatchersChanged":
                _note_content(state, entry)


def _set_project(state: ProjectState, entry: WireEntry, changes: Mapping[str, Any]) -> None:
    """`updatedAt` never falls: imported edits may be older than the project's creation."""
    if state.project is None:
        raise KeyError("project")
    updated_at = max(state.project["updatedAt"], entry["at"])
    state.project = cast(ProjectView, {**state.project, **changes, "updatedAt": updated_at})


def _note_content(state: ProjectState, entry: WireEntry) -> None:
    imported = entry["author"] == "unknown" or entry["author"].startswith("external:")
    state.counters = {
        **state.counters,
        "contentAt": max(state.counters["contentAt"], entry["at"]),
        "live": state.counters["live"] or not imported,
    }


def _edit_role(state: ProjectState, entry: WireEntry, data: Mapping[str, Any]) -> None:
    edited = {**state.roles[data["roleId"]], **data["changes"], "updatedAt": entry["at"]}
    state.roles[data["roleId"]] = cast(RoleView, edited)


def _add_task(state: ProjectState, entry: WireEntry, task: TaskView) -> None:
    state.tasks[task["id"]] = task
    state.counters = {**state.counters, "nextTaskNumber": task["number"] + 1}
    _note_content(state, entry)


def _edit_task(state: ProjectState, entry: WireEntry, data: Mapping[str, Any]) -> None:
    task = state.tasks[data["taskId"]]
    edited = {
        **task,
        **data["changes"],
        "labels": merged(task["labels"], data.get("labelsAdded", ()), data.get("labelsRemoved", ())),
        "assigneeIds": merged(task["assigneeIds"], data.get("assigneesAdded", ()), data.get("assigneesRemoved", ())),
        "updatedAt": entry["at"],
    }
    if "closedAt" in data:
        edited["closedAt"] = data["closedAt"]
    state.tasks[task["id"]] = cast(TaskView, edited)
    _note_content(state, entry)


def _set_deleted(state: ProjectState, entry: WireEntry, task_id: str, deleted_at: str | None) -> None:
    state.tasks[task_id] = {**state.tasks[task_id], "deletedAt": deleted_at, "updatedAt": entry["at"]}
    _note_content(state, entry)


def _add_comment(state: ProjectState, entry: WireEntry, data: Mapping[str, Any]) -> None:
    state.comments[data["commentId"]] = {
        "id": data["commentId"],
        "taskId": data["taskId"],
        "threadId": data["threadId"],
        "replyTo": data["replyTo"],
        "authorId": entry["author"],
        "body": data["body"],
        "mentions": data["mentions"],
        "reactions": [],
        "createdAt": entry["at"],
        "updatedAt": entry["at"],
        "edits": [],
        "deletedAt": None,
        "deletedBy": None,
    }
    _note_content(state, entry)


def _edit_comment(state: ProjectState, entry: WireEntry, data: Mapping[str, Any]) -> None:
    comment = state.comments[data["commentId"]]
    state.comments[data["commentId"]] = {
        **comment,
        "body": data["body"],
        "mentions": data["mentions"],
        "updatedAt": entry["at"],
        "edits": [
            *comment["edits"],
            {"body": data["was"], "replacedAt": entry["at"], "replacedBy": entry["author"]},
        ],
    }
    _note_content(state, entry)


def _set_comment(state: ProjectState, entry: WireEntry, data: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    comment = state.comments[data["commentId"]]
    state.comments[comment["id"]] = cast(CommentView, {**comment, **changes})
    _note_content(state, entry)


def _reactions(state: ProjectState, kind: str, data: Mapping[str, Any], entry: WireEntry) -> list[Reaction]:
    """Emoji in the order in which they came, each with its people in theirs."""
    people = {one["emoji"]: list(one["userIds"]) for one in state.comments[data["commentId"]]["reactions"]}
    if kind == "ReactionAdded":
        people.setdefault(data["emoji"], []).append(entry["author"])
    else:
        people[data["emoji"]].remove(entry["author"])
    return [{"emoji": emoji, "userIds": user_ids} for emoji, user_ids in people.items() if user_ids]
