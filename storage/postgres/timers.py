"""The table of timers: written by a consumer of the log in its transaction, read by the owner of the shard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from protocol.base import datetime_of, instant_of
from protocol.log import DueTimer, shard_of
from storage.ports import TimerWrite
from storage.postgres.pool import Database

if TYPE_CHECKING:
    from storage.postgres.pool import Connection

_DUE: Final = """
SELECT stream, name, due_at FROM timers
 WHERE shard_id = ANY ($1::int[]) AND due_at <= $2
 ORDER BY due_at, stream, name
 LIMIT $3
"""
_DONE: Final = "DELETE FROM timers WHERE stream = $1 AND name = $2 AND due_at = $3"
_SET: Final = """
INSERT INTO timers (stream, name, shard_id, due_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[])
ON CONFLICT (stream, name) DO UPDATE SET due_at = EXCLUDED.due_at
"""
_CLEAR: Final = """
DELETE FROM timers t
 USING unnest($1::text[], $2::text[]) AS c (stream, name)
 WHERE t.stream = c.stream AND t.name = c.name
"""


class PostgresTimers:
    """Fits `actors.ports.Timers` and `storage.ports.TimerTable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, shards: Sequence[int], until: str, limit: int) -> Sequence[DueTimer]:
        """See the port."""
        rows = await self._database.fetch(_DUE, list(shards), datetime_of(until), limit)
        return [DueTimer(row["stream"], row["name"], instant_of(row["due_at"])) for row in rows]

    async def done(self, timer: DueTimer) -> None:
        """See the port. Raises NotApplied, OutcomeUnknown; repeating it is harmless."""
        await self._database.write(_DONE, timer.stream, timer.name, datetime_of(timer.due_at))

    async def write(self, transaction: Connection, changes: Sequence[TimerWrite]) -> None:
        """See the port."""
        last = {(change.stream, change.name): change.due_at for change in changes}
        cleared = [key for key, due_at in last.items() if due_at is None]
        kept = [(*key, due_at) for key, due_at in last.items() if due_at is not None]
        if cleared:
            await transaction.execute(_CLEAR, [s for s, _ in cleared], [name for _, name in cleared])
        if kept:
            await transaction.execute(
                _SET,
                [stream for stream, _, _ in kept],
                [name for _, name, _ in kept],
                [shard_of(stream) for stream, _, _ in kept],
                [datetime_of(due_at) for _, _, due_at in kept],
            )
