"""Access tokens: JWTs signed with Ed25519 and nothing else (RFC 8725, RFC 9068), and the operator's token.

Time is an argument: seconds since the epoch.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.errors import ErrorCode, Rejection
from protocol.event import OPERATOR, Principal

ALGORITHM: Final = "EdDSA"
ISSUER: Final = "pantherahive"
AUDIENCE: Final = "pantherahive-api"
TYPE: Final = "at+jwt"
TOKEN_CHARACTERS_MAX: Final = 4096

_REQUIRED = ["exp", "iat", "nbf", "iss", "aud", "sub", "jti", "sid"]
_HEADER_NAMES = frozenset({"alg", "typ"})
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WRONG = Rejection(ErrorCode.UNAUTHENTICATED, "the token is not valid")
_EXPIRED = Rejection(ErrorCode.TOKEN_EXPIRED, "the token has expired; log in again")


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who a token stands for. `expires_at_s` is when it ends (seconds since the epoch); None: never.

    `grant_id` is what it hangs on and ends with: a log-in, or the API token itself. The operator's hangs on nothing.
    `issued_at_s` is when it was signed, or read from the table.
    """

    principal: Principal
    expires_at_s: int | None
    grant_id: str | None = None
    issued_at_s: int | None = None


class Tokens:
    """Issues access tokens and tells whose a token is."""

    def __init__(self, key: Ed25519PrivateKey, admin_token: str, lifetime_s: int) -> None:
        self._key = key
        self._public_key = key.public_key()
        self._admin_token = admin_token.encode()
        self.lifetime_s = lifetime_s

    def issue(self, user_id: str, login_id: str, token_id: str, now_s: float) -> str:
        """An access token of a log-in, which starts now. `token_id` is its own, never used again."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "jti": token_id,
            "sid": login_id,
            "iat": int(now_s),
            "nbf": int(now_s),
            "exp": int(now_s) + self.lifetime_s,
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"typ": TYPE})

    def authenticate(self, token: str, now_s: float) -> Authenticated | Rejection:
        """Whose token it is. Why a token is wrong is told only for an expired one."""
        if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
            return _WRONG
        if hmac.compare_digest(token.encode(), self._admin_token):
            return Authenticated(OPERATOR, None)
        try:
            decoded = jwt.decode_complete(
                token,
                self._public_key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # The times are judged below, by the caller's clock.
                options={"require": _REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            return _WRONG
        if decoded["header"].get("typ") != TYPE or not _HEADER_NAMES.issuperset(decoded["header"]):
            return _WRONG
        return _judged(decoded["payload"], now_s)


def _judged(claims: dict[str, Any], now_s: float) -> Authenticated | Rejection:
    subject, token_id, login_id = claims["sub"], claims["jti"], claims["sid"]
    if not isinstance(token_id, str) or not all(_is_id(one) for one in (subject, login_id)):
        return _WRONG
    times = [claims[name] for name in ("iat", "nbf", "exp")]
    if any(isinstance(one, bool) or not isinstance(one, int) for one in times):
        return _WRONG
    issued_at, not_before, expires_at = times
    if issued_at > now_s or not_before > now_s:
        return _WRONG
    if expires_at <= now_s:
        return _EXPIRED
    return Authenticated(Principal(subject), expires_at, login_id, issued_at)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None
