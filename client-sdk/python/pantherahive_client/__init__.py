"""Python client of PantheraHive: live projects, a local replica, commands that take effect once."""

from __future__ import annotations

from pantherahive_client.backlog import EventStream, ProjectEvent
from pantherahive_client.backoff import Backoff
from pantherahive_client.bot_runs import run_bot
from pantherahive_client.bots import Bot, BotProject
from pantherahive_client.client import Client
from pantherahive_client.commands import UNSET, Sending
from pantherahive_client.cursor_stores import CursorStore, FileCursors, MemoryCursors
from pantherahive_client.derived_ids import derived_id
from pantherahive_client.durable_events import CursorUnreadable, DurableEvents
from pantherahive_client.errors import (
    AlreadyExists,
    ClientClosed,
    Conflict,
    DeadlineExceeded,
    EventsMissed,
    Forbidden,
    HistoryChanged,
    HiveError,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    OpIdReused,
    Overloaded,
    PacketRefused,
    PreconditionFailed,
    RateLimited,
    RuleBroken,
    ServerTimeout,
    StateUnknown,
    StreamClosed,
    StreamHalted,
    TokenExpired,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unreachable,
    UnsupportedMediaType,
)
from pantherahive_client.ids import new_id
from pantherahive_client.invitation_tokens import new_invitation_token
from pantherahive_client.listing import Listing
from pantherahive_client.live_inbox import LiveInbox
from pantherahive_client.log_events import LogEvents
from pantherahive_client.outbox import Ack
from pantherahive_client.pending import PendingCommand
from pantherahive_client.project import Project
from pantherahive_client.project_reads import ProjectReads
from pantherahive_client.project_state import ProjectState
from pantherahive_client.registration import register
from pantherahive_client.rehearsal import Act, Rehearsal, rehearse
from pantherahive_client.settings import Settings

__all__ = [
    "UNSET",
    "Ack",
    "Act",
    "AlreadyExists",
    "Backoff",
    "Bot",
    "BotProject",
    "Client",
    "ClientClosed",
    "Conflict",
    "CursorStore",
    "CursorUnreadable",
    "DeadlineExceeded",
    "DurableEvents",
    "EventStream",
    "EventsMissed",
    "FileCursors",
    "Forbidden",
    "HistoryChanged",
    "HiveError",
    "InternalError",
    "Invalid",
    "Listing",
    "LiveInbox",
    "LogEvents",
    "MemoryCursors",
    "MethodNotAllowed",
    "NotFound",
    "OpIdReused",
    "Overloaded",
    "PacketRefused",
    "PendingCommand",
    "PreconditionFailed",
    "Project",
    "ProjectEvent",
    "ProjectReads",
    "ProjectState",
    "RateLimited",
    "Rehearsal",
    "RuleBroken",
    "Sending",
    "ServerTimeout",
    "Settings",
    "StateUnknown",
    "StreamClosed",
    "StreamHalted",
    "TokenExpired",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "UnsupportedMediaType",
    "derived_id",
    "new_id",
    "new_invitation_token",
    "register",
    "rehearse",
    "run_bot",
]
