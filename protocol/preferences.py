"""What a person wants to be told, and when: their messages and their record of state."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, with_config
from typing_extensions import TypedDict

from protocol.accounts import TimezoneName, known_timezone
from protocol.base import VIEW_CONFIG, AtMost, Unique, Uuid, absent
from protocol.event import Command, Event
from protocol.notifications import CHANNELS, REASONS, Channel, Reason

DEFAULT_CHANNELS: dict[Reason, list[Channel]] = {
    "mentioned": ["inbox", "email", "push"],
    "assigned": ["inbox", "email", "push"],
    "replied": ["inbox", "email", "push"],
    "watched": ["inbox"],
    "dueSoon": ["inbox", "email"],
}


def _zone_is_known(hours: QuietHours | None) -> QuietHours | None:
    """Judged when it is asked for; the log is read without it, since zones come and go."""
    if hours is not None:
        known_timezone(hours["timezone"])
        if hours["start"] == hours["end"]:
            raise ValueError("quiet hours end at another time than they start")
    return hours


def _sensible(channels: list[Channel]) -> list[Channel]:
    if channels and "inbox" not in channels:
        raise ValueError("what is told elsewhere stands in the inbox too")
    return [channel for channel in CHANNELS if channel in channels]


TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""`HH:MM` on a clock of 24 hours."""
Channels = Annotated[list[Channel], Field(max_length=3), Unique(), AfterValidator(_sensible)]


@with_config(VIEW_CONFIG)
class QuietHours(TypedDict):
    """From `start` (included) to `end` (excluded) by the clock of `timezone`; over midnight when `end` is earlier."""

    start: TimeOfDay
    end: TimeOfDay
    timezone: TimezoneName


@with_config(VIEW_CONFIG)
class PreferencesView(TypedDict):
    """Reason → the channels that tell of it; none at all means never. In a muted project only mentions are told."""

    channels: dict[Reason, Channels]
    quietHours: QuietHours | None
    mutedProjectIds: list[Uuid]


@with_config(VIEW_CONFIG)
class PreferenceChanges(TypedDict, total=False):
    """The parts of the preferences that a command can set."""

    channels: dict[Reason, Channels]
    quietHours: QuietHours | None


class SetPreferences(Command):
    """Sets the reasons that are named, and the quiet hours; `null` takes the quiet hours off."""

    channels: Annotated[dict[Reason, Channels], AtMost(len(REASONS))] = absent()
    quiet_hours: Annotated[QuietHours | None, AfterValidator(_zone_is_known)] = absent()


class MuteProject(Command):
    """From now on the person is told of mentions alone in this project."""

    project_id: Uuid


class UnmuteProject(Command):
    """Takes it back."""

    project_id: Uuid


class PreferencesSet(Event):
    """`changes` holds the new values, `was` the previous ones of the same reasons and fields."""

    changes: PreferenceChanges
    was: PreferenceChanges


class ProjectMuted(Event):
    """The project's notifications are withheld, but for mentions."""

    project_id: Uuid


class ProjectUnmuted(Event):
    """They are told again."""

    project_id: Uuid


def default_preferences() -> PreferencesView:
    """What holds for a person who never said anything."""
    return {
        "channels": {reason: list(DEFAULT_CHANNELS[reason]) for reason in REASONS},
        "quietHours": None,
        "mutedProjectIds": [],
    }
