"""Reads the whole log from Postgres, past the product."""

from __future__ import annotations

import asyncpg
import msgpack

from protocol.base import instant_of
from tests.chaos.history import Head, Log, LogEntry

_ENTRIES = "SELECT * FROM entries ORDER BY shard_id, pos"
_HEADS = "SELECT shard_id, head, epoch FROM shards"


async def read_log(dsn: str) -> Log:
    """Everything in one snapshot of the database."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            rows = await connection.fetch(_ENTRIES)
            heads = await connection.fetch(_HEADS)
    finally:
        await connection.close()
    return Log([_entry(row) for row in rows], {row["shard_id"]: Head(row["head"], row["epoch"]) for row in heads})


async def read_heads(dsn: str) -> dict[int, Head]:
    """The shards as they are now."""
    connection = await asyncpg.connect(dsn)
    try:
        return {row["shard_id"]: Head(row["head"], row["epoch"]) for row in await connection.fetch(_HEADS)}
    finally:
        await connection.close()


def _entry(row: asyncpg.Record) -> LogEntry:
    payload = msgpack.unpackb(row["payload"])
    wire = {
        "seq": row["seq"],
        "epoch": row["epoch"],
        "opId": str(row["op_id"]),
        "author": row["author"],
        "at": instant_of(row["at"]),
        "recordedAt": instant_of(row["recorded_at"]),
        "events": payload["events"],
    }
    if "recordedBy" in payload:
        wire["recordedBy"] = payload["recordedBy"]
    return LogEntry(
        shard=row["shard_id"],
        pos=row["pos"],
        stream=row["stream"],
        seq=row["seq"],
        epoch=row["epoch"],
        op_id=str(row["op_id"]),
        wire=wire,
    )
