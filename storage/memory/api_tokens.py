"""API tokens in memory."""

from __future__ import annotations

from collections.abc import Sequence

from protocol.faults import DuplicateEntry
from storage.grant_ports import ApiToken
from storage.memory.logins import MemoryEndings


class MemoryApiTokens:
    """Fits `storage.grant_ports.ApiTokens`."""

    def __init__(self, endings: MemoryEndings) -> None:
        self._endings = endings
        # By id.
        self._tokens: dict[str, ApiToken] = {}

    async def create(self, token: ApiToken, tokens_max: int) -> bool:
        """See the port."""
        if len(await self.of_bot(token.bot_id)) >= tokens_max:
            return False
        if token.token_id in self._tokens:
            raise DuplicateEntry("token_id")
        self._tokens[token.token_id] = token
        return True

    async def by_id(self, token_id: str) -> ApiToken | None:
        """See the port."""
        return self._tokens.get(token_id)

    async def of_bot(self, bot_id: str) -> Sequence[ApiToken]:
        """See the port."""
        tokens = [token for token in self._tokens.values() if token.bot_id == bot_id]
        return sorted(tokens, key=lambda token: (token.created_at, token.token_id))

    async def revoke(self, bot_id: str, token_id: str, at: str) -> bool:
        """See the port."""
        token = self._tokens.get(token_id)
        if token is None or token.bot_id != bot_id:
            return False
        del self._tokens[token_id]
        self._endings.record([token_id], at)
        return True
