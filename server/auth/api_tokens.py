"""API tokens: whose one is. What was read stays in memory for a moment, and every ending is heard of."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from protocol.base import datetime_of
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from server.auth.endings import EndedGrants
from server.auth.opaque import ApiTokenText, digest
from server.auth.tokens import Authenticated
from storage.grant_ports import ApiToken, ApiTokens
from storage.ports import Accounts

TOKENS_REMEMBERED_MAX: Final = 10_000
REMEMBERED_S: Final = 60.0
_WRONG: Final = Rejection(ErrorCode.UNAUTHENTICATED, "the token is not valid")
_EXPIRED: Final = Rejection(ErrorCode.TOKEN_EXPIRED, "the token has expired")


@dataclass(frozen=True, slots=True)
class _Reading:
    """A token, and whose bot it belongs to: that never changes."""

    token: ApiToken
    owner_id: str | None


class ApiTokenReader:
    """Looks tokens up. Storage faults are raised as they are."""

    def __init__(
        self,
        tokens: ApiTokens,
        accounts: Accounts,
        ended: EndedGrants,
        now_s: Callable[[], float],
        remembered_max: int = TOKENS_REMEMBERED_MAX,
    ) -> None:
        self._tokens = tokens
        self._accounts = accounts
        self._ended = ended
        self._now_s = now_s
        self._remembered_max = remembered_max
        # Token id → what was read, and when (seconds since the epoch); the oldest reading first.
        self._read: dict[str, tuple[_Reading, float]] = {}

    def remembered(self, text: str) -> Authenticated | Rejection | None:
        """Whose token it is, as far as that is known without asking; None when somebody has to `look`."""
        given = ApiTokenText.parse(text)
        if given is None:
            return _WRONG
        reading, read_at_s = self._read.get(given.token_id, (None, 0.0))
        if reading is None or not 0 <= self._now_s() - read_at_s < REMEMBERED_S:
            return None
        # Ended since, or so many have that they were forgotten: the table knows.
        if self._ended.refusal(reading.token.token_id, read_at_s) is not None:
            return None
        return self._judged(reading, given)

    async def look(self, text: str) -> Authenticated | Rejection:
        """Whose token it is."""
        given = ApiTokenText.parse(text)
        if given is None:
            return _WRONG
        read_at_s = self._now_s()
        token = await self._tokens.by_id(given.token_id)
        bot = await self._accounts.by_user_id(token.bot_id) if token is not None else None
        self._read.pop(given.token_id, None)
        if token is None or bot is None or self._ended.has_ended(token.token_id):
            return _WRONG
        reading = _Reading(token, bot.owner_id)
        judged = self._judged(reading, given)
        if not isinstance(judged, Rejection):
            self._remember(reading, read_at_s)
        return judged

    def _remember(self, reading: _Reading, read_at_s: float) -> None:
        self._read[reading.token.token_id] = reading, read_at_s
        if len(self._read) > self._remembered_max:
            del self._read[next(iter(self._read))]

    def _judged(self, reading: _Reading, given: ApiTokenText) -> Authenticated | Rejection:
        token = reading.token
        if not hmac.compare_digest(token.secret_hash, digest(given.secret)):
            return _WRONG
        ends_at = _seconds_of(token.expires_at)
        if ends_at is not None and ends_at <= self._now_s():
            return _EXPIRED
        principal = Principal(token.bot_id, "bot", token.scopes, token.project_ids, reading.owner_id)
        return Authenticated(principal, ends_at, token.token_id, int(self._now_s()))


def _seconds_of(instant: str | None) -> int | None:
    moment: datetime | None = datetime_of(instant) if instant is not None else None
    return int(moment.timestamp()) if moment is not None else None
