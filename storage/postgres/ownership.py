"""Sessions with leases, and who may write which shard. Leases are written by the database's clock.

A session dies by the committed end of its row (deleted, or taken over by the node's next session), which serialises
with a late beat on the row's lock. A claim is a compare-and-swap on the epoch of the shard's row, the same row that an
append holds locked from its check to its commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import asyncpg

from protocol.faults import NotApplied
from protocol.log import ClaimedShard, NodeRow, ShardRow
from storage.postgres.pool import Database
from storage.postgres.statements import statement

_CLAIM: Final = statement("claim")
_END_DEAD_OWNERS: Final = statement("end_dead_owners")
# The node's earlier session ends by the same write that begins the new one.
_OPEN: Final = """
INSERT INTO nodes (session, node_id, address, lease_until) VALUES ($1, $2, $3, clock_timestamp() + $4::interval)
ON CONFLICT (node_id) DO UPDATE
   SET session = EXCLUDED.session, address = EXCLUDED.address, lease_until = EXCLUDED.lease_until
"""
_BEAT: Final = """
UPDATE nodes SET lease_until = clock_timestamp() + $2::interval WHERE session = $1 RETURNING session
"""
# A row that is locked belongs to a beat or to another reaper: it is left to them.
_REAP: Final = """
DELETE FROM nodes
 WHERE session IN (SELECT n.session FROM nodes n
                     JOIN unnest($1::text[], $2::bigint[]) AS seen (session, lease_until_us)
                       ON n.session = seen.session
                      AND (extract(epoch FROM n.lease_until) * 1000000)::bigint = seen.lease_until_us
                    ORDER BY n.session FOR UPDATE OF n SKIP LOCKED)
RETURNING session
"""
_NODES: Final = """
SELECT n.session, n.node_id, n.address, (extract(epoch FROM n.lease_until) * 1000000)::bigint AS lease_until_us,
       extract(epoch FROM n.lease_until - clock_timestamp())::float8 AS lease_left_s
  FROM nodes n ORDER BY n.node_id
"""
_SHARDS: Final = """
SELECT s.shard_id, s.epoch, s.head, s.owner, n.session IS NOT NULL AS owner_alive
  FROM shards s LEFT JOIN nodes n ON n.session = s.owner
 ORDER BY s.shard_id
"""
TERMINATION_TIMEOUT_S: Final = 2.0
"""How long a claim waits for the end of a dead owner's backend."""


class ConnectedSessions:
    """Others' sessions by a single connection, for whoever has no pool and no session of its own."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection

    async def nodes(self) -> Sequence[NodeRow]:
        """All sessions, by node id."""
        return [NodeRow(**row) for row in await self._connection.fetch(_NODES)]

    async def reap(self, seen: Mapping[str, int]) -> Sequence[str]:
        """See `actors.ports.Ownership`."""
        rows = await self._connection.fetch(_REAP, list(seen), list(seen.values()))
        return [row["session"] for row in rows]


class PostgresOwnership:
    """Fits `actors.ports.Ownership`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_session(self, session: str, node_id: str, address: str, lease_s: float) -> None:
        """See the port. Raises DuplicateEntry for a session that exists: a new one has a new name."""
        await self._database.rule(_OPEN, session, node_id, address, timedelta(seconds=lease_s))

    async def beat(self, session: str, lease_s: float) -> bool:
        """See the port."""
        return bool(await self._database.rule(_BEAT, session, timedelta(seconds=lease_s)))

    async def reap(self, seen: Mapping[str, int]) -> Sequence[str]:
        """See the port. A session that beats at this moment is passed over."""
        return [row["session"] for row in await self._database.rule(_REAP, list(seen), list(seen.values()))]

    async def close_session(self, session: str) -> None:
        """Ends the session; its shards may be claimed by anybody from now on."""
        await self._database.rule("DELETE FROM nodes WHERE session = $1", session)

    async def nodes(self) -> Sequence[NodeRow]:
        """All sessions, by node id."""
        return [NodeRow(**row) for row in await self._database.fetch(_NODES)]

    async def shards(self) -> Sequence[ShardRow]:
        """All 128, in order."""
        rows = await self._database.fetch(_SHARDS)
        return [ShardRow(row["shard_id"], row["epoch"], row["head"], row["owner"], row["owner_alive"]) for row in rows]

    async def claim(self, session: str, seen: Mapping[int, int], step: int) -> Sequence[ClaimedShard]:
        """See the port. A session without a row gets nothing.

        When a row stays locked for `claim_lock_timeout_s`, the backends of its dead owner are ended, and the claim
        is tried once more. Raises NotApplied when it is locked still, OutcomeUnknown (look at `shards` again).
        """
        if step < 1:
            raise ValueError("an epoch only grows")
        shards = sorted(seen)
        args = (session, shards, [seen[shard] for shard in shards], step)
        try:
            rows = await self._database.rule(_CLAIM, *args)
        except NotApplied as fault:
            if not isinstance(fault.__cause__, asyncpg.LockNotAvailableError):
                raise
            await self._database.rule(_END_DEAD_OWNERS, session, shards, round(TERMINATION_TIMEOUT_S * 1000))
            rows = await self._database.rule(_CLAIM, *args)
        return sorted(
            (ClaimedShard(row["shard_id"], row["epoch"], row["head"]) for row in rows),
            key=lambda claimed: claimed.shard,
        )
