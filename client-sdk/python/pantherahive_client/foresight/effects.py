"""Which commands show their effect before the server has taken them, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pantherahive_client.fold import evolve_events
from pantherahive_client.foresight import (
    comments,
    custom_fields,
    links,
    milestones,
    projects,
    ranks,
    reactions,
    tasks,
    watchers,
)
from pantherahive_client.foresight.wish import Foresee, Wish
from pantherahive_client.models import WireEvent
from pantherahive_client.pending import PendingCommand
from pantherahive_client.project_state import ProjectState

FORESEEN: Final[Mapping[str, Foresee]] = {
    "EditProject": projects.edit,
    "ArchiveProject": projects.archive,
    "UnarchiveProject": projects.unarchive,
    "CreateTask": tasks.create,
    "EditTask": tasks.edit,
    "MoveTask": ranks.move,
    "DeleteTask": tasks.delete,
    "RestoreTask": tasks.restore,
    "AddLink": links.add,
    "RemoveLink": links.remove,
    "WatchTask": watchers.watch,
    "UnwatchTask": watchers.unwatch,
    "CreateMilestone": milestones.create,
    "EditMilestone": milestones.edit,
    "DeleteMilestone": milestones.delete,
    "DefineField": custom_fields.define,
    "EditField": custom_fields.edit,
    "RemoveField": custom_fields.remove,
    "AddComment": comments.add,
    "EditComment": comments.edit,
    "DeleteComment": comments.delete,
    "AddReaction": reactions.add,
    "RemoveReaction": reactions.remove,
}
"""Command → what it will do. `EditTasks` is as many `EditTask`s."""

SHOWN_WHEN_CONFIRMED: Final = frozenset(
    {
        # Who may do what is never shown before it is so.
        "AddMember",
        "ChangeMemberRole",
        "RemoveMember",
        "TransferOwnership",
        "InviteMember",
        "AcceptInvitation",
        "DeclineInvitation",
        "RevokeInvitation",
        "DefineRole",
        "EditRole",
        "RemoveRole",
        # Ends or begins what everybody sees.
        "CreateProject",
        "DeleteProject",
        "RestoreProject",
        "PurgeProject",
        # What comes back is known to the server alone.
        "RestoreComment",
        "UndoCommand",
        "RedoCommand",
        "RestoreTaskTo",
        "RestoreProjectTo",
        # Sent by the server alone.
        "RemindOfDueDate",
    }
)
"""The commands to a project that wait for the server."""

MADE_IDS: Final[Mapping[str, str]] = {
    "CreateTask": "taskId",
    "AddLink": "linkId",
    "CreateMilestone": "milestoneId",
    "DefineField": "fieldId",
    "AddComment": "commentId",
}
"""Command → the field that names what it makes; the client chooses it, so that it can show it."""

_IDS: Final = frozenset(
    {
        *("taskId", "parentId", "milestoneId", "before", "after", "linkId", "otherId", "commentId", "fieldId"),
        *("addWatchers", "removeWatchers"),
    }
)
"""Fields with UUIDs; those of the records are in small letters."""

_IN_THE_ARCHIVE: Final = frozenset({"EditProject", "ArchiveProject", "UnarchiveProject", "UnwatchTask"})


def is_foreseen(command: str) -> bool:
    """Whether the command's effect is shown at once."""
    return command == "EditTasks" or command in FORESEEN


def show(state: ProjectState, pending: PendingCommand) -> list[WireEvent]:
    """Takes the effect of a command into the state, in place, and gives the events that it will have.

    Raises KeyError, TypeError, ValueError or AttributeError for data that do not fit; the state may hold a part of it.
    """
    at = max(pending.at, state.counters["contentAt"])
    shown: list[WireEvent] = []
    for command, data in _single(pending.type, pending.data):
        if _takes(state, command):
            events = FORESEEN[command](state, Wish(_as_kept(data), pending.author, at))
            evolve_events(state, events, {"author": pending.author, "at": at})
            shown += events
    return shown


def _single(command: str, data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if command != "EditTasks":
        yield command, data
        return
    for edit in data["edits"]:
        yield "EditTask", edit


def _as_kept(data: Mapping[str, Any]) -> dict[str, Any]:
    """With ids as the server keeps them."""
    kept = {name: _in_small_letters(value) if name in _IDS else value for name, value in data.items()}
    if isinstance(kept.get("fields"), Mapping):
        kept["fields"] = {field_id.lower(): value for field_id, value in kept["fields"].items()}
    return kept


def _in_small_letters(ids: Any) -> Any:
    if isinstance(ids, list | tuple):
        return [_in_small_letters(one) for one in ids]
    return ids.lower() if isinstance(ids, str) else ids


def _takes(state: ProjectState, command: str) -> bool:
    project = state.project
    if project is None or project["deletedAt"] is not None:
        return False
    return project["status"] != "Archived" or command in _IN_THE_ARCHIVE
