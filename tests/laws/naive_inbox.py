"""What the log of a person's own stream means; a part of `tests.laws.naive`."""

from __future__ import annotations

from typing import Any

from protocol.log import Entry
from protocol.preferences import DEFAULT_CHANNELS
from tests.laws.records import World, empty_world


def user_world(user_id: str) -> World:
    """An inbox is there from the start."""
    world = empty_world()
    _inbox(world, user_id)
    return world


def _notified(world: World, data: Any, entry: Entry, own: str) -> None:
    notification = data["notification"]
    world["notifications"][str(notification["number"])] = {**notification, "seq": entry.seq}
    _inbox(world, own)["count"] += 1


def _withheld(world: World, data: Any, entry: Entry, own: str) -> None:
    assert data["why"] in ("projectMuted", "reasonOff")


def _read(world: World, data: Any, entry: Entry, own: str) -> None:
    _inbox(world, own)["readUpTo"] = data["upTo"]


def _preferences_set(world: World, data: Any, entry: Entry, own: str) -> None:
    inbox = _inbox(world, own)
    inbox["channels"].update(data["changes"].get("channels", {}))
    if "quietHours" in data["changes"]:
        inbox["quietHours"] = data["changes"]["quietHours"]


def _muted(world: World, data: Any, entry: Entry, own: str) -> None:
    _inbox(world, own)["muted"].append(data["projectId"])


def _unmuted(world: World, data: Any, entry: Entry, own: str) -> None:
    _inbox(world, own)["muted"].remove(data["projectId"])


def _inbox(world: World, own: str) -> Any:
    return world["inboxes"].setdefault(
        own,
        {
            "count": 0,
            "readUpTo": 0,
            "channels": {reason: list(channels) for reason, channels in DEFAULT_CHANNELS.items()},
            "quietHours": None,
            "muted": [],
        },
    )


INBOX_STEPS = {
    "Notified": _notified,
    "NotificationWithheld": _withheld,
    "NotificationsRead": _read,
    "PreferencesSet": _preferences_set,
    "ProjectMuted": _muted,
    "ProjectUnmuted": _unmuted,
}
