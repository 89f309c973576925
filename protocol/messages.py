"""The closed unions of commands and events, and the two codecs: commands from the wire, events to and from the log.

Add a message: write it in its feature's file and name it in the union here; the type checker then names every router
that does not handle it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, get_args

import msgpack
import orjson
from pydantic import ValidationError

from protocol.comments import (
    AddComment,
    CommentAdded,
    CommentDeleted,
    CommentEdited,
    CommentRestored,
    DeleteComment,
    EditComment,
    RestoreComment,
    comment_added_2,
    comment_edited_2,
)
from protocol.custom_fields import (
    DefineField,
    EditField,
    FieldDefined,
    FieldEdited,
    FieldRemoved,
    FieldValuesSet,
    RemoveField,
)
from protocol.due_dates import DueDateNeared, RemindOfDueDate
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command, Event, Origin
from protocol.invitations import (
    AcceptInvitation,
    DeclineInvitation,
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRevoked,
    InviteMember,
    MemberInvited,
    RevokeInvitation,
)
from protocol.links import AddLink, LinkAdded, LinkRemoved, RemoveLink
from protocol.log import Content, Entry
from protocol.members import (
    AddMember,
    ChangeMemberRole,
    MemberAdded,
    MemberRemoved,
    MemberRoleChanged,
    RemoveMember,
    TransferOwnership,
)
from protocol.milestones import (
    CreateMilestone,
    DeleteMilestone,
    EditMilestone,
    MilestoneCreated,
    MilestoneDeleted,
    MilestoneEdited,
)
from protocol.notifications import MarkRead, NotificationsRead, NotificationWithheld, Notified, Notify
from protocol.preferences import (
    MuteProject,
    PreferencesSet,
    ProjectMuted,
    ProjectUnmuted,
    SetPreferences,
    UnmuteProject,
)
from protocol.profiles import CreateProfile, EditProfile, ProfileCreated, ProfileEdited
from protocol.projects import (
    ArchiveProject,
    CreateProject,
    DeleteProject,
    EditProject,
    Erased,
    ProjectCreated,
    ProjectDeleted,
    ProjectEdited,
    ProjectPurged,
    ProjectRestored,
    PurgeProject,
    RestoreProject,
    UnarchiveProject,
    project_created_2,
)
from protocol.ranks import MoveTask, TasksReranked
from protocol.reactions import AddReaction, ReactionAdded, ReactionRemoved, RemoveReaction
from protocol.roles import DefineRole, EditRole, RemoveRole, RoleDefined, RoleEdited, RoleRemoved
from protocol.tasks import (
    CreateTask,
    DeleteTask,
    EditTask,
    EditTasks,
    RestoreTask,
    TaskCreated,
    TaskDeleted,
    TaskEdited,
    TaskEditsJudged,
    TaskRecurred,
    TaskRestored,
    task_created_2,
    task_edited_2,
)
from protocol.timetravel import ProjectRestoredTo, RestoreProjectTo, RestoreTaskTo, TaskRestoredTo
from protocol.undo import CommandRedone, CommandUndone, RedoCommand, UndoCommand
from protocol.watchers import UnwatchTask, WatchersChanged, WatchTask

ProjectCommand = (
    CreateProject
    | EditProject
    | ArchiveProject
    | UnarchiveProject
    | DeleteProject
    | RestoreProject
    | PurgeProject
    | AddMember
    | ChangeMemberRole
    | RemoveMember
    | TransferOwnership
    | InviteMember
    | AcceptInvitation
    | DeclineInvitation
    | RevokeInvitation
    | DefineRole
    | EditRole
    | RemoveRole
    | CreateTask
    | EditTask
    | EditTasks
    | MoveTask
    | DeleteTask
    | RestoreTask
    | AddLink
    | RemoveLink
    | WatchTask
    | UnwatchTask
    | CreateMilestone
    | EditMilestone
    | DeleteMilestone
    | DefineField
    | EditField
    | RemoveField
    | AddComment
    | EditComment
    | DeleteComment
    | RestoreComment
    | AddReaction
    | RemoveReaction
    | UndoCommand
    | RedoCommand
    | RestoreTaskTo
    | RestoreProjectTo
    | RemindOfDueDate
)
ProjectEvent = (
    ProjectCreated
    | ProjectEdited
    | ProjectDeleted
    | ProjectRestored
    | ProjectPurged
    | Erased
    | MemberAdded
    | MemberRoleChanged
    | MemberRemoved
    | MemberInvited
    | InvitationAccepted
    | InvitationDeclined
    | InvitationRevoked
    | InvitationExpired
    | RoleDefined
    | RoleEdited
    | RoleRemoved
    | TaskCreated
    | TaskEdited
    | TaskEditsJudged
    | TasksReranked
    | TaskDeleted
    | TaskRestored
    | LinkAdded
    | LinkRemoved
    | TaskRecurred
    | WatchersChanged
    | MilestoneCreated
    | MilestoneEdited
    | MilestoneDeleted
    | FieldDefined
    | FieldEdited
    | FieldRemoved
    | FieldValuesSet
    | CommentAdded
    | CommentEdited
    | CommentDeleted
    | CommentRestored
    | ReactionAdded
    | ReactionRemoved
    | CommandUndone
    | CommandRedone
    | TaskRestoredTo
    | ProjectRestoredTo
    | DueDateNeared
)
ProfileCommand = CreateProfile | EditProfile
ProfileEvent = ProfileCreated | ProfileEdited
UserCommand = Notify | MarkRead | SetPreferences | MuteProject | UnmuteProject
UserEvent = Notified | NotificationWithheld | NotificationsRead | PreferencesSet | ProjectMuted | ProjectUnmuted

COMMANDS: Mapping[str, Mapping[str, type[Command]]] = {
    "project": {command.__name__: command for command in get_args(ProjectCommand)},
    "profile": {command.__name__: command for command in get_args(ProfileCommand)},
    "user": {command.__name__: command for command in get_args(UserCommand)},
}
"""Kind of stream → type on the wire → model."""

EVENTS: Mapping[str, type[Event]] = {
    event.kind: event for union in (ProjectEvent, ProfileEvent, UserEvent) for event in get_args(union)
}
"""Kind of event → model of its newest form."""

EventJson = dict[str, Any]
"""`{"kind", "version", "data"}`: an event in the log, on the wire and in exports."""

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {
    ("TaskCreated", 1): task_created_2,
    ("TaskEdited", 1): task_edited_2,
    ("ProjectCreated", 1): project_created_2,
    ("CommentAdded", 1): comment_added_2,
    ("CommentEdited", 1): comment_edited_2,
}
"""(kind, version) → pure function from that version's data to the next version's."""


_PROBLEMS_MAX: Final = 20
_PROBLEMS_TOLD_APART_MAX: Final = 1000
"""pydantic tells of all or of none; beyond it the words would take longer than the validation."""


class UnreadableEvent(Exception):
    """An event of the log has a kind or version that this build does not know, or data that do not fit."""


def decode_command(stream: str, command_type: str, data: Any) -> Command | Rejection:
    """The command that a client sent to `stream`, or what is wrong with it (one line per field, no values)."""
    model = COMMANDS.get(stream.partition("/")[0], {}).get(command_type)
    if model is None:
        return Rejection(ErrorCode.INVALID, "this kind of stream knows no such command", {"field": "type"})
    try:
        return model.from_client(data)
    except ValidationError as error:
        return invalid(error, data, "data")


def invalid(error: ValidationError, sent: Any, prefix: str = "") -> Rejection:
    """A validation error of `sent` as a rejection: the first fields with what is allowed there, never the values.

    Where one of several forms is allowed, one message names them all. What is wrong with the whole, and not with one
    field of it, stands there without a `field`. Where more is wrong than anybody reads, it is counted alone.
    """
    if (count := error.error_count()) > _PROBLEMS_TOLD_APART_MAX:
        message = f"{count} things are wrong here, too many to name them"
        return Rejection(ErrorCode.INVALID, message, {"errors": [{"message": message}]})
    messages: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_input=False, include_context=False)[:_PROBLEMS_MAX]:
        steps = _steps(sent, problem["loc"], is_missing=problem["type"] == "missing")
        field = ".".join([prefix, *steps] if prefix else steps)
        message = problem["msg"].removeprefix("Value error, ")  # pydantic's words before ours
        if message not in (said := messages.setdefault(field, [])):
            said.append(message)
    problems = [
        {"field": field, "message": ", or: ".join(said)} if field else {"message": ", or: ".join(said)}
        for field, said in messages.items()
    ]
    return Rejection(ErrorCode.INVALID, ": ".join(problems[0].values()), {"errors": problems})


def _steps(sent: Any, place: Sequence[int | str], *, is_missing: bool) -> list[str]:
    """The steps of a place that lead through what was sent, and the name of a field that is missing at its end.

    pydantic puts names of validators and of a union's alternatives between them, which mean nothing to a client.
    """
    steps: list[str] = []
    for number, step in enumerate(place, start=1):
        in_list = isinstance(sent, list) and isinstance(step, int) and step < len(sent)
        if in_list or (isinstance(sent, Mapping) and step in sent):
            sent = sent[step]
        elif not (is_missing and number == len(place)):
            continue
        steps.append(str(step))
    return steps


def digest_of(author: str, command: Command, base: int | None, origin: Origin | None) -> bytes:
    """16 bytes that tell two commands with one opId apart: the client's own data and its author, nothing added."""
    content = [
        author,
        type(command).__name__,
        command.as_json(),
        base,
        origin.as_json() if origin is not None else None,
    ]
    return hashlib.blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def event_json(event: Event) -> EventJson:
    """The event as the log and the wire hold it. `absent` fields stay out."""
    return {
        "kind": event.kind,
        "version": event.version,
        "data": event.as_json(),
    }


def pack_payload(
    events: Iterable[EventJson], recorded_by: str | None, notices: Sequence[Mapping[str, Any]] = ()
) -> bytes:
    """An entry's payload. `recorded_by` names the importer where the entry's author is another.

    `notices` are for a consumer alone: neither replay nor followers ever see them.
    """
    payload: dict[str, Any] = {"events": list(events)}
    if recorded_by is not None:
        payload["recordedBy"] = recorded_by
    if notices:
        payload["notices"] = list(notices)
    return msgpack.packb(payload)


ERASED_PAYLOAD: Final = pack_payload([event_json(Erased())], None)
"""What an entry holds after its erasure."""


def unpack_payload(payload: bytes) -> Content:
    """What an entry holds, its events in their newest form. Raises UnreadableEvent."""
    try:
        content = msgpack.unpackb(payload)
        events = [upcast(event) for event in content["events"]]
        return Content(events, content.get("recordedBy"), content.get("notices", ()))
    except (ValueError, KeyError, TypeError, AttributeError, msgpack.UnpackException) as error:
        raise UnreadableEvent("the payload is not an entry's") from error


def content_of(entry: Entry) -> Content:
    """What the entry holds: as it was packed, where it comes from memory. Raises UnreadableEvent."""
    return entry.content if entry.content is not None else unpack_payload(entry.payload)


def upcast(event: EventJson, upcasters: Mapping[tuple[str, int], Upcaster] | None = None) -> EventJson:
    """The event in its newest form: upcasters are applied one version at a time."""
    steps = UPCASTERS if upcasters is None else upcasters
    kind, version, data = event["kind"], event["version"], event["data"]
    while (step := steps.get((kind, version))) is not None:
        version, data = version + 1, step(data)
    return {"kind": kind, "version": version, "data": data}


def decode_event(event: EventJson) -> Event:
    """The model of an event in its newest form. Raises UnreadableEvent."""
    model = EVENTS.get(event["kind"])
    if model is None or model.version != event["version"]:
        raise UnreadableEvent(f"{event['kind']} version {event['version']} is unknown to this build")
    try:
        return model.model_validate(event["data"])
    except ValidationError as error:
        raise UnreadableEvent(f"{event['kind']}: {error}") from error
