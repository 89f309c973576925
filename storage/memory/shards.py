"""The rows that journal and ownership share: which shard has which owner, epoch and head, and who is alive."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.log import SHARDS


@dataclass(slots=True)
class MemoryShard:
    """A row of `shards`."""

    # The fencing token; it only grows.
    epoch: int = 0
    # The last position of the shard's log.
    head: int = 0
    # The session that may write; None before the first claim.
    owner: str | None = None


@dataclass(slots=True)
class MemoryNode:
    """A row of `nodes`."""

    node_id: str
    address: str
    # On the scale of the clock that the ownership was given.
    lease_until_s: float


@dataclass(slots=True)
class MemoryShards:
    """Made once, given to a journal and an ownership, as two programs meet in one database."""

    # By number.
    shards: list[MemoryShard] = field(default_factory=lambda: [MemoryShard() for _ in range(SHARDS)])
    # By session; a missing session has ended.
    nodes: dict[str, MemoryNode] = field(default_factory=dict)
