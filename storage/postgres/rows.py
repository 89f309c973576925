"""Between the columns of the log and its values: instants are canonical text above, timestamptz below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import asyncpg

from protocol.base import datetime_of, instant_of
from protocol.log import Entry, LoadedStream, Snapshot, is_cut

ENTRY_COLUMNS: Final = "shard_id, pos, stream, seq, epoch, op_id, digest, payload, author, at, recorded_at"


def entry_of(row: asyncpg.Record) -> Entry:
    """An entry of a row with the ENTRY_COLUMNS."""
    return Entry(
        stream=row["stream"],
        seq=row["seq"],
        epoch=row["epoch"],
        shard=row["shard_id"],
        pos=row["pos"],
        op_id=str(row["op_id"]),
        digest=row["digest"],
        payload=row["payload"],
        author=row["author"],
        at=instant_of(row["at"]),
        recorded_at=instant_of(row["recorded_at"]),
    )


def entries_of(rows: Iterable[asyncpg.Record]) -> Sequence[Entry]:
    """All rows in their order."""
    return [entry_of(row) for row in rows]


def loaded_of(rows: Sequence[asyncpg.Record], tail_max: int, tail_bytes_max: int | None) -> LoadedStream:
    """One stream of the rows of load.sql, which was asked for one entry more than `tail_max`."""
    snapshot = next((_snapshot_of(row) for row in rows if row["shard_id"] is None), None)
    tail = sorted((row for row in rows if row["shard_id"] is not None), key=lambda row: int(row["seq"]))
    entries = entries_of(tail)
    return LoadedStream(snapshot, entries[:tail_max], complete=not is_cut(entries, tail_max + 1, tail_bytes_max))


def _snapshot_of(row: asyncpg.Record) -> Snapshot:
    at: datetime | None = row["at"]
    return Snapshot(
        stream=row["stream"],
        seq=row["seq"],
        epoch=row["epoch"],
        at="" if at is None else instant_of(at),
        schema_version=row["schema_version"],
        state=row["payload"],
    )


def moment_of(instant: str | None) -> datetime | None:
    """The datetime of an instant; None for none ("" and None)."""
    return datetime_of(instant) if instant else None
