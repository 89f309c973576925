"""Accounts: plain rows with unique names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import asyncpg

from protocol.base import datetime_of, instant_of
from protocol.faults import DuplicateEntry
from storage.ports import (
    ACCOUNT_REQUESTS_MAX,
    Account,
    AccountChanged,
    AccountChanges,
    AccountRequest,
    AlreadyExists,
    RequestReused,
    UniqueField,
)
from storage.postgres.pool import Database

if TYPE_CHECKING:
    from storage.postgres.pool import Connection

_COLUMNS: Final = (
    "user_id, username, email, password_hash, locale, timezone, created_at, updated_at, profile_created, "
    "first_name, last_name, owner_id, registration"
)
_CREATE: Final = f"INSERT INTO accounts ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"  # noqa: S608
_OWNER_LOCKED: Final = "SELECT 1 FROM accounts WHERE user_id = $1 FOR NO KEY UPDATE"
_BOTS: Final = "SELECT count(*) FROM accounts WHERE owner_id = $1"
_BOTS_OF: Final = f"SELECT {_COLUMNS} FROM accounts WHERE owner_id = $1 ORDER BY user_id"  # noqa: S608
_BY_USER_ID: Final = f"SELECT {_COLUMNS} FROM accounts WHERE user_id = $1"  # noqa: S608
# The unique keys' own words. Names and addresses are ASCII: this is their `str.lower`, in which the wanted ones come.
_NAME: Final = 'lower(username COLLATE "C")'
_ADDRESS: Final = 'lower(email COLLATE "C")'
_BY_USERNAME: Final = f"SELECT {_COLUMNS} FROM accounts WHERE {_NAME} = $1"  # noqa: S608
_BY_EMAIL: Final = f"SELECT {_COLUMNS} FROM accounts WHERE {_ADDRESS} = $1"  # noqa: S608
_IDS_OF: Final = f"SELECT {_NAME} AS name, user_id FROM accounts WHERE {_NAME} = ANY($1::text[])"  # noqa: S608
_UPDATE: Final = f"""
UPDATE accounts
   SET username = CASE WHEN $3 THEN $4 ELSE username END,
       email    = CASE WHEN $5 THEN $6 ELSE email END,
       locale   = CASE WHEN $7 THEN $8 ELSE locale END,
       timezone = CASE WHEN $9 THEN $10 ELSE timezone END,
       updated_at = $2
 WHERE user_id = $1
RETURNING {_COLUMNS}
"""  # noqa: S608
_LOCKED: Final = f"{_BY_USER_ID} FOR UPDATE"
_DIGEST: Final = "SELECT digest FROM account_requests WHERE user_id = $1 AND op_id = $2"
_REMEMBER: Final = "INSERT INTO account_requests (user_id, op_id, digest, at) VALUES ($1, $2, $3, $4)"
# The new one stays, whatever a clock says that was put back.
_FORGET: Final = f"""
DELETE FROM account_requests
 WHERE user_id = $1
   AND op_id IN (SELECT op_id FROM account_requests
                  WHERE user_id = $1 AND op_id <> $2
                  ORDER BY at DESC, op_id
                 OFFSET {ACCOUNT_REQUESTS_MAX - 1})
"""  # noqa: S608
_RENEW: Final = "UPDATE accounts SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2"
_MARK: Final = """
UPDATE accounts SET profile_created = true, first_name = NULL, last_name = NULL
 WHERE user_id = $1 AND NOT profile_created
"""
_FIELD_OF_CONSTRAINT: Final[Mapping[str, UniqueField]] = {
    "accounts_user_id": "userId",
    "accounts_username": "username",
    "accounts_email": "email",
}


class PostgresAccounts:
    """Fits `storage.ports.Accounts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, account: Account) -> None:
        """See the port."""
        await self._write(_CREATE, *_columns_of(account))

    async def create_bot(self, bot: Account, bots_max: int) -> bool:
        """See the port."""

        async def work(connection: Connection) -> bool:
            # The lock on the owner lets two of their requests take their turn.
            await connection.fetch(_OWNER_LOCKED, bot.owner_id)
            if await connection.fetchval(_BOTS, bot.owner_id) >= bots_max:
                return False
            await connection.execute(_CREATE, *_columns_of(bot))
            return True

        try:
            return await self._database.write_together(work)
        except DuplicateEntry as fault:
            raise _already_exists(fault) from fault

    async def bots_of(self, owner_id: str) -> Sequence[Account]:
        """See the port."""
        rows = await self._database.fetch(_BOTS_OF, owner_id)
        return [_account_in(row) for row in rows]

    async def by_user_id(self, user_id: str) -> Account | None:
        """See the port."""
        return _account_of(await self._database.fetch(_BY_USER_ID, user_id))

    async def by_username(self, username: str) -> Account | None:
        """See the port."""
        return _account_of(await self._database.fetch(_BY_USERNAME, username.lower()))

    async def by_email(self, email: str) -> Account | None:
        """See the port."""
        return _account_of(await self._database.fetch(_BY_EMAIL, email.lower()))

    async def ids_of(self, usernames: Collection[str]) -> Mapping[str, str]:
        """See the port."""
        rows = await self._database.fetch(_IDS_OF, sorted({username.lower() for username in usernames}))
        return {row["name"]: str(row["user_id"]) for row in rows}

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

        async def work(connection: Connection) -> Sequence[asyncpg.Record]:
            # The lock lets two requests of one account take their turn: the second sees what the first remembered.
            rows = await connection.fetch(_LOCKED, user_id)
            if not rows or (request is not None and await _is_known(connection, user_id, request)):
                return rows
            if only_if is not None and not only_if(_account_in(rows[0])):
                raise AccountChanged
            if request is not None:
                await connection.execute(_REMEMBER, user_id, request.op_id, request.digest, datetime_of(updated_at))
                await connection.execute(_FORGET, user_id, request.op_id)
            if not changes:
                return rows
            return await connection.fetch(_UPDATE, user_id, datetime_of(updated_at), *_values_of(changes))

        try:
            return _account_of(await self._database.write_together(work))
        except DuplicateEntry as fault:
            raise _already_exists(fault) from fault

    async def renew_password_hash(self, user_id: str, was: str, password_hash: str) -> None:
        """See the port."""
        await self._database.write(_RENEW, user_id, was, password_hash)

    async def mark_profile_created(self, user_id: str) -> None:
        """See the port."""
        await self._database.write(_MARK, user_id)

    async def _write(self, query: str, *args: object) -> list[asyncpg.Record]:
        try:
            return await self._database.write(query, *args)
        except DuplicateEntry as fault:
            raise _already_exists(fault) from fault


def _columns_of(account: Account) -> list[object]:
    return [
        account.user_id,
        account.username,
        account.email,
        account.password_hash,
        account.locale,
        account.timezone,
        datetime_of(account.created_at),
        datetime_of(account.updated_at),
        account.profile_created,
        account.first_name,
        account.last_name,
        account.owner_id,
        account.registration,
    ]


async def _is_known(connection: Connection, user_id: str, request: AccountRequest) -> bool:
    digest: bytes | None = await connection.fetchval(_DIGEST, user_id, request.op_id)
    if digest is not None and digest != request.digest:
        raise RequestReused
    return digest is not None


def _values_of(changes: AccountChanges) -> list[object]:
    """Whether a field is set, and to what, for each field in the order of the statement."""
    fields = ("username", "email", "locale", "timezone")
    return [value for field in fields for value in (field in changes, changes.get(field))]


def _already_exists(fault: DuplicateEntry) -> Exception:
    """Which unique key it was; the fault itself if it is none of ours."""
    name = getattr(fault.__cause__, "constraint_name", None)
    field = _FIELD_OF_CONSTRAINT.get(name or "")
    return fault if field is None else AlreadyExists(field)


def _account_of(rows: Sequence[asyncpg.Record]) -> Account | None:
    return _account_in(rows[0]) if rows else None


def _account_in(row: asyncpg.Record) -> Account:
    return Account(
        user_id=str(row["user_id"]),
        username=row["username"],
        email=row["email"],
        password_hash=row["password_hash"],
        locale=row["locale"],
        timezone=row["timezone"],
        created_at=instant_of(row["created_at"]),
        updated_at=instant_of(row["updated_at"]),
        profile_created=row["profile_created"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        owner_id=str(row["owner_id"]) if row["owner_id"] is not None else None,
        registration=row["registration"],
    )
