"""What signing in needs from storage: log-ins, API tokens, and what was ended. Secrets are known by their hashes only.

A *grant* is what a token hangs on. When it ends, all tokens that hang on it end, on every node. Statements raise
`protocol.faults` as in `storage.ports`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Login:
    """One log-in and everything that was renewed from it: a family of refresh tokens. Instants are canonical.

    `family_hash` is of what all its tokens share, `refresh_hash` of what only the newest one has. `previous_hash` is
    that of the token before it and `request_hash` of the key under which that one was exchanged, None without a key.
    """

    login_id: str
    user_id: str
    family_hash: bytes
    refresh_hash: bytes
    salt: bytes
    started_at: str
    expires_at: str
    previous_hash: bytes | None = None
    request_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """The exchange of a refresh token (`was`, by its hash) for a new one."""

    was: bytes
    refresh_hash: bytes
    request_hash: bytes | None
    expires_at: str


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """From one hash to another; `keep` is the log-in that goes on."""

    was: str
    password_hash: str
    keep: str


class Logins(Protocol):
    """The log-ins that go on. One that has ended is not there any more; its ending is in `Endings`."""

    async def open(self, login: Login, password_hash: str, logins_max: int) -> bool:
        """Begins it, unless the password's hash is another by now: False. The user's oldest beyond the limit end."""
        ...

    async def by_id(self, login_id: str) -> Login | None: ...

    async def rotate(self, login_id: str, rotation: Rotation) -> bool:
        """Exchanges the refresh token. False: `was` is not the newest any more, or the log-in has ended."""
        ...

    async def end(self, user_id: str, at: str, *, only: str | None = None) -> Sequence[str]:
        """Ends all log-ins of the user, or the one that is named; the ids of those that have ended now."""
        ...

    async def change_password(self, user_id: str, change: PasswordChange, at: str) -> Sequence[str] | None:
        """Sets the hash and ends the other log-ins, in one transaction; their ids.

        None, and nothing happens, when the hash is not `was` any more.
        """
        ...

    async def forget_expired(self, now: str) -> None:
        """Drops the log-ins whose refresh token has expired."""
        ...


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token of a bot. `scopes` is what it may do, `project_ids` where; None: wherever the bot may."""

    token_id: str
    bot_id: str
    name: str
    scopes: frozenset[str]
    project_ids: frozenset[str] | None
    secret_hash: bytes
    created_at: str
    expires_at: str | None


class ApiTokens(Protocol):
    """The API tokens that were not revoked."""

    async def create(self, token: ApiToken, tokens_max: int) -> bool:
        """False: the bot has that many already. Raises DuplicateEntry when the id is taken."""
        ...

    async def by_id(self, token_id: str) -> ApiToken | None: ...

    async def of_bot(self, bot_id: str) -> Sequence[ApiToken]:
        """The bot's tokens, in the order in which they were made."""
        ...

    async def revoke(self, bot_id: str, token_id: str, at: str) -> bool:
        """Ends it. False: the bot has no such token."""
        ...


@dataclass(frozen=True, slots=True)
class Ending:
    """A grant that was ended. Numbers ascend in the order of commits, without a gap."""

    number: int
    grant_id: str


class Endings(Protocol):
    """What was ended lately, in order."""

    async def after(self, number: int, limit: int) -> Sequence[Ending]:
        """At most `limit` endings with a higher number, ascending."""
        ...

    async def forget(self, before: str) -> None:
        """Drops those that ended before this instant: no token of theirs can be alive."""
        ...
