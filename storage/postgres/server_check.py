"""What is asked of a Postgres server before anything is trusted to it."""

from __future__ import annotations

from typing import Final

import asyncpg

from storage.postgres.errors import ServerTooOld, UnsafeDurability

SERVER_VERSION_MIN: Final = 150_000
"""`server_version_num` of the oldest Postgres that is served: 15.0."""

_DURABILITY_SETTINGS: Final = ("fsync", "full_page_writes", "synchronous_commit")


async def check_version(connection: asyncpg.Connection) -> None:
    """Raises ServerTooOld."""
    version = int(await connection.fetchval("SHOW server_version_num"))
    if version < SERVER_VERSION_MIN:
        found = await connection.fetchval("SHOW server_version")
        raise ServerTooOld(f"The database is Postgres {found}; version 15 or newer is needed.")


async def check_durability(connection: asyncpg.Connection, *, unsafe_durability: bool) -> None:
    """Raises UnsafeDurability, which names the settings, unless the operator has said that losing data is fine."""
    rows = await connection.fetch(
        "SELECT name FROM pg_settings WHERE name = ANY($1) AND setting = 'off' ORDER BY name",
        list(_DURABILITY_SETTINGS),
    )
    if rows and not unsafe_durability:
        names = ", ".join(f"{row['name']}=off" for row in rows)
        raise UnsafeDurability(
            f"The database runs with {names}: what was acknowledged could be lost in a crash. Switch it on, or start "
            "with --unsafe-durability if the data does not matter."
        )
