"""Who is calling: from a bearer token to a principal, and from a log-in to a token."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from protocol.errors import ErrorCode, Rejection
from server.auth.api_tokens import ApiTokenReader
from server.auth.endings import EndedGrants
from server.auth.opaque import API_PREFIX
from server.auth.tokens import Authenticated, Tokens

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+) *", re.IGNORECASE)

NOT_KNOWN_YET = Rejection(ErrorCode.UNAVAILABLE, "the token has to be looked up", {"retryAfterS": 1})
NO_TOKEN = Rejection(ErrorCode.UNAUTHENTICATED, "a bearer token is needed")


class Authenticator:
    """Tells who calls, and signs users in. The clock is an argument, so that nobody waits for a token's end."""

    def __init__(
        self,
        tokens: Tokens,
        ended: EndedGrants,
        api_tokens: ApiTokenReader,
        new_id: Callable[[], str],
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._tokens = tokens
        self.ended = ended
        self._api_tokens = api_tokens
        self._new_id = new_id
        self.now_s = now_s

    @property
    def token_lifetime_s(self) -> int:
        """Life of an access token, in seconds."""
        return self._tokens.lifetime_s

    def token_for(self, user_id: str, login_id: str) -> str:
        """A new access token of the user, which ends with the log-in."""
        return self._tokens.issue(user_id, login_id, self._new_id(), self.now_s())

    def of_header(self, header: str | None) -> Authenticated | Rejection:
        """Who sent an `Authorization` header (RFC 6750 §2.1)."""
        token = self.bearer_of(header)
        return NO_TOKEN if token is None else self.of_token(token)

    def bearer_of(self, header: str | None) -> str | None:
        """The bare token of an `Authorization` header."""
        match = _BEARER.fullmatch(header) if header is not None else None
        return None if match is None else match[1]

    async def look_up(self, token: str) -> Authenticated | Rejection:
        """As `of_token`, and asks the database when that is needed. Raises StorageFault."""
        known = self.of_token(token)
        return await self._api_tokens.look(token) if known is NOT_KNOWN_YET else known

    def of_token(self, token: str) -> Authenticated | Rejection:
        """The principal of a bare token, and until when it holds: what CONNECT of the live protocol carries.

        NOT_KNOWN_YET for an API token that has to be looked up.
        """
        if token.startswith(API_PREFIX):
            return self._api_tokens.remembered(token) or NOT_KNOWN_YET
        known = self._tokens.authenticate(token, self.now_s())
        if isinstance(known, Rejection) or known.grant_id is None:
            return known
        return self.ended.refusal(known.grant_id, known.issued_at_s) or known
