"""What `doctor` asks of the machine and of the database. Every finding that is bad says what to do."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg

from config.secrets import ACCESS_KEY_FILE, ADMIN_TOKEN_FILE, SecretsUnusable, read_access_key, read_admin_token
from config.settings import Settings
from protocol.faults import StorageFault
from server.finding import Finding
from server.node_id import NODE_ID_FILE, read_node_id
from server.payload_trial import try_payloads
from server.server_visit import look_at_servers
from storage.embedded import LOCK_FILE, DataFolderUnusable, advice_on_mode, folder_mode, read_small_file
from storage.postgres.errors import AddressWrong, DatabaseRefused
from storage.postgres.first_connection import first_connection
from storage.postgres.migrations import pending
from storage.postgres.server_check import ENCODING, check_server

if TYPE_CHECKING:
    from typing import TypeAlias

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

FREE_BYTES_MIN: Final = 1 << 30
UNUSABLE: Final = "a server would not start with it"
CONNECT_TIMEOUT_S: Final = 5.0
STATEMENT_TIMEOUT: Final = "30s"
SAMPLE_POSITIONS: Final = 1_000
"""So many of the newest positions of each shard are counted."""
SAMPLE_STREAMS: Final = 200
"""So many of the streams that were written last are counted whole."""

# One statement is one moment, so a running server does not disturb the comparison.
_HOLES_IN_SHARDS: Final = """
SELECT s.shard_id, s.head, seen.count, seen.newest
  FROM shards s,
       LATERAL (SELECT count(*), coalesce(max(e.pos), 0) AS newest FROM entries e
                 WHERE e.shard_id = s.shard_id AND e.pos > s.head - $1) seen
 WHERE seen.newest <> s.head OR seen.count <> least(s.head, $1) ORDER BY s.shard_id
"""
_HOLES_IN_STREAMS: Final = """
SELECT e.stream, count(*), min(e.seq) AS first, max(e.seq) AS last
  FROM entries e
 WHERE e.stream IN (SELECT stream FROM entries GROUP BY stream ORDER BY max(recorded_at) DESC LIMIT $1)
 GROUP BY e.stream HAVING count(*) <> max(e.seq) OR min(e.seq) <> 1
"""
_OWNERS: Final = """
SELECT n.node_id, n.address, count(*) AS shards, n.session IS NOT NULL AS alive, s.owner IS NULL AS nobody,
       extract(epoch FROM n.lease_until - clock_timestamp())::float8 AS lease_left_s
  FROM shards s LEFT JOIN nodes n ON n.session = s.owner
 GROUP BY n.node_id, n.address, n.session, n.lease_until, s.owner IS NULL ORDER BY n.node_id
"""
_LAGS: Final = """
SELECT c.name, sum(s.head - c.pos)::bigint AS entries, bool_or(c.pos > s.head) AS ahead
  FROM consumers c JOIN shards s USING (shard_id) GROUP BY c.name ORDER BY c.name
"""
_DEAD_LETTERS: Final = "SELECT consumer, count(*) FROM dead_letters GROUP BY consumer ORDER BY consumer"


def look_at_machine(settings: Settings) -> Iterator[Finding]:
    """What can be seen without a database."""
    system = f"{platform.system()} {platform.release()}, {os.cpu_count()} CPUs"
    yield Finding("Python", f"{platform.python_version()} on {system}")
    folder = settings.data_dir
    try:
        mode = folder_mode(folder)
    except DataFolderUnusable as unusable:
        yield Finding("data folder", UNUSABLE, str(unusable))
        return
    if mode is None:
        yield Finding("data folder", f"{folder} is not there yet: the first start makes it")
        return
    yield Finding("data folder", f"{folder}, mode {mode:o}", advice_on_mode(folder))
    free = shutil.disk_usage(folder).free
    yield Finding(
        "disk",
        f"{free / (1 << 30):.1f} GiB free",
        "less than 1 GiB is left: make room, Postgres stops when it is full" if free < FREE_BYTES_MIN else None,
    )
    yield _of_file(folder / ADMIN_TOKEN_FILE, read_admin_token, "complete, and closed to others")
    yield _of_file(folder / ACCESS_KEY_FILE, read_access_key, "complete, and closed to others")
    yield _of_file(folder / NODE_ID_FILE, read_node_id, "complete")
    if settings.database_url is not None:  # else the visit of the database takes the lock, as a start does
        yield _of_file(folder / LOCK_FILE, read_small_file, "a file")


def _of_file(path: Path, read: Callable[[Path], object], found: str) -> Finding:
    """As the start of a server reads it, so that it says the same."""
    try:
        read(path)
    except FileNotFoundError:
        return Finding(path.name, "not there yet: the first start makes it")
    except (SecretsUnusable, DataFolderUnusable) as unusable:
        return Finding(path.name, UNUSABLE, str(unusable))
    return Finding(path.name, found)


async def look_at_database(dsn: str, settings: Settings) -> AsyncIterator[Finding]:
    """What the database says. The reads own nothing and change nothing."""
    server_settings = {"application_name": "pantherahive/doctor", "statement_timeout": STATEMENT_TIMEOUT}
    try:
        connection = await first_connection(dsn, CONNECT_TIMEOUT_S, server_settings)
    except AddressWrong as wrong:
        yield Finding("database", UNUSABLE, str(wrong))
        return
    except StorageFault as fault:
        yield Finding("database", str(fault), "start it, or correct database_url")
        return
    try:
        yield Finding("Postgres", str(await connection.fetchval("SHOW server_version")))
        try:
            await check_server(connection, unsafe_durability=False)
            missing = await pending(dsn)
        except DatabaseRefused as refused:
            yield Finding("Postgres", "refused", str(refused))
            return
        yield Finding("encoding", ENCODING)
        yield Finding("durability", "fsync, full_page_writes and synchronous_commit are on")
        if missing:
            yield Finding("tables", f"missing: {', '.join(missing)}", "run `pantherahive migrate`, or start the server")
            return
        yield Finding("tables", "up to date")
        async for finding in _look_at_tables(connection, settings):
            yield finding
    finally:
        await connection.close()


async def _look_at_tables(connection: Connection, settings: Settings) -> AsyncIterator[Finding]:
    owners = await connection.fetch(_OWNERS)
    for owner in owners:
        yield _of_owner(owner, settings)
    holes = await connection.fetch(_HOLES_IN_SHARDS, SAMPLE_POSITIONS)
    yield Finding(
        "log: shards",
        f"the newest {SAMPLE_POSITIONS} positions of each shard: {'holes' if holes else 'dense, up to its head'}",
        _of_holes([f"shard {row['shard_id']}" for row in holes]),
    )
    broken = await connection.fetch(_HOLES_IN_STREAMS, SAMPLE_STREAMS)
    yield Finding(
        "log: streams",
        f"the newest {SAMPLE_STREAMS} streams: {'holes' if broken else 'dense from 1'}",
        _of_holes([row["stream"] for row in broken]),
    )
    trial = await try_payloads(connection)
    yield trial.finding()
    for lag in await connection.fetch(_LAGS):
        ahead = "it is ahead of the log: the database was restored in part; restore it whole" if lag["ahead"] else None
        yield Finding(f"consumer {lag['name']}", f"{lag['entries']} entries behind", ahead or trial.advice(lag["name"]))
    letters = await connection.fetch(_DEAD_LETTERS)
    for letter in letters:
        yield Finding(
            "dead letters",
            f"{letter['count']} of {letter['consumer']}",
            "look at the table dead_letters: each row says which stream could not be told, and why",
        )
    if not letters:
        yield Finding("dead letters", "none")
    addresses = [owner["address"] for owner in owners if owner["alive"] and owner["lease_left_s"] > 0]
    async for finding in look_at_servers(addresses, trial.standing):
        yield finding


def _of_owner(owner: asyncpg.Record, settings: Settings) -> Finding:
    shards = f"{owner['shards']} of 128"
    if not owner["alive"]:
        return Finding("shards", f"{shards} are free" if owner["nobody"] else f"{shards} belong to an ended session")
    left_s = owner["lease_left_s"]
    age = f"renewed {max(0.0, settings.lease_s - left_s):.1f} s ago" if left_s > 0 else "over"
    return Finding("shards", f"{shards} belong to node {owner['node_id']} at {owner['address']}; lease {age}")


def _of_holes(names: list[str]) -> str | None:
    if not names:
        return None
    return f"entries are missing in {', '.join(names[:5])}: restore a backup, and report this as a defect"
