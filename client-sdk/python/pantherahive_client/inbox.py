"""Reading one's own inbox and preferences."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class InboxReads(ABC):
    """The server tells; here it is read."""

    @property
    @abstractmethod
    def user_id(self) -> str | None:
        """The account that logged in."""

    @abstractmethod
    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON that REST answers to `GET path`."""

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

    async def preferences(self) -> dict[str, Any]:
        """What holds now."""
        answer: dict[str, Any] = await self.get(f"/v1/users/{self.user_id}/preferences")
        return answer
