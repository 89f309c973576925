"""What all reads over REST ask of a client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import Any

from pantherahive_client.rest import Answer
from pantherahive_client.settings import Settings


class RestReads(ABC):
    """Asks with the client's own token. `/v1/users/me/…` stands for the account whose token it is."""

    @property
    @abstractmethod
    def settings(self) -> Settings:
        """The client's limits."""

    @abstractmethod
    async def ask(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """What REST answers to `GET path`: the JSON, and the headers that say of a list where it goes on."""

    @abstractmethod
    def lines(self, path: str, query: Mapping[str, str] | None = None) -> AsyncIterator[Any]:
        """The JSON of each line that REST answers to `GET path` with NDJSON, as it comes: exports."""
