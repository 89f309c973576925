"""What is asked of a Postgres server and its database before anything is trusted to them."""

from __future__ import annotations

from typing import Final

import asyncpg

from storage.postgres.errors import ReadOnly, ServerTooOld, UnsafeDurability, WrongEncoding

SERVER_VERSION_MIN: Final = 150_000
"""`server_version_num` of the oldest Postgres that is served: 15.0."""

ENCODING: Final = "UTF8"
"""The one encoding that holds every text of the protocol."""

_DURABILITY_SETTINGS: Final = ("fsync", "full_page_writes", "synchronous_commit")


async def check_server(connection: asyncpg.Connection, *, unsafe_durability: bool) -> None:
    """All that is refused whatever the tables are. Changes nothing.

    Raises ServerTooOld, ReadOnly, WrongEncoding, UnsafeDurability.
    """
    await _check_version(connection)
    await _check_writable(connection)
    await _check_encoding(connection)
    await _check_durability(connection, unsafe_durability=unsafe_durability)


async def _check_version(connection: asyncpg.Connection) -> None:
    version = int(await connection.fetchval("SHOW server_version_num"))
    if version < SERVER_VERSION_MIN:
        found = await connection.fetchval("SHOW server_version")
        raise ServerTooOld(f"The database is Postgres {found}; version 15 or newer is needed.")


async def _check_writable(connection: asyncpg.Connection) -> None:
    if await connection.fetchval("SHOW transaction_read_only") == "on":
        raise ReadOnly(
            "The database takes no writes: it is a standby, or default_transaction_read_only is on. Name the primary "
            "in database_url, or switch that off."
        )


async def _check_encoding(connection: asyncpg.Connection) -> None:
    """SQL_ASCII is refused as well: it takes any bytes, but lets no text that has them be compared or folded."""
    found = await connection.fetchval("SHOW server_encoding")
    if found != ENCODING:
        # With a locale of the statement's own: the server's default may be one that UTF8 does not go with.
        raise WrongEncoding(
            f"The database's encoding is {found}, which does not hold every text; {ENCODING} is needed. Make another "
            f"database and name it in database_url: create database pantherahive_utf8 encoding '{ENCODING}' "
            "locale 'C' template template0"
        )


async def _check_durability(connection: asyncpg.Connection, *, unsafe_durability: bool) -> None:
    """Names the settings, unless the operator has said that losing data is fine."""
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
