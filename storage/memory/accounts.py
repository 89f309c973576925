"""Accounts in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from storage.ports import (
    ACCOUNT_REQUESTS_MAX,
    Account,
    AccountChanged,
    AccountChanges,
    AccountRequest,
    AlreadyExists,
    RequestReused,
)


class MemoryAccounts:
    """Fits `storage.ports.Accounts`."""

    def __init__(self) -> None:
        # By user id.
        self._accounts: dict[str, Account] = {}
        # User id → opId → digest, the oldest first.
        self._requests: dict[str, dict[str, bytes]] = {}

    async def create(self, account: Account) -> None:
        """See the port."""
        if account.user_id in self._accounts:
            raise AlreadyExists("userId")
        self._check_unique(account)
        self._accounts[account.user_id] = account

    async def create_bot(self, bot: Account, bots_max: int) -> bool:
        """See the port."""
        if len(await self.bots_of(bot.owner_id or "")) >= bots_max:
            return False
        await self.create(bot)
        return True

    async def bots_of(self, owner_id: str) -> Sequence[Account]:
        """See the port."""
        bots = [account for account in self._accounts.values() if account.owner_id == owner_id]
        return sorted(bots, key=lambda bot: bot.user_id)

    async def by_user_id(self, user_id: str) -> Account | None:
        """See the port."""
        return self._accounts.get(user_id)

    async def by_username(self, username: str) -> Account | None:
        """See the port."""
        return next((a for a in self._accounts.values() if a.username.lower() == username.lower()), None)

    async def by_email(self, email: str) -> Account | None:
        """See the port."""
        return next((a for a in self._accounts.values() if a.email and a.email.lower() == email.lower()), None)

    async def ids_of(self, usernames: Collection[str]) -> Mapping[str, str]:
        """See the port."""
        wanted = {username.lower() for username in usernames}
        ids = {account.username.lower(): account.user_id for account in self._accounts.values()}
        return {username: ids[username] for username in wanted if username in ids}

    async def update(
        self,
        user_id: str,
        changes: AccountChanges,
        updated_at: str,
        request: AccountRequest | None = None,
        *,
        only_if: Callable[[Account], bool] | None = None,
    ) -> Account | None:
        """See the port."""
        account = self._accounts.get(user_id)
        if account is None or (request is not None and self._is_known(user_id, request)):
            return account
        if only_if is not None and not only_if(account):
            raise AccountChanged
        changed = replace(account, **changes, updated_at=updated_at) if changes else account
        self._check_unique(changed)
        self._accounts[user_id] = changed
        if request is not None:
            self._remember(user_id, request)
        return changed

    async def renew_password_hash(self, user_id: str, was: str, password_hash: str) -> None:
        """See the port."""
        account = self._accounts.get(user_id)
        if account is not None and account.password_hash == was:
            self._accounts[user_id] = replace(account, password_hash=password_hash)

    async def mark_profile_created(self, user_id: str) -> None:
        """See the port."""
        account = self._accounts.get(user_id)
        if account is not None:
            self._accounts[user_id] = replace(account, profile_created=True, first_name=None, last_name=None)

    def _is_known(self, user_id: str, request: AccountRequest) -> bool:
        digest = self._requests.get(user_id, {}).get(request.op_id)
        if digest is not None and digest != request.digest:
            raise RequestReused
        return digest is not None

    def _remember(self, user_id: str, request: AccountRequest) -> None:
        requests = self._requests.setdefault(user_id, {})
        requests[request.op_id] = request.digest
        if len(requests) > ACCOUNT_REQUESTS_MAX:
            del requests[next(iter(requests))]

    def _check_unique(self, account: Account) -> None:
        others = [other for other in self._accounts.values() if other.user_id != account.user_id]
        if any(other.username.lower() == account.username.lower() for other in others):
            raise AlreadyExists("username")
        email = account.email
        if email is not None and any(o.email is not None and o.email.lower() == email.lower() for o in others):
            raise AlreadyExists("email")
