"""One database, as several nodes see it: a clock that tests move, and outages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from protocol.faults import NotApplied
from protocol.log import ClaimedShard, NodeRow, ShardRow
from server.ids import SystemIds
from server.lease_watch import Lease
from server.node import Node, WatchedShards
from storage.memory.ownership import MemoryOwnership
from storage.memory.shards import MemoryShards

LEASE = Lease(lease_s=5.0, beat_interval_s=1.0)


class MovedClock:
    """Every node's clock; the database's goes with it."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> str:
        return "2026-01-01T00:00:00.000Z"

    def monotonic_s(self) -> float:
        return self.seconds


class Database:
    """One database that several nodes share. `away` makes it unreachable for the nodes that look at it."""

    def __init__(self) -> None:
        self.clock = MovedClock()
        self.rows = MemoryShards()
        self.ownership = MemoryOwnership(self.rows, self.now_s)
        # How far the database's clock is ahead of the nodes'.
        self.ahead_s = 0.0
        self.away = False
        # Called at each pause of a starting node, with the seconds since the first one.
        self.meanwhile: Callable[[float], None] = lambda _: None
        self._began = self.clock.seconds

    def now_s(self) -> float:
        return self.clock.seconds + self.ahead_s

    async def pause(self, seconds: float) -> None:
        self.clock.seconds += seconds
        self.meanwhile(self.clock.seconds - self._began)
        await asyncio.sleep(0)

    def node(self, name: str) -> Node:
        return Node(
            AwayNowAndThen(self),
            WatchedShards(f"session-{name}", self.clock),
            node_id=f"node-{name}",
            address=f"http://{name}:8080",
            clock=self.clock,
            ids=SystemIds(),
            lease=LEASE,
            sleep=self.pause,
        )

    def owners(self) -> set[str | None]:
        return {row.owner for row in self.rows.shards}

    def renew(self, name: str) -> None:
        """The beat of a node that is somewhere else."""
        self.rows.nodes[f"session-{name}"].lease_until_s = self.now_s() + LEASE.lease_s


class AwayNowAndThen:
    """The ownership as a node sees it through a line that may be cut."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_session(self, session: str, node_id: str, address: str, lease_s: float) -> None:
        self._check()
        await self._database.ownership.open_session(session, node_id, address, lease_s)

    async def beat(self, session: str, lease_s: float) -> bool:
        self._check()
        return await self._database.ownership.beat(session, lease_s)

    async def reap(self, seen: Mapping[str, int]) -> Sequence[str]:
        self._check()
        return await self._database.ownership.reap(seen)

    async def close_session(self, session: str) -> None:
        self._check()
        await self._database.ownership.close_session(session)

    async def nodes(self) -> Sequence[NodeRow]:
        self._check()
        return await self._database.ownership.nodes()

    async def shards(self) -> Sequence[ShardRow]:
        self._check()
        return await self._database.ownership.shards()

    async def claim(self, session: str, seen: Mapping[int, int], step: int) -> Sequence[ClaimedShard]:
        self._check()
        return await self._database.ownership.claim(session, seen, step)

    def _check(self) -> None:
        if self._database.away:
            raise NotApplied("the database is away")
