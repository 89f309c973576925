"""Sessions and shards in memory, by a clock that is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from protocol.faults import DuplicateEntry
from protocol.log import ClaimedShard, NodeRow, ShardRow
from storage.memory.shards import MemoryNode, MemoryShards


class MemoryOwnership:
    """Fits `actors.ports.Ownership`. `now_s` is the database's clock: all leases are written by it."""

    def __init__(self, shards: MemoryShards, now_s: Callable[[], float]) -> None:
        self._shards = shards
        self._now_s = now_s

    async def open_session(self, session: str, node_id: str, address: str, lease_s: float) -> None:
        """See the port. Raises DuplicateEntry for a session that exists under another node id."""
        nodes = self._shards.nodes
        earlier = [key for key, node in nodes.items() if node.node_id == node_id]
        if session in nodes and session not in earlier:
            raise DuplicateEntry(f"the session {session} exists")
        for key in earlier:
            del nodes[key]
        nodes[session] = MemoryNode(node_id, address, self._now_s() + lease_s)

    async def beat(self, session: str, lease_s: float) -> bool:
        """See the port."""
        node = self._shards.nodes.get(session)
        if node is None:
            return False
        node.lease_until_s = self._now_s() + lease_s
        return True

    async def reap(self, seen: Mapping[str, int]) -> Sequence[str]:
        """See the port."""
        ended = [key for key, node in self._shards.nodes.items() if seen.get(key) == _lease_until_us(node)]
        for key in ended:
            del self._shards.nodes[key]
        return ended

    async def close_session(self, session: str) -> None:
        """See the port."""
        self._shards.nodes.pop(session, None)

    async def nodes(self) -> Sequence[NodeRow]:
        """All sessions, by node id."""
        rows = [
            NodeRow(session, node.node_id, node.address, _lease_until_us(node), node.lease_until_s - self._now_s())
            for session, node in self._shards.nodes.items()
        ]
        return sorted(rows, key=lambda row: row.node_id)

    async def shards(self) -> Sequence[ShardRow]:
        """All 128, in order."""
        return [
            ShardRow(number, row.epoch, row.head, row.owner, row.owner in self._shards.nodes)
            for number, row in enumerate(self._shards.shards)
        ]

    async def claim(self, session: str, seen: Mapping[int, int], step: int) -> Sequence[ClaimedShard]:
        """See the port. A session without a row gets nothing."""
        if step < 1:
            raise ValueError("an epoch only grows")
        nodes = self._shards.nodes
        claimed: list[ClaimedShard] = []
        for number in sorted(seen) if session in nodes else ():
            row = self._shards.shards[number]
            free = row.owner is None or row.owner == session or row.owner not in nodes
            if free and row.epoch == seen[number]:
                row.owner, row.epoch = session, row.epoch + step
                claimed.append(ClaimedShard(number, row.epoch, row.head))
        return claimed


def _lease_until_us(node: MemoryNode) -> int:
    return round(node.lease_until_s * 1_000_000)
