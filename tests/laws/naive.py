"""What a log means, written a second time in plain dictionaries and without a line of the product's folds."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import msgpack

from protocol.log import Entry
from tests.laws.naive_inbox import INBOX_STEPS
from tests.laws.records import World, empty_world


def naive_world(entries: Sequence[Entry]) -> World:
    """The records after one stream's entries; `seq` in each is the entry that wrote it last."""
    world = empty_world()
    for entry in entries:
        go_on(world, entry)
    return world


def go_on(world: World, entry: Entry) -> None:
    """One entry more."""
    own = entry.stream.split("/")[1]
    for event in msgpack.unpackb(entry.payload)["events"]:
        _STEPS[event["kind"]](world, event["data"], entry, own)
    if own in world["projects"]:
        world["projects"][own]["seq"] = entry.seq


def _project_created(world: World, data: Any, entry: Entry, own: str) -> None:
    world["projects"][own] = dict(data["project"])


def _project_edited(world: World, data: Any, entry: Entry, own: str) -> None:
    for name, value in data["changes"].items():
        world["projects"][own][name] = value
    _project_touched(world, entry, own)


def _project_deleted(world: World, data: Any, entry: Entry, own: str) -> None:
    world["projects"][own]["deletedAt"] = entry.at
    _project_touched(world, entry, own)


def _project_restored(world: World, data: Any, entry: Entry, own: str) -> None:
    world["projects"][own]["deletedAt"] = None
    _project_touched(world, entry, own)


def _project_purged(world: World, data: Any, entry: Entry, own: str) -> None:
    for records in world.values():
        records.clear()
    world["purges"][own] = {"id": own, "seq": entry.seq}


def _project_touched(world: World, entry: Entry, own: str) -> None:
    record = world["projects"][own]
    if entry.at > record["updatedAt"]:
        record["updatedAt"] = entry.at


def _member_added(world: World, data: Any, entry: Entry, own: str) -> None:
    record = {"userId": data["userId"], "role": data["role"], "addedAt": entry.at, "seq": entry.seq}
    world["members"][data["userId"]] = record


def _member_role_changed(world: World, data: Any, entry: Entry, own: str) -> None:
    world["members"][data["userId"]]["role"] = data["role"]
    world["members"][data["userId"]]["seq"] = entry.seq


def _member_removed(world: World, data: Any, entry: Entry, own: str) -> None:
    world["members"].pop(data["userId"])


def _member_invited(world: World, data: Any, entry: Entry, own: str) -> None:
    world["invitations"][data["invitation"]["id"]] = {**data["invitation"], "seq": entry.seq}


def _invitation_settled(world: World, data: Any, entry: Entry, own: str) -> None:
    world["invitations"].pop(data["invitationId"])


def _role_defined(world: World, data: Any, entry: Entry, own: str) -> None:
    world["roles"][data["role"]["id"]] = {**data["role"], "seq": entry.seq}


def _role_edited(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["roles"][data["roleId"]]
    for name, value in data["changes"].items():
        record[name] = value
    record["updatedAt"], record["seq"] = entry.at, entry.seq


def _role_removed(world: World, data: Any, entry: Entry, own: str) -> None:
    world["roles"].pop(data["roleId"])


def _task_created(world: World, data: Any, entry: Entry, own: str) -> None:
    record = dict(data["task"])
    for field in ("labels", "assigneeIds", "watcherIds"):
        record[field] = list(record[field])
    record["fields"] = dict(record["fields"])
    record["seq"] = entry.seq
    world["tasks"][record["id"]] = record


def _task_edited(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["tasks"][data["taskId"]]
    for name, value in data["changes"].items():
        record[name] = value
    for field, event_field in (("labels", "labels"), ("assigneeIds", "assignees")):
        for item in data.get(f"{event_field}Removed", []):
            record[field].remove(item)
        for item in data.get(f"{event_field}Added", []):
            record[field].append(item)
    if "stateId" in data["changes"] or "closedAt" in data:
        groups = {state["id"]: state["group"] for state in world["projects"][own]["states"]}
        closed = groups.get(record["stateId"]) in ("completed", "cancelled")
        record["closedAt"] = entry.at if closed else None
    record["updatedAt"], record["seq"] = entry.at, entry.seq


def _tasks_reranked(world: World, data: Any, entry: Entry, own: str) -> None:
    for task_id, rank in data["ranks"].items():
        world["tasks"][task_id]["rank"], world["tasks"][task_id]["seq"] = rank, entry.seq


def _task_deleted(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["tasks"][data["taskId"]]
    record["deletedAt"] = record["updatedAt"] = entry.at
    record["seq"] = entry.seq


def _task_restored(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["tasks"][data["taskId"]]
    record["deletedAt"], record["updatedAt"], record["seq"] = None, entry.at, entry.seq


def _link_added(world: World, data: Any, entry: Entry, own: str) -> None:
    world["links"][data["link"]["id"]] = {**data["link"], "seq": entry.seq}


def _link_removed(world: World, data: Any, entry: Entry, own: str) -> None:
    gone = world["links"].pop(data["linkId"])
    assert {name: gone[name] for name in data["was"]} == data["was"]


def _nothing(world: World, data: Any, entry: Entry, own: str) -> None:
    """An answer: it changes nothing."""


def _task_recurred(world: World, data: Any, entry: Entry, own: str) -> None:
    world["tasks"][data["taskId"]]["recurrence"] = None
    world["tasks"][data["taskId"]]["seq"] = entry.seq


def _watchers_changed(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["tasks"][data["taskId"]]
    for person in data.get("removed", []):
        record["watcherIds"].remove(person)
    for person in data.get("added", []):
        record["watcherIds"].append(person)
    record["seq"] = entry.seq


def _field_values_set(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["tasks"][data["taskId"]]
    for field_id, value in data["values"].items():
        assert record["fields"].get(field_id) == data["was"][field_id]
        if value is None:
            record["fields"].pop(field_id)
        else:
            record["fields"][field_id] = value
    record["updatedAt"], record["seq"] = entry.at, entry.seq


def _milestone_created(world: World, data: Any, entry: Entry, own: str) -> None:
    world["milestones"][data["milestone"]["id"]] = {**data["milestone"], "seq": entry.seq}


def _milestone_edited(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["milestones"][data["milestoneId"]]
    for name, value in data["changes"].items():
        assert record[name] == data["was"][name]
        record[name] = value
    if "status" in data["changes"]:
        record["closedAt"] = entry.at if record["status"] == "Closed" else None
    record["updatedAt"], record["seq"] = entry.at, entry.seq


def _milestone_deleted(world: World, data: Any, entry: Entry, own: str) -> None:
    gone = world["milestones"].pop(data["milestoneId"])
    assert {**data["was"], "seq": gone["seq"]} == gone


def _field_defined(world: World, data: Any, entry: Entry, own: str) -> None:
    world["custom_fields"][data["field"]["id"]] = {**data["field"], "seq": entry.seq}


def _field_edited(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["custom_fields"][data["fieldId"]]
    for name, value in data["changes"].items():
        assert record[name] == data["was"][name]
        record[name] = value
    record["updatedAt"], record["seq"] = entry.at, entry.seq


def _field_removed(world: World, data: Any, entry: Entry, own: str) -> None:
    world["custom_fields"].pop(data["fieldId"])
    for task in world["tasks"].values():
        if task["fields"].pop(data["fieldId"], None) is not None:
            task["seq"] = entry.seq


def _comment_added(world: World, data: Any, entry: Entry, own: str) -> None:
    world["comments"][data["commentId"]] = {
        "id": data["commentId"],
        "taskId": data["taskId"],
        "threadId": data["threadId"],
        "replyTo": data["replyTo"],
        "authorId": entry.author,
        "body": data["body"],
        "mentions": data["mentions"],
        "reactions": [],
        "createdAt": entry.at,
        "updatedAt": entry.at,
        "edits": [],
        "deletedAt": None,
        "deletedBy": None,
        "seq": entry.seq,
    }


def _comment_edited(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["comments"][data["commentId"]]
    old = {"body": record["body"], "replacedAt": entry.at, "replacedBy": entry.author}
    record["edits"].append(old)
    record["body"], record["updatedAt"], record["seq"] = data["body"], entry.at, entry.seq
    record["mentions"] = data["mentions"]


def _comment_deleted(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["comments"][data["commentId"]]
    record.update(body="", mentions=[], reactions=[], edits=[], deletedAt=entry.at, deletedBy=entry.author)
    record["updatedAt"], record["seq"] = entry.at, entry.seq


def _comment_restored(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["comments"][data["commentId"]]
    for name in ("body", "mentions", "reactions", "edits"):
        record[name] = deepcopy(data[name])
    record.update(deletedAt=None, deletedBy=None, updatedAt=entry.at, seq=entry.seq)


def _reaction_added(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["comments"][data["commentId"]]
    for reaction in record["reactions"]:
        if reaction["emoji"] == data["emoji"]:
            reaction["userIds"].append(entry.author)
            break
    else:
        record["reactions"].append({"emoji": data["emoji"], "userIds": [entry.author]})
    record["seq"] = entry.seq


def _reaction_removed(world: World, data: Any, entry: Entry, own: str) -> None:
    record = world["comments"][data["commentId"]]
    for reaction in list(record["reactions"]):
        if reaction["emoji"] == data["emoji"]:
            reaction["userIds"].remove(entry.author)
            if not reaction["userIds"]:
                record["reactions"].remove(reaction)
    record["seq"] = entry.seq


def _profile_created(world: World, data: Any, entry: Entry, own: str) -> None:
    world["profiles"][own] = {**data["profile"], "seq": entry.seq}


def _profile_edited(world: World, data: Any, entry: Entry, own: str) -> None:
    for name, value in data["changes"].items():
        world["profiles"][own][name] = value
    world["profiles"][own]["updatedAt"], world["profiles"][own]["seq"] = entry.at, entry.seq


_STEPS = {
    "ProjectCreated": _project_created,
    "ProjectEdited": _project_edited,
    "ProjectDeleted": _project_deleted,
    "ProjectRestored": _project_restored,
    "ProjectPurged": _project_purged,
    "MemberAdded": _member_added,
    "MemberRoleChanged": _member_role_changed,
    "MemberRemoved": _member_removed,
    "MemberInvited": _member_invited,
    "InvitationAccepted": _invitation_settled,
    "InvitationDeclined": _invitation_settled,
    "InvitationRevoked": _invitation_settled,
    "InvitationExpired": _invitation_settled,
    "RoleDefined": _role_defined,
    "RoleEdited": _role_edited,
    "RoleRemoved": _role_removed,
    "TaskCreated": _task_created,
    "TaskEdited": _task_edited,
    "TasksReranked": _tasks_reranked,
    "TaskDeleted": _task_deleted,
    "TaskRestored": _task_restored,
    "LinkAdded": _link_added,
    "LinkRemoved": _link_removed,
    "TaskEditsJudged": _nothing,
    "DueDateNeared": _nothing,
    "TaskRecurred": _task_recurred,
    "WatchersChanged": _watchers_changed,
    "FieldValuesSet": _field_values_set,
    "MilestoneCreated": _milestone_created,
    "MilestoneEdited": _milestone_edited,
    "MilestoneDeleted": _milestone_deleted,
    "FieldDefined": _field_defined,
    "FieldEdited": _field_edited,
    "FieldRemoved": _field_removed,
    "CommentAdded": _comment_added,
    "CommentEdited": _comment_edited,
    "CommentDeleted": _comment_deleted,
    "CommentRestored": _comment_restored,
    "ReactionAdded": _reaction_added,
    "ReactionRemoved": _reaction_removed,
    "CommandUndone": _nothing,
    "CommandRedone": _nothing,
    "TaskRestoredTo": _nothing,
    "ProjectRestoredTo": _nothing,
    "ProfileCreated": _profile_created,
    "ProfileEdited": _profile_edited,
    **INBOX_STEPS,
}
