"""Accounts: plain rows with unique names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import asyncpg

from protocol.base import datetime_of, instant_of
from protocol.faults import DuplicateEntry
from storage.ports import Account, AccountChanges, AlreadyExists, UniqueField
from storage.postgres.pool import Database

_COLUMNS: Final = (
    "user_id, username, email, password_hash, locale, timezone, created_at, updated_at, profile_created, "
    "first_name, last_name"
)
_CREATE: Final = f"INSERT INTO accounts ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"  # noqa: S608
_BY_USER_ID: Final = f"SELECT {_COLUMNS} FROM accounts WHERE user_id = $1"  # noqa: S608
_BY_USERNAME: Final = f"SELECT {_COLUMNS} FROM accounts WHERE lower(username) = lower($1)"  # noqa: S608
_BY_EMAIL: Final = f"SELECT {_COLUMNS} FROM accounts WHERE lower(email) = lower($1)"  # noqa: S608
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
        await self._write(
            _CREATE,
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
        )

    async def by_user_id(self, user_id: str) -> Account | None:
        """See the port."""
        return _account_of(await self._database.fetch(_BY_USER_ID, user_id))

    async def by_username(self, username: str) -> Account | None:
        """See the port."""
        return _account_of(await self._database.fetch(_BY_USERNAME, username))

    async def by_email(self, email: str) -> Account | None:
        """See the port."""
        return _account_of(await self._database.fetch(_BY_EMAIL, email))

    async def update(self, user_id: str, changes: AccountChanges, updated_at: str) -> Account | None:
        """See the port."""
        fields = ("username", "email", "locale", "timezone")
        values = [value for field in fields for value in (field in changes, changes.get(field))]
        return _account_of(await self._write(_UPDATE, user_id, datetime_of(updated_at), *values))

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


def _already_exists(fault: DuplicateEntry) -> Exception:
    """Which unique key it was; the fault itself if it is none of ours."""
    name = getattr(fault.__cause__, "constraint_name", None)
    field = _FIELD_OF_CONSTRAINT.get(name or "")
    return fault if field is None else AlreadyExists(field)


def _account_of(rows: list[asyncpg.Record]) -> Account | None:
    if not rows:
        return None
    row = rows[0]
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
    )
