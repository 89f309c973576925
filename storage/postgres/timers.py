"""The table of timers: written by a consumer of the log in its transaction, read by the owner of the shard."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from protocol.base import datetime_of, instant_of
from protocol.log import DueTimer, shard_of
from storage.ports import TimerEdit, TimersClear, TimersWake, TimerWake, TimerWrite
from storage.postgres.pool import Database

if TYPE_CHECKING:
    from storage.postgres.pool import Connection

_DUE: Final = """
SELECT stream, name, due_at, seq, fires_at > due_at AS has_rested FROM timers
 WHERE shard_id = ANY ($1::int[]) AND fires_at <= $2 AND stream <> ALL ($4::text[])
   AND ($5::timestamptz IS NULL OR (due_at, stream, name) > ($5, $6::text, $7::text))
 ORDER BY due_at, stream, name
 LIMIT $3
"""
_DONE: Final = "DELETE FROM timers WHERE stream = $1 AND name = $2 AND seq = $3"
_REST: Final = "UPDATE timers SET fires_at = $4 WHERE stream = $1 AND name = $2 AND seq = $3"
_SET: Final = """
INSERT INTO timers (stream, name, shard_id, due_at, fires_at, seq)
SELECT stream, name, shard_id, due_at, due_at, seq
  FROM unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[], $5::bigint[])
       AS s (stream, name, shard_id, due_at, seq)
ON CONFLICT (stream, name)
DO UPDATE SET due_at = EXCLUDED.due_at, fires_at = EXCLUDED.fires_at, seq = EXCLUDED.seq
"""
_CLEAR: Final = """
DELETE FROM timers t
 USING unnest($1::text[], $2::text[]) AS c (stream, name)
 WHERE t.stream = c.stream AND t.name = c.name
"""
_CLEAR_ALL: Final = "DELETE FROM timers WHERE stream = ANY ($1::text[])"
# The seq tells a firing that is on its way that its refusal is out of date, also where the timer does not rest yet.
_WAKE: Final = """
UPDATE timers t SET fires_at = t.due_at, seq = w.seq
  FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w (stream, name, seq)
 WHERE t.stream = w.stream AND t.name = w.name AND w.seq > t.seq
"""
# Both ends of the range are given, so that the index finds the timers; chr(1114111) is the last character there is.
_WAKE_ALL: Final = """
WITH woken AS (
    SELECT t.stream, t.name, max(w.seq) AS seq
      FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w (stream, prefix, seq)
      JOIN timers t ON t.stream = w.stream AND t.name >= w.prefix AND t.name < w.prefix || chr(1114111)
     GROUP BY t.stream, t.name
)
UPDATE timers t SET fires_at = t.due_at, seq = w.seq
  FROM woken w
 WHERE t.stream = w.stream AND t.name = w.name AND w.seq > t.seq
"""


class PostgresTimers:
    """Fits `actors.ports.Timers` and `storage.ports.TimerTable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(
        self,
        shards: Sequence[int],
        until: str,
        limit: int,
        *,
        behind: DueTimer | None = None,
        without: Collection[str] = (),
    ) -> Sequence[DueTimer]:
        """See the port."""
        place = (None, None, None) if behind is None else (datetime_of(behind.due_at), behind.stream, behind.name)
        rows = await self._database.fetch(_DUE, list(shards), datetime_of(until), limit, list(without), *place)
        return [
            DueTimer(row["stream"], row["name"], instant_of(row["due_at"]), row["seq"], row["has_rested"])
            for row in rows
        ]

    async def done(self, timer: DueTimer) -> None:
        """See the port. Raises NotApplied, OutcomeUnknown; repeating it is harmless."""
        await self._database.write(_DONE, timer.stream, timer.name, timer.seq)

    async def rest(self, timer: DueTimer, until: str) -> None:
        """See the port. Raises NotApplied, OutcomeUnknown; repeating it is harmless."""
        await self._database.write(_REST, timer.stream, timer.name, timer.seq, datetime_of(until))

    async def write(self, transaction: Connection, changes: Sequence[TimerEdit]) -> None:
        """See the port."""
        cleared = {change.stream: number for number, change in enumerate(changes) if isinstance(change, TimersClear)}
        if cleared:
            await transaction.execute(_CLEAR_ALL, list(cleared))
            changes = [change for number, change in enumerate(changes) if number > cleared.get(change.stream, -1)]
        await self._set(transaction, [change for change in changes if isinstance(change, TimerWrite)])
        # What was set by a later entry than the one that wakes is left as it is, so these can come last. Of several
        # wakes of the same the last one counts.
        names = {(wake.stream, wake.name): wake.seq for wake in changes if isinstance(wake, TimerWake)}
        await _wake(transaction, _WAKE, names)
        prefixes = {(wake.stream, wake.prefix): wake.seq for wake in changes if isinstance(wake, TimersWake)}
        await _wake(transaction, _WAKE_ALL, prefixes)

    async def _set(self, transaction: Connection, changes: Sequence[TimerWrite]) -> None:
        last = {(change.stream, change.name): change for change in changes}
        cleared = [key for key, change in last.items() if change.due_at is None]
        if cleared:
            await transaction.execute(_CLEAR, [s for s, _ in cleared], [name for _, name in cleared])
        kept = [(change, change.due_at) for change in last.values() if change.due_at is not None]
        if kept:
            await transaction.execute(
                _SET,
                [change.stream for change, _ in kept],
                [change.name for change, _ in kept],
                [shard_of(change.stream) for change, _ in kept],
                [datetime_of(due_at) for _, due_at in kept],
                [change.seq for change, _ in kept],
            )


async def _wake(transaction: Connection, statement: str, wakes: Mapping[tuple[str, str], int]) -> None:
    if wakes:
        streams, names = [stream for stream, _ in wakes], [name for _, name in wakes]
        await transaction.execute(statement, streams, names, list(wakes.values()))
