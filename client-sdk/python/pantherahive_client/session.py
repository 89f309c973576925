"""Who we are to the server, and its REST side: log in, renew, read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pantherahive_client.errors import (
    Forbidden,
    HiveError,
    NotFound,
    TokenExpired,
    Unauthenticated,
    Unreachable,
)
from pantherahive_client.ids import new_id
from pantherahive_client.rest import Answer, Rest
from pantherahive_client.settings import Settings

_OWN: Final = "/v1/users/me/"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, or a password with a username or an e-mail address. Secrets do not show in `repr`."""

    token: str | None = field(default=None, repr=False)
    username: str | None = None
    email: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.token is None and (self.password is None or (self.username is None and self.email is None)):
            raise ValueError("give a token, or a password with a username or an email")

    @property
    def renewable(self) -> bool:
        """Whether a new token can be had when one ends."""
        return self.password is not None


class Session:
    """The HTTP side of one client. Its methods raise HiveError's classes, Unreachable when nobody answers."""

    def __init__(self, url: str, credentials: Credentials, settings: Settings) -> None:
        self._rest = Rest(url, settings)
        self._credentials = credentials
        self._settings = settings
        # The token in use; None until the first log-in and after `forget`.
        self._token = credentials.token
        # When that token should be renewed, on the monotonic clock; None when its life is not known.
        self._ends_at_s: float | None = None
        # What gets the next token without the password; it serves once.
        self._refresh_token: str | None = None
        # The key of a renewal whose answer did not come: sent again with it, it gets the same answer.
        self._renewal_key: str | None = None
        # One log-in at a time: whoever comes second takes the first one's token.
        self._logging_in = asyncio.Lock()
        # Whose token it is; None for the operator's, and until it is known.
        self.user_id: str | None = None
        # Whether the server was asked that.
        self._has_asked = False

    async def token(self) -> str:
        """A token that is good for a while; logs in when there is none."""
        async with self._logging_in:
            if (self._token is None or self._ends_soon()) and not await self._refresh():
                await self._log_in()
            if self._token is None:
                raise TokenExpired("the token has ended, and there is no password to log in with again")
            return self._token

    def forget(self) -> bool:
        """Drops the token after the server refused it. False when there is no way to get another."""
        if self._credentials.renewable:
            self._token = None
        return self._credentials.renewable

    async def learn_user_id(self) -> None:
        """Asks, once, whose token was given. The operator is nobody, and a token that may only write is not told."""
        if self.user_id is None and not self._has_asked:
            try:
                self.user_id = (await self.get("/v1/users/me")).body["userId"]
            except (NotFound, Forbidden):
                self.user_id = None
            self._has_asked = True

    def renew_in_s(self) -> float | None:
        """When it is time for the next token; None when there will be none, or none is needed."""
        if self._ends_at_s is None or not self._credentials.renewable:
            return None
        return max(0.0, self._ends_at_s - time.monotonic())

    def _ends_soon(self) -> bool:
        return self.renew_in_s() == 0.0

    async def _refresh(self) -> bool:
        """A new token from the refresh token. False: there is none any more, and the password has to help."""
        if self._refresh_token is None:
            return False
        self._renewal_key = self._renewal_key or new_id()
        try:
            body = {"refreshToken": self._refresh_token}
            headers = {"Idempotency-Key": self._renewal_key}
            answer = await self._rest.ask("POST", "/v1/users/refresh", json=body, headers=headers)
        except HiveError as error:
            if error.retryable or isinstance(error, Unreachable):
                raise
            self._refresh_token = self._renewal_key = None
            return False
        self._signed_in(answer.body)
        return True

    async def _log_in(self) -> None:
        who = self._credentials
        if who.password is None:
            return
        body = {"password": who.password}
        body |= {"username": who.username} if who.username is not None else {"email": who.email or ""}
        self._signed_in((await self._rest.ask("POST", "/v1/users/login", json=body)).body)

    def _signed_in(self, answer: Any) -> None:
        if not isinstance(answer, dict) or not isinstance(answer.get("accessToken"), str):
            raise Unauthenticated("the server's answer to the log-in holds no token")
        self._token = answer["accessToken"]
        self.user_id = answer.get("userId")
        refresh_token, self._renewal_key = answer.get("refreshToken"), None
        self._refresh_token = refresh_token if isinstance(refresh_token, str) else None
        life_s = answer.get("expiresIn")
        if isinstance(life_s, int | float):
            # A margin larger than half of a short life would mean to log in for every connection.
            margin_s = min(self._settings.token_margin_s, life_s / 2)
            self._ends_at_s = time.monotonic() + life_s - margin_s

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """What the server answers to `GET path`, asked for with our token; a refused one is renewed once.

        `/v1/users/me/…` is asked of the account whose token it is. Raises Unauthenticated where there is none.
        """
        path = await self._named(path)
        try:
            return await self._rest.ask("GET", path, query=query, headers=await self._authorization())
        except (Unauthenticated, TokenExpired):
            if not self.forget():
                raise
            return await self._rest.ask("GET", path, query=query, headers=await self._authorization())

    async def lines(self, path: str, query: Mapping[str, str] | None = None) -> AsyncIterator[Any]:
        """As Rest.lines, with our token; `me` stands for the same as in `get`."""
        path = await self._named(path)
        try:
            async for line in self._rest.lines(path, query, await self._authorization()):
                yield line
        except (Unauthenticated, TokenExpired):
            if not self.forget():
                raise
            async for line in self._rest.lines(path, query, await self._authorization()):
                yield line

    async def _named(self, path: str) -> str:
        if not path.startswith(_OWN):
            return path
        await self.token()
        await self.learn_user_id()
        if self.user_id is None:
            raise Unauthenticated("this belongs to an account, and the operator has none")
        return f"/v1/users/{self.user_id}/{path.removeprefix(_OWN)}"

    async def _authorization(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {await self.token()}"}

    async def close(self) -> None:
        """Ends the HTTP connections."""
        await self._rest.close()
