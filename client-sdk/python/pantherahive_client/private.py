"""What the typed commands on one's own private stream share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Unpack

from pantherahive_client.commands import Sending
from pantherahive_client.outbox import Ack


class PrivateCommands(ABC):
    """Sends commands to the stream that only its person may follow, and reads from it."""

    @property
    @abstractmethod
    def user_id(self) -> str | None:
        """The account that logged in."""

    @abstractmethod
    async def send_private(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """A command to one's own private stream. Raises Unauthenticated without an account."""

    @abstractmethod
    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON that REST answers to `GET path`."""
