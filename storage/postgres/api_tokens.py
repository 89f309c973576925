"""API tokens: plain rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import asyncpg

from protocol.base import datetime_of, instant_of
from storage.grant_ports import ApiToken
from storage.postgres.logins import record_endings
from storage.postgres.pool import Database

if TYPE_CHECKING:
    from storage.postgres.pool import Connection

_COLUMNS: Final = "token_id, bot_id, name, scopes, project_ids, secret_hash, created_at, expires_at"
_CREATE: Final = f"INSERT INTO api_tokens ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"  # noqa: S608
_BY_ID: Final = f"SELECT {_COLUMNS} FROM api_tokens WHERE token_id = $1"  # noqa: S608
_OF_BOT: Final = f"SELECT {_COLUMNS} FROM api_tokens WHERE bot_id = $1 ORDER BY created_at, token_id"  # noqa: S608
_BOT_LOCKED: Final = "SELECT 1 FROM accounts WHERE user_id = $1 FOR NO KEY UPDATE"
_COUNT: Final = "SELECT count(*) FROM api_tokens WHERE bot_id = $1"
_REVOKE: Final = "DELETE FROM api_tokens WHERE bot_id = $1 AND token_id = $2 RETURNING token_id"


class PostgresApiTokens:
    """Fits `storage.grant_ports.ApiTokens`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, token: ApiToken, tokens_max: int) -> bool:
        """See the port."""

        async def work(connection: Connection) -> bool:
            # The lock on the bot lets two requests take their turn.
            await connection.fetch(_BOT_LOCKED, token.bot_id)
            if await connection.fetchval(_COUNT, token.bot_id) >= tokens_max:
                return False
            await connection.execute(_CREATE, *_values_of(token))
            return True

        return await self._database.write_together(work)

    async def by_id(self, token_id: str) -> ApiToken | None:
        """See the port."""
        rows = await self._database.fetch(_BY_ID, token_id)
        return _token_of(rows[0]) if rows else None

    async def of_bot(self, bot_id: str) -> Sequence[ApiToken]:
        """See the port."""
        return [_token_of(row) for row in await self._database.fetch(_OF_BOT, bot_id)]

    async def revoke(self, bot_id: str, token_id: str, at: str) -> bool:
        """See the port."""

        async def work(connection: Connection) -> bool:
            ended = [str(row["token_id"]) for row in await connection.fetch(_REVOKE, bot_id, token_id)]
            await record_endings(connection, ended, at)
            return bool(ended)

        return await self._database.write_together(work)


def _values_of(token: ApiToken) -> list[object]:
    return [
        token.token_id,
        token.bot_id,
        token.name,
        sorted(token.scopes),
        sorted(token.project_ids) if token.project_ids is not None else None,
        token.secret_hash,
        datetime_of(token.created_at),
        datetime_of(token.expires_at) if token.expires_at is not None else None,
    ]


def _token_of(row: asyncpg.Record) -> ApiToken:
    project_ids, expires_at = row["project_ids"], row["expires_at"]
    return ApiToken(
        token_id=str(row["token_id"]),
        bot_id=str(row["bot_id"]),
        name=row["name"],
        scopes=frozenset(row["scopes"]),
        project_ids=frozenset(map(str, project_ids)) if project_ids is not None else None,
        secret_hash=row["secret_hash"],
        created_at=instant_of(row["created_at"]),
        expires_at=instant_of(expires_at) if expires_at is not None else None,
    )
