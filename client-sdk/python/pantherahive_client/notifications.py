"""One's own inbox."""

from __future__ import annotations

from typing import Any, Unpack

from pantherahive_client.commands import UNSET, Sending, Unset, present
from pantherahive_client.outbox import Ack
from pantherahive_client.private import PrivateCommands


class NotificationCommands(PrivateCommands):
    """The server tells; here it is read."""

    async def mark_read(self, *, up_to: int | Unset = UNSET, **sending: Unpack[Sending]) -> Ack:
        """Moves the read marker to a notification's number, or over everything, on all devices at once."""
        return await self.send_private("MarkRead", present(upTo=up_to), **sending)

    async def notifications(self, *, after: int | None = None, limit: int | None = None) -> dict[str, Any]:
        """Groups newest first with `unread` and `readUpTo`; `after` is the last group's newest number."""
        query = {name: str(value) for name, value in (("after", after), ("limit", limit)) if value is not None}
        answer: dict[str, Any] = await self.get(f"/v1/users/{self.user_id}/notifications", query)
        return answer

    async def explain_notification(self, stream: str, seq: int) -> dict[str, Any]:
        """Why one was, or was not, told of an entry."""
        query = {"stream": stream, "seq": str(seq)}
        answer: dict[str, Any] = await self.get(f"/v1/users/{self.user_id}/notifications/explain", query)
        return answer
