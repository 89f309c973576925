"""Examples of what clients send and get, by the name of the model: the published documents show them.

They tell one story: sent in a sensible order every one of them is accepted. Ids are the client's own, as it may make
them; only people and tokens get theirs from the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

ADA: Final = "01939c3e-5c00-7000-8000-0000000000a1"
BEN: Final = "01939c3e-5c00-7000-8000-0000000000b1"
BOT: Final = "01939c3e-5c00-7000-8000-0000000000b2"
TOKEN: Final = "01939c3e-5c00-7000-8000-0000000000b3"  # noqa: S105 an id
CAT: Final = "01939c3e-5c00-7000-8000-0000000000c1"
PROJECT: Final = "01939c3e-5c00-7000-8000-000000000001"
TASK: Final = "01939c3e-5c00-7000-8000-000000000011"
SUBTASK: Final = "01939c3e-5c00-7000-8000-000000000012"
LINK: Final = "01939c3e-5c00-7000-8000-000000000021"
COMMENT: Final = "01939c3e-5c00-7000-8000-000000000031"
REPLY: Final = "01939c3e-5c00-7000-8000-000000000032"
MILESTONE: Final = "01939c3e-5c00-7000-8000-000000000041"
FIELD: Final = "01939c3e-5c00-7000-8000-000000000051"
ROLE: Final = "01939c3e-5c00-7000-8000-000000000061"
INVITATION: Final = "01939c3e-5c00-7000-8000-000000000071"
INVITATION_BY_MAIL: Final = "01939c3e-5c00-7000-8000-000000000072"
OP_ID: Final = "01939c3e-5c00-7000-8000-000000000081"
UNDONE: Final = "01939c3e-5c00-7000-8000-000000000082"

PASSWORD: Final = "correct horse battery"  # noqa: S105 everybody's example
INVITATION_TOKEN: Final = "VGhpcyBpcyBhbiBleGFtcGxlLCBub3QgYSBzZWNyZXQu"  # noqa: S105 says so itself
ACCESS_TOKEN: Final = "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.…"  # noqa: S105 cut off
_STREAM: Final = f"project/{PROJECT}"
_AT: Final = "2026-01-31T12:00:00.000Z"
_EMOJI: Final = "🚀"
_ENTRY: Final = {
    "seq": 12,
    "epoch": 7,
    "opId": OP_ID,
    "author": ADA,
    "at": _AT,
    "recordedAt": _AT,
    "events": [{"kind": "ReactionAdded", "version": 1, "data": {"commentId": COMMENT, "emoji": _EMOJI}}],
}

EXAMPLES: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {
    # — accounts over REST ———————————————————————————————————————————————————————————————————————————
    "UserRegisterRequest": [{"username": "ada", "password": PASSWORD, "email": "ada@example.org", "firstName": "Ada"}],
    "UserLoginRequest": [{"email": "ada@example.org", "password": PASSWORD}, {"username": "ada", "password": PASSWORD}],
    "UserUpdateRequest": [{"bio": "Writes *programs*.", "locale": "en-GB", "timezone": "Europe/London"}],
    "RefreshRequest": [{"refreshToken": "ph_refresh_…"}],
    "LogoutRequest": [{"everywhere": True}],
    "PasswordChangeRequest": [{"currentPassword": PASSWORD, "newPassword": "a better horse battery"}],
    "BotCreateRequest": [{"username": "apollo_bot", "firstName": "Apollo"}],
    "ApiTokenRequest": [{"name": "Reads one project", "scopes": ["read"], "projectIds": [PROJECT]}],
    # — other bodies over REST ———————————————————————————————————————————————————————————————————————
    "CommandBody": [{"type": "WatchTask", "data": {"taskId": TASK}}],
    "CommandBody to profile": [{"type": "EditProfile", "data": {"lastName": "Lovelace"}}],
    "CommandBody to user": [{"type": "MarkRead", "data": {}}],
    "Move": [{"stateId": "in-progress", "after": SUBTASK}],
    "ReadUpTo": [{"upTo": 1}],
    # — commands to project/<id> —————————————————————————————————————————————————————————————————————
    "CreateProject": [{"name": "Apollo", "key": "APOLLO", "description": "To the moon, and *back*."}],
    "EditProject": [{"description": "To the moon, and safely back."}],
    "AddMember": [{"userId": BEN, "role": "member"}],
    "ChangeMemberRole": [{"userId": BEN, "role": "admin"}],
    "DefineRole": [{"roleId": ROLE, "name": "Triage", "permissions": ["comment.add", "task.edit"]}],
    "EditRole": [{"roleId": ROLE, "permissions": ["comment.add", "task.add", "task.edit"]}],
    "CreateMilestone": [{"milestoneId": MILESTONE, "name": "First landing", "dueDate": "2026-07-20"}],
    "EditMilestone": [{"milestoneId": MILESTONE, "status": "Closed"}],
    "DefineField": [
        {"fieldId": FIELD, "name": "Part", "type": "choice", "choices": [{"id": "engine", "name": "Engine"}]}
    ],
    "EditField": [{"fieldId": FIELD, "addChoices": [{"id": "hull", "name": "Hull"}]}],
    "CreateTask": [
        {
            "taskId": TASK,
            "title": "Land on the moon",
            "labels": ["goal"],
            "assigneeIds": [BEN],
            "dueDate": "2026-07-20",
            "fields": {FIELD: "engine"},
            "recurrence": {"every": 1, "unit": "month"},
        },
        {"taskId": SUBTASK, "title": "Choose a place to land", "parentId": TASK},
    ],
    "EditTask": [{"taskId": TASK, "priority": "high", "fields": {FIELD: "hull"}, "addLabels": ["moon"]}],
    "EditTasks": [{"edits": [{"taskId": TASK, "estimate": 8}, {"taskId": SUBTASK, "stateId": "in-progress"}]}],
    "MoveTask": [{"taskId": SUBTASK, "stateId": "backlog", "after": TASK}],
    "AddLink": [{"linkId": LINK, "type": "relates", "taskId": TASK, "otherId": SUBTASK}],
    "RemoveLink": [{"linkId": LINK}],
    "AddComment": [
        {"commentId": COMMENT, "taskId": TASK, "body": "By the end of the decade, @ben?"},
        {"commentId": REPLY, "taskId": TASK, "body": "Sooner.", "replyTo": COMMENT},
    ],
    "EditComment": [{"commentId": COMMENT, "body": "Before the end of the decade, @ben?"}],
    "AddReaction": [{"commentId": COMMENT, "emoji": _EMOJI}],
    "RemoveReaction": [{"commentId": COMMENT, "emoji": _EMOJI}],
    "DeleteComment": [{"commentId": REPLY}],
    "RestoreComment": [{"commentId": REPLY}],
    "RemindOfDueDate": [{"taskId": TASK, "dueDate": "2026-07-20"}],
    "UndoCommand": [{"opId": UNDONE}],
    "RedoCommand": [{"opId": UNDONE}],
    "RestoreTaskTo": [{"taskId": TASK, "asOf": 12}],
    "RestoreProjectTo": [{"asOf": 12}, {"asOf": "2031-01-31T12:00:00Z"}],
    "WatchTask": [{"taskId": TASK}],
    "UnwatchTask": [{"taskId": TASK}],
    "DeleteTask": [{"taskId": SUBTASK}],
    "RestoreTask": [{"taskId": SUBTASK}],
    "DeleteMilestone": [{"milestoneId": MILESTONE}],
    "RemoveField": [{"fieldId": FIELD}],
    "InviteMember": [
        {"invitationId": INVITATION, "userId": CAT, "role": "viewer"},
        {
            "invitationId": INVITATION_BY_MAIL,
            "email": "dan@example.org",
            "token": INVITATION_TOKEN,
            "role": "commenter",
        },
    ],
    "AcceptInvitation": [{"invitationId": INVITATION}],
    "DeclineInvitation": [{"invitationId": INVITATION_BY_MAIL, "token": INVITATION_TOKEN}],
    "RevokeInvitation": [{"invitationId": INVITATION_BY_MAIL}],
    "RemoveMember": [{"userId": CAT}],
    "RemoveRole": [{"roleId": ROLE}],
    "TransferOwnership": [{"userId": BEN}],
    "ArchiveProject": [{}],
    "UnarchiveProject": [{"status": "Completed"}],
    "DeleteProject": [{}],
    "RestoreProject": [{}],
    "PurgeProject": [{}],
    # — commands to profile/<id> and user/<id> ———————————————————————————————————————————————————————
    "CreateProfile": [{"firstName": "Ada"}],
    "EditProfile": [{"lastName": "Lovelace", "bio": None}],
    "Notify": [
        {
            "source": {"stream": _STREAM, "seq": 12},
            "subject": {"projectId": PROJECT, "taskId": TASK, "commentId": COMMENT},
            "reasons": ["mentioned"],
            "actorId": ADA,
        }
    ],
    "MarkRead": [{}, {"upTo": 1}],
    "SetPreferences": [
        {
            "channels": {"watched": []},
            "quietHours": {"start": "22:00", "end": "07:00", "timezone": "Europe/London"},
        }
    ],
    "MuteProject": [{"projectId": PROJECT}],
    "UnmuteProject": [{"projectId": PROJECT}],
    # — the live protocol ————————————————————————————————————————————————————————————————————————————
    "ConnectAuth": [{"token": ACCESS_TOKEN}],
    "ConnectAnswer": [{"sid": "Rf2mZQ3_xYb1vJkLAAAB"}],
    "ConnectRefusal": [
        {
            "message": "the token is not valid",
            "data": {"code": "unauthenticated", "message": "the token is not valid", "retryable": False, "details": {}},
        }
    ],
    "AuthAnswer": [{"expiresAt": _AT}],
    "JoinRequest": [{"stream": _STREAM}, {"stream": _STREAM, "cursor": "12.7"}],
    "JoinAnswer": [{"mode": "resume", "cursor": "12.7", "present": [{"userId": ADA, "connections": 1}]}],
    "AwarenessRequest": [{"stream": _STREAM, "state": {"taskId": TASK, "typing": True}}],
    "AwarenessAnswer": [{}],
    "AwarenessMessage": [
        {"stream": _STREAM, "states": [{"connection": "c1", "userId": ADA, "state": {"taskId": TASK, "typing": True}}]}
    ],
    "LeaveRequest": [{"stream": _STREAM}],
    "LeaveAnswer": [{}],
    "CommandRequest": [{"stream": _STREAM, "opId": OP_ID, "type": "WatchTask", "data": {"taskId": TASK}}],
    "CommandAnswer": [{"cursor": "13.7", "at": _AT, "result": {"taskId": TASK, "key": "APOLLO-1", "number": 1}}],
    "SnapshotPart": [
        {
            "stream": _STREAM,
            "cursor": "12.7",
            "part": 1,
            "parts": 1,
            "state": {"members": [{"userId": ADA, "role": "owner", "addedAt": _AT}]},
        }
    ],
    "EntriesMessage": [{"stream": _STREAM, "entries": [_ENTRY]}],
    "ResetMessage": [{"stream": _STREAM, "cursor": "4711.7", "parts": 1, "reason": "behind"}],
    "HeadsMessage": [{"heads": {_STREAM: "12.7"}}],
    "PresenceMessage": [{"stream": _STREAM, "present": [{"userId": ADA, "connections": 2}]}],
    "ClosedMessage": [{"stream": _STREAM, "reason": "removed"}, {"reason": "expired"}],
    "ErrorAnswer": [
        {"error": {"code": "not_found", "message": "no such project", "retryable": False, "details": {}}},
    ],
}
"""Name of the model → examples, the best one first."""

PARAMETER_EXAMPLES: Final[Mapping[str, Any]] = {
    "projectId": PROJECT,
    "userId": ADA,
    "taskId": TASK,
    "commentId": COMMENT,
    "linkId": LINK,
    "milestoneId": MILESTONE,
    "botId": BOT,
    "tokenId": TOKEN,
    "key": "APOLLO-1",
    "emoji": _EMOJI,
    "username": "ada",
    "from": "1",
    "stream": _STREAM,
    "seq": 12,
}
"""Name in a path, or of what a query needs → an example."""


def example_of(model: str, fields: frozenset[str] | set[str]) -> Mapping[str, Any] | None:
    """The first example of a model, or of the command that it is the body of: then only what the body has."""
    if (examples := EXAMPLES.get(model)) is not None:
        return examples[0]
    examples = EXAMPLES.get(model.removesuffix("Body"))
    return {name: value for name, value in examples[0].items() if name in fields} if examples else None
