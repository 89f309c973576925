"""Checkpoints of the consumers of the log, and their dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

from protocol.base import datetime_of, instant_of
from protocol.log import SHARDS
from storage.ports import DeadLetter, Move
from storage.postgres.pool import Database

if TYPE_CHECKING:
    from storage.postgres.pool import Connection

_BEGIN: Final = """
INSERT INTO consumers (name, shard_id) SELECT $1, generate_series(0, $2::int - 1) ON CONFLICT DO NOTHING
"""
_POSITIONS: Final = "SELECT shard_id, pos FROM consumers WHERE name = $1"
# Locked in the order of the shards, so that two runners of one consumer wait for each other instead of deadlocking.
# `= ANY` says nothing new, but makes both scans touch the named rows alone: else each goes through the consumer's 128
# rows, and that is most of the statement's time when few shards have moved.
_ADVANCE: Final = """
WITH held AS MATERIALIZED (
    SELECT c.shard_id, m.to_pos
      FROM consumers c
      JOIN unnest($2::int[], $3::bigint[], $4::bigint[]) AS m (shard_id, from_pos, to_pos)
        ON c.shard_id = m.shard_id AND c.pos = m.from_pos
     WHERE c.name = $1 AND c.shard_id = ANY ($2::int[])
     ORDER BY c.shard_id
       FOR NO KEY UPDATE OF c
)
UPDATE consumers c SET pos = held.to_pos FROM held
 WHERE c.name = $1 AND c.shard_id = ANY ($2::int[]) AND c.shard_id = held.shard_id
RETURNING c.shard_id
"""
_BURY: Final = """
INSERT INTO dead_letters (consumer, shard_id, pos, stream, reason, at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""
_DEAD_LETTERS: Final = """
SELECT consumer, shard_id, pos, stream, reason, at FROM dead_letters
 WHERE consumer = $1 ORDER BY shard_id, pos, stream LIMIT $2
"""


class PostgresConsumers:
    """Fits `storage.ports.Consumers` and `Transactions`, whose `T` is an asyncpg connection in a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """See the port."""
        # Not with `synchronous_commit = off`, though its effect could be folded again: a runner that outlives a crash
        # of the database believes its position in memory, and would call rows fresh that the crash took back, until
        # the shard's next entry told it otherwise.
        return self._database.transaction()

    async def positions(self, name: str) -> Mapping[int, int]:
        """See the port. Makes the rows of a consumer that has none."""
        rows = await self._database.fetch(_POSITIONS, name)
        if len(rows) < SHARDS:
            await self._database.write(_BEGIN, name, SHARDS)
            rows = await self._database.fetch(_POSITIONS, name)
        return {row["shard_id"]: row["pos"] for row in rows}

    async def advance(self, transaction: Connection, name: str, moves: Mapping[int, Move]) -> bool:
        """See the port: one statement for all shards."""
        shards = sorted(moves)
        moved = await transaction.fetch(
            _ADVANCE,
            name,
            shards,
            [moves[shard].from_pos for shard in shards],
            [moves[shard].to_pos for shard in shards],
        )
        return len(moved) == len(moves)

    async def bury(self, transaction: Connection, letter: DeadLetter) -> None:
        """See the port."""
        await transaction.execute(
            _BURY,
            letter.consumer,
            letter.shard,
            letter.pos,
            letter.stream,
            letter.reason,
            datetime_of(letter.at),
        )

    async def dead_letters(self, name: str, limit: int) -> Sequence[DeadLetter]:
        """See the port."""
        rows = await self._database.fetch(_DEAD_LETTERS, name, limit)
        return [
            DeadLetter(
                row["consumer"], row["shard_id"], row["pos"], row["stream"], row["reason"], instant_of(row["at"])
            )
            for row in rows
        ]
