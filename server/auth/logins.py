"""Log-ins: begun with a password, renewed with refresh tokens, ended by logout and by a new password.

A refresh token is exchanged once (RFC 9700 §4.14.2). One that comes again was copied, by whomever: its log-in ends.
Only who sends the same request again, with its `Idempotency-Key`, gets the same answer: the answer may have been lost.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

import structlog

from actors.ports import Clock, Ids
from protocol.accounts import PasswordChangeRequest, UserAuthResponse
from protocol.base import datetime_of, instant_of
from protocol.errors import ErrorCode, Rejection
from protocol.faults import StorageFault
from server.auth.opaque import SECRET_BYTES, RefreshToken, digest
from server.auth.passwords import Passwords
from server.auth.principal import Authenticator
from server.auth.tokens import Authenticated
from storage.grant_ports import Login, Logins, PasswordChange, Rotation
from storage.ports import Account, Accounts

log = structlog.get_logger("pantherahive.logins")

_NO_LOGIN = Rejection(ErrorCode.UNAUTHENTICATED, "the refresh token is not valid; log in again")
_NOT_A_LOGIN = Rejection(ErrorCode.FORBIDDEN, "this takes the access token of a log-in")
_WRONG_PASSWORD = Rejection(ErrorCode.FORBIDDEN, "the current password is wrong", {"reason": "wrong_password"})
_CHANGED_MEANWHILE = Rejection(ErrorCode.CONFLICT, "the password was changed meanwhile")


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """A log-in ends when it was not renewed for so long; a user's oldest ends when there are too many."""

    refresh_token_lifetime_s: int = 30 * 86_400
    logins_per_user_max: int = 100


class LoginService:
    """Begins, renews and ends log-ins. Storage faults are raised as they are."""

    def __init__(
        self,
        accounts: Accounts,
        logins: Logins,
        authenticator: Authenticator,
        passwords: Passwords,
        clock: Clock,
        ids: Ids,
        limits: LoginLimits,
    ) -> None:
        self._accounts = accounts
        self._logins = logins
        self._authenticator = authenticator
        self._passwords = passwords
        self._clock = clock
        self._ids = ids
        self._limits = limits

    async def begin(self, account: Account) -> UserAuthResponse | None:
        """Signs the account's user in; None when its password was changed since the account was read."""
        token = RefreshToken.new(self._ids.new_id())
        login = Login(
            login_id=token.login_id,
            user_id=account.user_id,
            family_hash=digest(token.family),
            refresh_hash=digest(token.secret),
            salt=secrets.token_bytes(SECRET_BYTES),
            started_at=self._clock.now(),
            expires_at=self._expiry(),
        )
        if not await self._logins.open(login, account.password_hash, self._limits.logins_per_user_max):
            return None
        return self._signed_in(account, token)

    async def refresh(self, text: str, request_key: str | None) -> UserAuthResponse | Rejection:
        """Exchanges a refresh token. `request_key` names the request: the same one again gets the same token."""
        token = RefreshToken.parse(text)
        login = await self._logins.by_id(token.login_id) if token is not None else None
        if token is None or login is None or not hmac.compare_digest(login.family_hash, digest(token.family)):
            return _NO_LOGIN
        if login.expires_at <= self._clock.now():
            return _NO_LOGIN
        following = await self._exchanged(login, token, request_key) or await self._repeated(token, request_key)
        account = await self._accounts.by_user_id(login.user_id)
        if following is None or account is None:
            await self._end_misused(login)
            return _NO_LOGIN
        return self._signed_in(account, following)

    async def logout(self, known: Authenticated, everywhere: bool) -> Rejection | None:
        """Ends the log-in that the token hangs on, or all of its user."""
        if known.principal.kind != "user" or known.grant_id is None:
            return _NOT_A_LOGIN
        only = None if everywhere else known.grant_id
        ended = await self._logins.end(known.principal.id, self._clock.now(), only=only)
        self._authenticator.ended.add([*ended, known.grant_id])
        return None

    async def change_password(self, known: Authenticated, wanted: PasswordChangeRequest) -> Rejection | None:
        """Sets a new password; all other log-ins of the user end. The same request again changes nothing more."""
        if known.principal.kind != "user" or known.grant_id is None:
            return _NOT_A_LOGIN
        account = await self._accounts.by_user_id(known.principal.id)
        if account is None:
            return _NO_LOGIN
        for given in (wanted.current_password, wanted.new_password):
            verified = await self._passwords.verify(given, account.password_hash)
            if isinstance(verified, Rejection):
                return verified
            if verified.matches:
                break
        else:
            return _WRONG_PASSWORD
        new_hash = await self._passwords.hash(wanted.new_password)
        if isinstance(new_hash, Rejection):
            return new_hash
        change = PasswordChange(account.password_hash, new_hash, known.grant_id)
        ended = await self._logins.change_password(account.user_id, change, self._clock.now())
        if ended is None:
            return _CHANGED_MEANWHILE
        self._authenticator.ended.add(ended)
        return None

    async def run(self, interval_s: float) -> None:
        """Drops, again and again, what nobody can renew any more; until cancelled."""
        while True:
            await asyncio.sleep(interval_s)
            try:
                await self._logins.forget_expired(self._clock.now())
            except StorageFault as fault:
                log.warning("expired log-ins stay until the next time", fault=type(fault).__name__)

    async def _exchanged(self, login: Login, token: RefreshToken, key: str | None) -> RefreshToken | None:
        """The token that takes the place of the newest one; None when it is not the newest."""
        was = digest(token.secret)
        if not hmac.compare_digest(login.refresh_hash, was):
            return None
        secret = secrets.token_bytes(SECRET_BYTES) if key is None else _derived(login, token, key)
        request_hash = digest(key.encode()) if key is not None else None
        rotation = Rotation(was, digest(secret), request_hash, self._expiry())
        return token.followed_by(secret) if await self._logins.rotate(login.login_id, rotation) else None

    async def _repeated(self, token: RefreshToken, key: str | None) -> RefreshToken | None:
        """The token that this very request was answered with before; None when it was another request."""
        login = await self._logins.by_id(token.login_id) if key is not None else None
        if login is None or key is None or login.previous_hash is None or login.request_hash is None:
            return None
        secret = _derived(login, token, key)
        same = (
            hmac.compare_digest(login.previous_hash, digest(token.secret))
            and hmac.compare_digest(login.request_hash, digest(key.encode()))
            and hmac.compare_digest(login.refresh_hash, digest(secret))
        )
        return token.followed_by(secret) if same else None

    async def _end_misused(self, login: Login) -> None:
        ended = await self._logins.end(login.user_id, self._clock.now(), only=login.login_id)
        self._authenticator.ended.add(ended)
        if ended:
            log.warning("a refresh token came twice; its log-in was ended", user_id=login.user_id, login=login.login_id)

    def _signed_in(self, account: Account, token: RefreshToken) -> UserAuthResponse:
        return UserAuthResponse(
            user_id=account.user_id,
            username=account.username,
            access_token=self._authenticator.token_for(account.user_id, token.login_id),
            token_type="Bearer",  # noqa: S106 the kind of token, RFC 6750
            expires_in=self._authenticator.token_lifetime_s,
            refresh_token=token.text(),
            refresh_expires_in=self._limits.refresh_token_lifetime_s,
        )

    def _expiry(self) -> str:
        lifetime = timedelta(seconds=self._limits.refresh_token_lifetime_s)
        return instant_of(datetime_of(self._clock.now()) + lifetime)


def _derived(login: Login, token: RefreshToken, key: str) -> bytes:
    """The same secret for the same request. Whoever has only the old token, or only the table, cannot make it."""
    return hmac.digest(token.secret, login.salt + key.encode(), "sha256")
