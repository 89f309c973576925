"""The fold: what each event does to a project's state. It is this library's own, made from the published schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from pantherahive_client.fold_planning import PLANNING, merged
from pantherahive_client.models import CommentView, ProjectView, Reaction, RoleView, TaskView, WireEntry, WireEvent
from pantherahive_client.project_state import Dated, ProjectState, put_in_order


def evolve(state: ProjectState, entry: WireEntry) -> None:
    """Takes the events of one entry into the state, in place. Kinds that a newer server added change nothing here.

    Raises KeyError where an event speaks of something that is not there.
    """
    evolve_events(state, entry["events"], entry)


def evolve_events(state: ProjectState, events: Iterable[WireEvent], entry: Dated) -> None:
    """The same for events that are in no entry yet."""
    for event in events:
        _evolve_one(state, event["kind"], event["data"], entry)


def _evolve_one(state: ProjectState, kind: str, data: Mapping[str, Any], entry: Dated) -> None:
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
        case "ProjectPurged":
            state.forget()
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
            put_in_order(state.roles, data["role"])
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


def _evolve_comment(state: ProjectState, kind: str, data: Mapping[str, Any], entry: Dated) -> None:
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


def _set_project(state: ProjectState, entry: Dated, changes: Mapping[str, Any]) -> None:
    """`updatedAt` never falls: imported edits may be older than the project's creation."""
    if state.project is None:
        raise KeyError("project")
    updated_at = max(state.project["updatedAt"], entry["at"])
    state.project = cast(ProjectView, {**state.project, **changes, "updatedAt": updated_at})


def _note_content(state: ProjectState, entry: Dated) -> None:
    imported = entry["author"] == "unknown" or entry["author"].startswith("external:")
    state.counters = {
        **state.counters,
        "contentAt": max(state.counters["contentAt"], entry["at"]),
        "live": state.counters["live"] or not imported,
    }


def _edit_role(state: ProjectState, entry: Dated, data: Mapping[str, Any]) -> None:
    edited = {**state.roles[data["roleId"]], **data["changes"], "updatedAt": entry["at"]}
    state.roles[data["roleId"]] = cast(RoleView, edited)


def _add_task(state: ProjectState, entry: Dated, task: TaskView) -> None:
    state.tasks[task["id"]] = task
    state.counters = {**state.counters, "nextTaskNumber": task["number"] + 1}
    _note_content(state, entry)


def _edit_task(state: ProjectState, entry: Dated, data: Mapping[str, Any]) -> None:
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


def _set_deleted(state: ProjectState, entry: Dated, task_id: str, deleted_at: str | None) -> None:
    state.tasks[task_id] = {**state.tasks[task_id], "deletedAt": deleted_at, "updatedAt": entry["at"]}
    _note_content(state, entry)


def _add_comment(state: ProjectState, entry: Dated, data: Mapping[str, Any]) -> None:
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


def _edit_comment(state: ProjectState, entry: Dated, data: Mapping[str, Any]) -> None:
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


def _set_comment(state: ProjectState, entry: Dated, data: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    comment = state.comments[data["commentId"]]
    state.comments[comment["id"]] = cast(CommentView, {**comment, **changes})
    _note_content(state, entry)


def _reactions(state: ProjectState, kind: str, data: Mapping[str, Any], entry: Dated) -> list[Reaction]:
    """Emoji in the order in which they came, each with its people in theirs."""
    people = {one["emoji"]: list(one["userIds"]) for one in state.comments[data["commentId"]]["reactions"]}
    if kind == "ReactionAdded":
        people.setdefault(data["emoji"], []).append(entry["author"])
    else:
        people[data["emoji"]].remove(entry["author"])
    return [{"emoji": emoji, "userIds": user_ids} for emoji, user_ids in people.items() if user_ids]
