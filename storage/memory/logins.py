"""Log-ins and their endings in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from storage.grant_ports import Ending, Login, PasswordChange, Rotation
from storage.memory.accounts import MemoryAccounts


class MemoryEndings:
    """Fits `storage.grant_ports.Endings`."""

    def __init__(self) -> None:
        # With the instants at which they ended, ascending by number.
        self._endings: list[tuple[Ending, str]] = []
        # The newest number that was given.
        self._head = 0

    async def after(self, number: int, limit: int) -> Sequence[Ending]:
        """See the port."""
        return [ending for ending, _ in self._endings if ending.number > number][:limit]

    async def forget(self, before: str) -> None:
        """See the port."""
        self._endings = [(ending, at) for ending, at in self._endings if at >= before]

    def record(self, grant_ids: Sequence[str], at: str) -> None:
        """Numbers what has ended."""
        for grant_id in grant_ids:
            self._head += 1
            self._endings.append((Ending(self._head, grant_id), at))


class MemoryLogins:
    """Fits `storage.grant_ports.Logins`."""

    def __init__(self, accounts: MemoryAccounts, endings: MemoryEndings) -> None:
        self._accounts = accounts
        self._endings = endings
        # By id, those that go on, in the order in which they began.
        self._logins: dict[str, Login] = {}

    async def open(self, login: Login, password_hash: str, logins_max: int) -> bool:
        """See the port."""
        account = await self._accounts.by_user_id(login.user_id)
        if account is None or account.password_hash != password_hash:
            return False
        self._logins[login.login_id] = login
        of_user = sorted(
            (one for one in self._logins.values() if one.user_id == login.user_id),
            key=lambda one: (one.started_at, one.login_id),
            reverse=True,
        )
        self._end([one.login_id for one in of_user[logins_max:]], login.started_at)
        return True

    async def by_id(self, login_id: str) -> Login | None:
        """See the port."""
        return self._logins.get(login_id)

    async def rotate(self, login_id: str, rotation: Rotation) -> bool:
        """See the port."""
        login = self._logins.get(login_id)
        if login is None or login.refresh_hash != rotation.was:
            return False
        self._logins[login_id] = replace(
            login,
            refresh_hash=rotation.refresh_hash,
            previous_hash=rotation.was,
            request_hash=rotation.request_hash,
            expires_at=rotation.expires_at,
        )
        return True

    async def end(self, user_id: str, at: str, *, only: str | None = None) -> Sequence[str]:
        """See the port."""
        return self._end([one for one in self._of(user_id) if only in (None, one)], at)

    async def change_password(self, user_id: str, change: PasswordChange, at: str) -> Sequence[str] | None:
        """See the port."""
        account = await self._accounts.by_user_id(user_id)
        if account is None or account.password_hash != change.was:
            return None
        await self._accounts.renew_password_hash(user_id, change.was, change.password_hash)
        return self._end([one for one in self._of(user_id) if one != change.keep], at)

    async def forget_expired(self, now: str) -> None:
        """See the port."""
        self._logins = {key: login for key, login in self._logins.items() if login.expires_at > now}

    def _of(self, user_id: str) -> Sequence[str]:
        return [login.login_id for login in self._logins.values() if login.user_id == user_id]

    def _end(self, login_ids: Sequence[str], at: str) -> Sequence[str]:
        for login_id in login_ids:
            del self._logins[login_id]
        self._endings.record(login_ids, at)
        return login_ids
