"""The limits of every part, from the settings of the same names."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final, TypeVar

from actors.project.limits import ProjectLimits
from actors.runtime.limits import RuntimeLimits
from actors.user.limits import UserLimits
from config.settings import Settings
from server.arriving_bodies import BodyLimits
from server.auth.bots import BotLimits
from server.auth.logins import LoginLimits
from server.consumers.feed import FeedLimits
from server.consumers.runner import RunnerLimits
from server.gateway.limits import GatewayLimits
from server.past_turns import PastLimits
from server.rate_limits import RateLimits
from server.rest.event_streams import EventStreamLimits
from server.rest.export_places import ExportLimits
from server.unread_answers import AnswerLimits
from server.vitals import Patience
from storage.postgres.pool import DatabaseLimits

L = TypeVar(
    "L",
    RuntimeLimits,
    GatewayLimits,
    EventStreamLimits,
    ExportLimits,
    AnswerLimits,
    BodyLimits,
    PastLimits,
    ProjectLimits,
    UserLimits,
    DatabaseLimits,
    RunnerLimits,
    FeedLimits,
    LoginLimits,
    BotLimits,
    RateLimits,
    Patience,
)

PREFIXES: Final[dict[type, str]] = {
    RuntimeLimits: "",
    GatewayLimits: "",
    EventStreamLimits: "event_stream_",
    ExportLimits: "export_",
    AnswerLimits: "",
    BodyLimits: "",
    PastLimits: "past_",
    ProjectLimits: "project_",
    UserLimits: "user_",
    DatabaseLimits: "database_",
    RunnerLimits: "consumer_",
    FeedLimits: "consumer_queue_",
    LoginLimits: "",
    BotLimits: "",
    RateLimits: "rate_",
    Patience: "",
}
"""Class of limits → what stands before its fields' names in the settings."""


def limits_from(settings: Settings, limits: type[L], **own: Any) -> L:
    """The limits, with the values of the settings; `own` ones are given here. Every other field is a setting."""
    names = {field.name for field in fields(limits)} - own.keys()
    values: dict[str, Any] = {name: getattr(settings, PREFIXES[limits] + name) for name in names}
    return limits(**values, **own)
