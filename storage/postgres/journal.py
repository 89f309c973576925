"""The log: reads on the pool, with time for many entries; writes on lanes (`storage.postgres.lane`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Final

import asyncpg

from protocol.log import Entry, LoadedStream, Snapshot
from protocol.messages import ERASED_PAYLOAD
from storage.postgres.lane import PostgresLane
from storage.postgres.pool import Database
from storage.postgres.rows import ENTRY_COLUMNS, entries_of, loaded_of, moment_of
from storage.postgres.statements import statement
from storage.snapshot_ages import (
    SNAPSHOTS_ALL_KEPT_SEQS,
    SNAPSHOTS_NEWEST_KEPT,
    SNAPSHOTS_OLDER_SPACING_SEQS,
)

_LOAD: Final = statement("load")
_LOAD_AT: Final = statement("load_at")
_THIN: Final = statement("thin_snapshots")
_READ: Final = statement("read")
_READ_PAGE: Final = statement("read_page")
_READ_SHARD: Final = statement("read_shard")
_SNAPSHOT_BEFORE: Final = """
SELECT seq FROM snapshots
 WHERE stream = $1 AND ($2::bigint IS NULL OR seq <= $2) AND ($3::timestamptz IS NULL OR at IS NULL OR at <= $3)
 ORDER BY seq DESC LIMIT 1
"""
_FIND_OPS: Final = f"""
SELECT {ENTRY_COLUMNS}
  FROM entries
  JOIN unnest($1::text[], $2::uuid[]) AS wanted (stream, op_id) USING (stream, op_id)
"""  # noqa: S608
_FIND_ENTRIES: Final = statement("find_entries")
_SAVE_SNAPSHOT: Final = """
INSERT INTO snapshots (stream, seq, epoch, at, schema_version, state)
SELECT $1, $2, $3, $4, $5, $6
 WHERE NOT EXISTS (SELECT 1 FROM entries WHERE stream = $1 AND seq = $2 AND digest = '')
ON CONFLICT (stream, seq) DO NOTHING
"""
_ERASE: Final = (
    "UPDATE entries SET payload = $4, digest = '' WHERE stream = $1 AND seq BETWEEN $2 AND $3 AND digest <> ''"
)
_DROP_SNAPSHOTS: Final = "DELETE FROM snapshots WHERE stream = $1 AND seq < $2"


class PostgresJournal:
    """Fits `actors.ports.Journal` and `storage.ports.ErasableLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Tells the lanes of this process apart in pg_stat_activity.
        self._lane_numbers = count()

    async def open_lane(self) -> PostgresLane:
        """A new lane, which connects when it is first used."""
        return PostgresLane(self._database, next(self._lane_numbers))

    async def load(
        self, streams: Sequence[str], tail_max: int, tail_bytes_max: int | None = None
    ) -> Mapping[str, LoadedStream]:
        """See `actors.ports.Journal.load`: one statement, so one moment for all streams."""
        rows: dict[str, list[asyncpg.Record]] = defaultdict(list)
        wanted = sorted(set(streams))
        for row in await self._database.load(_LOAD, wanted, tail_max + 1, tail_bytes_max):
            rows[row["stream"]].append(row)
        return {stream: loaded_of(rows[stream], tail_max, tail_bytes_max) for stream in wanted}

    async def load_at(
        self, stream: str, seq: int | None, at: str | None, tail_max: int, tail_bytes_max: int | None = None
    ) -> LoadedStream:
        """See `actors.ports.Journal.load_at`. With `seq`, the tail ends there and `complete` means "up to there"."""
        rows = await self._database.load(_LOAD_AT, stream, seq, moment_of(at), tail_max + 1, tail_bytes_max)
        return loaded_of(rows, tail_max, tail_bytes_max)

    async def snapshot_before(self, stream: str, seq: int | None, at: str | None) -> int:
        """The seq of the snapshot that `load_at` would load; 0 when there is none."""
        rows = await self._database.load(_SNAPSHOT_BEFORE, stream, seq, moment_of(at))
        return rows[0]["seq"] if rows else 0

    async def read(self, stream: str, after: int, limit: int, bytes_max: int | None = None) -> Sequence[Entry]:
        """Entries with `seq > after`, ascending, up to the one with which their payloads reach `bytes_max`."""
        return entries_of(await self._database.load(_READ, stream, after, limit, bytes_max))

    async def read_page(self, stream: str, seq: int, page_entries: int, page_bytes: int) -> Sequence[Entry]:
        """See `actors.ports.Journal.read_page`."""
        after = seq // page_entries * page_entries
        return entries_of(await self._database.load(_READ_PAGE, stream, after, page_entries, page_bytes, seq))

    async def read_shard(self, shard: int, after_pos: int, limit: int, bytes_max: int | None = None) -> Sequence[Entry]:
        """Entries with `pos > after_pos`, ascending. `bytes_max` as in `read`."""
        return entries_of(await self._database.load(_READ_SHARD, shard, after_pos, limit, bytes_max))

    async def find_ops(self, ops: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Entry]:
        """The entries of (stream, opId) pairs that are in the log."""
        pairs = sorted(set(ops))
        rows = await self._database.load(_FIND_OPS, [stream for stream, _ in pairs], [op for _, op in pairs])
        found = entries_of(rows)
        return {(entry.stream, entry.op_id): entry for entry in found}

    async def find_entries(
        self, places: Sequence[tuple[str, int]], bytes_max: int | None = None
    ) -> Mapping[tuple[str, int], Entry]:
        """The entries at (stream, seq) pairs that are in the log, in their order. `bytes_max` as in `read`."""
        wanted = list(dict.fromkeys(places))
        streams, seqs = [stream for stream, _ in wanted], [seq for _, seq in wanted]
        rows = await self._database.load(_FIND_ENTRIES, streams, seqs, bytes_max)
        return {(entry.stream, entry.seq): entry for entry in entries_of(rows)}

    async def erase(self, stream: str, first_seq: int, last_seq: int) -> None:
        """See `storage.ports.ErasableLog`. Raises NotApplied, OutcomeUnknown."""
        await self._database.write(_ERASE, stream, first_seq, last_seq, ERASED_PAYLOAD)

    async def drop_snapshots(self, stream: str, before_seq: int) -> None:
        """See `storage.ports.ErasableLog`. Raises NotApplied, OutcomeUnknown."""
        await self._database.write(_DROP_SNAPSHOTS, stream, before_seq)

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """See `actors.ports.Journal.save_snapshot`; repeating it is harmless. Raises NotApplied, OutcomeUnknown."""
        await self._database.write(
            _SAVE_SNAPSHOT,
            snapshot.stream,
            snapshot.seq,
            snapshot.epoch,
            moment_of(snapshot.at),
            snapshot.schema_version,
            snapshot.state,
        )
        await self._database.write(
            _THIN,
            snapshot.stream,
            SNAPSHOTS_ALL_KEPT_SEQS,
            SNAPSHOTS_OLDER_SPACING_SEQS,
            SNAPSHOTS_NEWEST_KEPT,
        )
