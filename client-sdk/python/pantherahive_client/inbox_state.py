"""A person's inbox as a client holds it: equal to the server's snapshot at the same point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pantherahive_client.cursors import cursor_of, seq_of
from pantherahive_client.models import NotificationView, PreferencesView, WireEntry

NOTIFICATIONS_MAX: Final = 1_000
"""Kept by the client, the newest ones; older ones are in the log and still count as unread."""


def _no_preferences() -> PreferencesView:
    return {"channels": {}, "quietHours": None, "mutedProjectIds": []}


@dataclass(slots=True)
class InboxState:
    """Records are replaced, never changed in place."""

    # How many notifications there ever were, and up to which number they are read.
    count: int = 0
    read_up_to: int = 0
    # Number → notification, oldest first.
    notifications: dict[int, NotificationView] = field(default_factory=dict)
    preferences: PreferencesView = field(default_factory=_no_preferences)

    @property
    def unread(self) -> int:
        """Exact, also when not all of them are here."""
        return self.count - self.read_up_to


def inbox_from_parts(parts: Iterable[Mapping[str, Any]]) -> InboxState:
    """The state from all parts of a snapshot. Names that a newer server added are left out."""
    state = InboxState()
    for part in parts:
        if "counters" in part:
            state.count, state.read_up_to = part["counters"]["count"], part["counters"]["readUpTo"]
        if "preferences" in part:
            state.preferences = part["preferences"]
        state.notifications.update((one["number"], one) for one in part.get("notifications", ()))
    return state


def evolve_inbox(state: InboxState, kind: str, data: Mapping[str, Any]) -> None:
    """Takes one event into the state, in place. Kinds that a newer server added change nothing here."""
    preferences = state.preferences
    match kind:
        case "Notified":
            state.count = data["notification"]["number"]
            state.notifications[state.count] = data["notification"]
            while len(state.notifications) > NOTIFICATIONS_MAX:
                del state.notifications[next(iter(state.notifications))]
        case "NotificationsRead":
            state.read_up_to = data["upTo"]
        case "PreferencesSet":
            changes = data["changes"]
            state.preferences = {
                **preferences,
                "channels": {**preferences["channels"], **changes.get("channels", {})},
                "quietHours": changes.get("quietHours", preferences["quietHours"]),
            }
        case "ProjectMuted":
            state.preferences = {
                **preferences,
                "mutedProjectIds": [*preferences["mutedProjectIds"], data["projectId"]],
            }
        case "ProjectUnmuted":
            muted = [one for one in preferences["mutedProjectIds"] if one != data["projectId"]]
            state.preferences = {**preferences, "mutedProjectIds": muted}
        case _:
            return


class InboxReplica:
    """What is held of a person's stream (`following.Held`)."""

    def __init__(self) -> None:
        # The position after the last entry that was taken; None before the first state.
        self.cursor: str | None = None
        self.state = InboxState()

    @property
    def seq(self) -> int:
        """The last entry that was taken; 0 before the first."""
        return seq_of(self.cursor) if self.cursor is not None else 0

    def take(self, entry: WireEntry) -> None:
        """The next entry. Raises KeyError, TypeError or ValueError when it does not fit; then the state is broken."""
        for event in entry["events"]:
            evolve_inbox(self.state, event["kind"], event["data"])
        self.cursor = cursor_of(entry)

    def restart(self, cursor: str, parts: Iterable[Mapping[str, Any]], *, lost_future: bool) -> None:
        """A whole state."""
        self.cursor, self.state = cursor, inbox_from_parts(parts)

    def lose(self) -> None:
        """There is no state to go on from; the next one has to come whole."""
        self.cursor, self.state = None, InboxState()

    def end(self) -> None:
        """Nothing more comes."""
