"""Log-ins and their endings: plain rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import asyncpg

from protocol.base import datetime_of, instant_of
from storage.grant_ports import Ending, Login, PasswordChange, Rotation
from storage.postgres.pool import Database

if TYPE_CHECKING:
    from storage.postgres.pool import Connection

_COLUMNS: Final = (
    "login_id, user_id, family_hash, refresh_hash, salt, started_at, expires_at, previous_hash, request_hash"
)
_INSERT: Final = f"INSERT INTO logins ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"  # noqa: S608
_BY_ID: Final = f"SELECT {_COLUMNS} FROM logins WHERE login_id = $1"  # noqa: S608
# Waits for a change of the password that is under way, and is seen by one that comes later.
_HELD: Final = "SELECT 1 FROM accounts WHERE user_id = $1 AND password_hash = $2 FOR NO KEY UPDATE"
_END_OLDEST: Final = """
DELETE FROM logins
 WHERE login_id IN (SELECT login_id FROM logins WHERE user_id = $1 ORDER BY started_at DESC, login_id DESC OFFSET $2)
RETURNING login_id
"""
_ROTATE: Final = """
UPDATE logins SET refresh_hash = $3, previous_hash = $2, request_hash = $4, expires_at = $5
 WHERE login_id = $1 AND refresh_hash = $2
RETURNING login_id
"""
_END: Final = "DELETE FROM logins WHERE user_id = $1 AND ($2::uuid IS NULL OR login_id = $2) RETURNING login_id"
_END_OTHERS: Final = "DELETE FROM logins WHERE user_id = $1 AND login_id <> $2 RETURNING login_id"
_CHANGE: Final = """
UPDATE accounts SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2 RETURNING user_id
"""
_FORGET_EXPIRED: Final = "DELETE FROM logins WHERE expires_at <= $1"
_NUMBERS: Final = "UPDATE endings_head SET head = head + $1 RETURNING head"
_RECORD: Final = """
INSERT INTO endings (number, grant_id, ended_at)
SELECT $1 + ordinal, grant_id, $3 FROM unnest($2::uuid[]) WITH ORDINALITY AS ended (grant_id, ordinal)
"""
_AFTER: Final = "SELECT number, grant_id FROM endings WHERE number > $1 ORDER BY number LIMIT $2"
_FORGET: Final = "DELETE FROM endings WHERE ended_at < $1"


class PostgresLogins:
    """Fits `storage.grant_ports.Logins`. Rows are locked in one order: the account, its log-ins, the endings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, login: Login, password_hash: str, logins_max: int) -> bool:
        """See the port."""

        async def work(connection: Connection) -> bool:
            if not await connection.fetch(_HELD, login.user_id, password_hash):
                return False
            await connection.execute(_INSERT, *_values_of(login))
            ended = await connection.fetch(_END_OLDEST, login.user_id, logins_max)
            await record_endings(connection, _ids_of(ended), login.started_at)
            return True

        return await self._database.write_together(work)

    async def by_id(self, login_id: str) -> Login | None:
        """See the port."""
        rows = await self._database.fetch(_BY_ID, login_id)
        return _login_of(rows[0]) if rows else None

    async def rotate(self, login_id: str, rotation: Rotation) -> bool:
        """See the port."""
        rows = await self._database.write(
            _ROTATE,
            login_id,
            rotation.was,
            rotation.refresh_hash,
            rotation.request_hash,
            datetime_of(rotation.expires_at),
        )
        return bool(rows)

    async def end(self, user_id: str, at: str, *, only: str | None = None) -> Sequence[str]:
        """See the port."""

        async def work(connection: Connection) -> Sequence[str]:
            ended = _ids_of(await connection.fetch(_END, user_id, only))
            await record_endings(connection, ended, at)
            return ended

        return await self._database.write_together(work)

    async def change_password(self, user_id: str, change: PasswordChange, at: str) -> Sequence[str] | None:
        """See the port."""

        async def work(connection: Connection) -> Sequence[str] | None:
            if not await connection.fetch(_CHANGE, user_id, change.was, change.password_hash):
                return None
            ended = _ids_of(await connection.fetch(_END_OTHERS, user_id, change.keep))
            await record_endings(connection, ended, at)
            return ended

        return await self._database.write_together(work)

    async def forget_expired(self, now: str) -> None:
        """See the port."""
        await self._database.write(_FORGET_EXPIRED, datetime_of(now))


class PostgresEndings:
    """Fits `storage.grant_ports.Endings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, number: int, limit: int) -> Sequence[Ending]:
        """See the port."""
        rows = await self._database.fetch(_AFTER, number, limit)
        return [Ending(row["number"], str(row["grant_id"])) for row in rows]

    async def forget(self, before: str) -> None:
        """See the port."""
        await self._database.write(_FORGET, datetime_of(before))


async def record_endings(connection: Connection, grant_ids: Sequence[str], at: str) -> None:
    """Numbers what has ended in this transaction. The last step of it: the lock that gives numbers is everybody's."""
    if not grant_ids:
        return
    head: int = await connection.fetchval(_NUMBERS, len(grant_ids))
    await connection.execute(_RECORD, head - len(grant_ids), grant_ids, datetime_of(at))


def _ids_of(rows: Sequence[asyncpg.Record]) -> Sequence[str]:
    return [str(row["login_id"]) for row in rows]


def _values_of(login: Login) -> list[object]:
    return [
        login.login_id,
        login.user_id,
        login.family_hash,
        login.refresh_hash,
        login.salt,
        datetime_of(login.started_at),
        datetime_of(login.expires_at),
        login.previous_hash,
        login.request_hash,
    ]


def _login_of(row: asyncpg.Record) -> Login:
    return Login(
        login_id=str(row["login_id"]),
        user_id=str(row["user_id"]),
        family_hash=row["family_hash"],
        refresh_hash=row["refresh_hash"],
        salt=row["salt"],
        started_at=instant_of(row["started_at"]),
        expires_at=instant_of(row["expires_at"]),
        previous_hash=row["previous_hash"],
        request_hash=row["request_hash"],
    )
