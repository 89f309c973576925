"""One's own inbox, live: what is told, and the read marker that moves on all devices at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pantherahive_client.backlog import EventStream
from pantherahive_client.followed_stream import FollowedStream, Follower
from pantherahive_client.following import Following
from pantherahive_client.inbox_state import InboxReplica
from pantherahive_client.models import NotificationView, PreferencesView
from pantherahive_client.settings import Settings


class LiveInbox(FollowedStream):
    """Made by `Client.live_inbox`; open inside `async with`. Commands (`mark_read` …) are the client's."""

    def __init__(self, follower: Follower, user_id: str, settings: Settings) -> None:
        self._replica = InboxReplica()
        super().__init__(follower, Following(f"user/{user_id}", self._replica, settings), settings)

    @property
    def unread(self) -> int:
        """How many notifications are unread, exactly."""
        return self._replica.state.unread

    @property
    def read_up_to(self) -> int:
        """The number up to which all are read."""
        return self._replica.state.read_up_to

    @property
    def notifications(self) -> list[NotificationView]:
        """The newest notifications, newest first."""
        return list(reversed(self._replica.state.notifications.values()))

    @property
    def preferences(self) -> PreferencesView:
        """What holds now."""
        return self._replica.state.preferences

    def incoming(self) -> AsyncIterator[NotificationView]:
        """Every notification from this call on, each once. Raises what `events` raises."""
        return _notifications(self.events())

    def unread_counts(self) -> AsyncIterator[int]:
        """`unread`: now, and whenever it is another one. Only the newest is given, nothing queues up."""
        return self._watch(lambda: self.unread)


async def _notifications(reader: EventStream) -> AsyncIterator[NotificationView]:
    async with reader as events:
        async for event in events:
            if event.kind == "Notified":
                yield event.data["notification"]
