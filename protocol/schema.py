"""The published schema: every command, event, socket message and error as one JSON Schema document.

It is what clients in other languages are built against, and what the Python client's models are generated
from (`scripts/generate_sdk_models.py`). The document depends on the models alone, so it is the same on every
machine.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from typing_extensions import TypedDict

from protocol import wire
from protocol.accounts import UserProfileResponse, UserReference
from protocol.activity import ActivityItem, PersonActivityItem
from protocol.base import VIEW_CONFIG, Integer
from protocol.comments import CommentView, ThreadView
from protocol.custom_fields import FieldView
from protocol.deep_links import DeepLink
from protocol.errors import HTTP_STATUS, RETRYABLE, ErrorCode, ErrorResponse
from protocol.invitations import InvitationView, OwnInvitation
from protocol.links import LinkView
from protocol.members import MemberView
from protocol.messages import COMMANDS, EVENTS
from protocol.milestones import MilestoneView
from protocol.notifications import Explanation, Inbox, NotificationGroup, NotificationView, ReadMarker
from protocol.preferences import PreferencesView
from protocol.profiles import ProfileView
from protocol.projects import ProjectView
from protocol.roles import ListedRole, RoleView
from protocol.tasks import OwnTask, TaskView
from protocol.timetravel import Difference

SCHEMA_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_VERSION: Final = 1
REF_TEMPLATE: Final = "#/$defs/{model}"


class ProjectCounters(TypedDict):
    """A project's next task number, the time of its newest content, and whether people have worked in it."""

    __pydantic_config__ = VIEW_CONFIG  # type: ignore[misc]
    nextTaskNumber: Integer
    contentAt: str
    live: bool


class InboxCounters(TypedDict):
    """How many notifications there ever were, and the number up to which they are read: the difference is unread."""

    __pydantic_config__ = VIEW_CONFIG  # type: ignore[misc]
    count: Integer
    readUpTo: Integer


SNAPSHOT_RECORDS: Mapping[str, Mapping[str, type]] = {
    "project": {"project": ProjectView, "counters": ProjectCounters},
    "profile": {"profile": ProfileView},
    "user": {"counters": InboxCounters, "preferences": PreferencesView},
}
"""Kind of stream → name in a snapshot's `state` → the one record under it."""

SNAPSHOT_COLLECTIONS: Mapping[str, Mapping[str, type]] = {
    "project": {
        "members": MemberView,
        "invitations": InvitationView,
        "roles": RoleView,
        "links": LinkView,
        "milestones": MilestoneView,
        "fields": FieldView,
        "tasks": TaskView,
        "comments": CommentView,
    },
    "profile": {},
    "user": {"notifications": NotificationView},
}
"""Kind of stream → name in a snapshot's `state` → the records of the list under it; parts add to the list."""

READ_RECORDS: tuple[type, ...] = (
    ActivityItem,
    PersonActivityItem,
    DeepLink,
    Difference,
    Explanation,
    Inbox,
    ListedRole,
    NotificationGroup,
    OwnInvitation,
    OwnTask,
    ReadMarker,
    ThreadView,
)
"""Records that REST alone answers with; the messages of accounts come beside them."""

SOCKET_EVENTS: Mapping[str, Mapping[str, type[BaseModel]]] = {
    "connect": {"request": wire.ConnectAuth, "answer": wire.ConnectAnswer, "refused": wire.ConnectRefusal},
    wire.AUTH: {"request": wire.ConnectAuth, "answer": wire.AuthAnswer},
    wire.JOIN: {"request": wire.JoinRequest, "answer": wire.JoinAnswer},
    wire.LEAVE: {"request": wire.LeaveRequest, "answer": wire.LeaveAnswer},
    wire.COMMAND: {"request": wire.CommandRequest, "answer": wire.CommandAnswer},
    wire.SNAPSHOT: {"message": wire.SnapshotPart},
    wire.RESET: {"message": wire.ResetMessage},
    wire.ENTRIES: {"message": wire.EntriesMessage},
    wire.HEADS: {"message": wire.HeadsMessage},
    wire.PRESENCE: {"message": wire.PresenceMessage},
    wire.AWARENESS: {
        "request": wire.AwarenessRequest,
        "answer": wire.AwarenessAnswer,
        "message": wire.AwarenessMessage,
    },
    wire.CLOSED: {"message": wire.ClosedMessage},
}
"""Name on the socket → what the client sends (`request`), its `answer`, what the server sends by itself (`message`).

Refusals are `ErrorAnswer`s, but for those of a name that has a form of its own (`refused`).
"""


class PlainSchema(GenerateJsonSchema):
    """Without the titles that only repeat names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def published_schema() -> dict[str, Any]:
    """The whole document, in a stable order."""
    return {
        "$schema": SCHEMA_DIALECT,
        "title": "PantheraHive live protocol",
        "version": SCHEMA_VERSION,
        "commands": {
            kind: {name: _reference(model) for name, model in commands.items()} for kind, commands in COMMANDS.items()
        },
        "features": _features(),
        "events": {kind: {"version": model.version, "data": _reference(model)} for kind, model in EVENTS.items()},
        "snapshots": {
            kind: {
                **{name: _reference(record) for name, record in records.items()},
                **{
                    name: {"type": "array", "items": _reference(record)}
                    for name, record in SNAPSHOT_COLLECTIONS[kind].items()
                },
            }
            for kind, records in SNAPSHOT_RECORDS.items()
        },
        "socket": {
            name: {role: _reference(model) for role, model in roles.items()} for name, roles in SOCKET_EVENTS.items()
        },
        "refused": _reference(wire.ErrorAnswer),
        "errors": {code.value: {"status": HTTP_STATUS[code], "retryable": code in RETRYABLE} for code in ErrorCode},
        "$defs": _definitions(),
    }


def _features() -> dict[str, Any]:
    """Which commands belong together: the name of each part of the protocol, in the order of the commands."""
    features: dict[str, Any] = {}
    for kind, commands in COMMANDS.items():
        for name, model in commands.items():
            feature = model.__module__.rpartition(".")[2]
            features.setdefault(feature, {"stream": kind, "commands": []})["commands"].append(name)
    return features


def _reference(model: type) -> dict[str, str]:
    return {"$ref": REF_TEMPLATE.format(model=model.__name__)}


def _definitions() -> dict[str, Any]:
    models: list[type[BaseModel]] = [
        *(model for commands in COMMANDS.values() for model in commands.values()),
        *EVENTS.values(),
        *(model for roles in SOCKET_EVENTS.values() for model in roles.values()),
        wire.ErrorAnswer,
        ErrorResponse,
        UserProfileResponse,
        UserReference,
    ]
    mode: JsonSchemaMode = "validation"
    _, schema = models_json_schema(
        [(model, mode) for model in models], ref_template=REF_TEMPLATE, schema_generator=PlainSchema
    )
    definitions: dict[str, Any] = dict(schema["$defs"])
    of_states = (*SNAPSHOT_RECORDS.values(), *SNAPSHOT_COLLECTIONS.values())
    for record in (*(record for records in of_states for record in records.values()), *READ_RECORDS):
        definitions.update(_record_definitions(record))
    return {name: _tidy(definition) for name, definition in sorted(definitions.items())}


def _record_definitions(record: type) -> dict[str, Any]:
    """A record of state and what it refers to; records are TypedDicts, whose schemas stand alone."""
    schema = TypeAdapter(record).json_schema(ref_template=REF_TEMPLATE, schema_generator=PlainSchema)
    inner: dict[str, Any] = schema.pop("$defs", {})
    if "description" not in schema and record.__doc__:
        schema["description"] = inspect.cleandoc(record.__doc__)
    return {**inner, record.__name__: schema}


def _tidy(value: Any) -> Any:
    """A definition without the title that repeats its name."""
    if not isinstance(value, dict):
        return value
    return {key: part for key, part in value.items() if not (key == "title" and isinstance(part, str))}
