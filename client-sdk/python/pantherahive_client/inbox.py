"""Reading one's own inbox and preferences. `mark_read` moves the read marker, `set_preferences` says what is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pantherahive_client.listing import Listing
from pantherahive_client.models import Explanation, Inbox, NotificationGroup, PreferencesView
from pantherahive_client.rest import Answer
from pantherahive_client.rest_reads import RestReads


class InboxReads(RestReads):
    """For the account that logged in; groups are the server's: the notifications about one task are one."""

    async def inbox(self, *, limit: int | None = None) -> Inbox:
        """The newest groups, how many notifications are unread, and where the read marker stands."""
        view: Inbox = (await self._ask("notifications", {"limit": limit})).body
        return view

    def notifications(self, *, page_size: int | None = None) -> Listing[NotificationGroup]:
        """All groups, newest first."""
        return Listing(self, "/v1/users/me/notifications", {"limit": page_size}, "items")

    async def explain_notification(self, stream: str, seq: int, *, task_id: str | None = None) -> Explanation:
        """Why one was, or was not, told of an entry, or of what it did to one task."""
        query = {"stream": stream, "seq": seq, "taskId": task_id}
        view: Explanation = (await self._ask("notifications/explain", query)).body
        return view

    async def preferences(self) -> PreferencesView:
        """What holds now: channels by reason, quiet hours, muted projects."""
        view: PreferencesView = (await self._ask("preferences", {})).body
        return view

    async def _ask(self, path: str, query: Mapping[str, Any]) -> Answer:
        given = {name: str(value) for name, value in query.items() if value is not None}
        return await self.ask(f"/v1/users/me/{path}", given)
