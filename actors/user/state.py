"""What a user's actor holds in memory. Records are the protocol's views: replaced, never changed."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.notifications import NotificationView
from protocol.preferences import PreferencesView, default_preferences


@dataclass(slots=True)
class UserState:
    """One person's private things. It is there from the start: a person without a notification has an empty inbox."""

    user_id: str
    # How many notifications there ever were, and up to which number they are read.
    count: int = 0
    read_up_to: int = 0
    # The newest notifications by their number, oldest first.
    inbox: dict[int, NotificationView] = field(default_factory=dict)
    preferences: PreferencesView = field(default_factory=default_preferences)

    @property
    def unread(self) -> int:
        """Exact, also when not all of them are in the inbox any more."""
        return self.count - self.read_up_to
