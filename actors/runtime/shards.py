"""The shards that this node's session owns, as far as it knows.

The database's rows decide; a lost fence is believed at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.log import ClaimedShard, ShardFence


@dataclass(slots=True)
class OwnedShard:
    """`epoch` is the fencing token of our claim, `head` the last position that is confirmed."""

    epoch: int
    head: int


class ShardTable:
    """What appends are fenced with."""

    def __init__(self, session: str) -> None:
        self.session = session
        # Shard → our claim.
        self._owned: dict[int, OwnedShard] = {}

    def may_serve(self) -> bool:
        """Whether what is in memory is surely the newest. Here nobody else can own what we own."""
        return True

    def owns(self, shard: int) -> bool:
        return shard in self._owned

    @property
    def owned(self) -> frozenset[int]:
        return frozenset(self._owned)

    def head(self, shard: int) -> int:
        return self._owned[shard].head

    def fence(self, shard: int) -> ShardFence:
        """Raises KeyError when the shard is not ours."""
        owned = self._owned[shard]
        return ShardFence(shard, owned.epoch, owned.head)

    def claimed(self, shard: ClaimedShard) -> None:
        self._owned[shard.shard] = OwnedShard(shard.epoch, shard.head)

    def advanced(self, shard: int, head: int) -> None:
        """An append moved the head; it says nothing of a shard that was lost meanwhile."""
        owned = self._owned.get(shard)
        if owned is not None:
            owned.head = head

    def lost(self, shard: int) -> None:
        self._owned.pop(shard, None)

    def clear(self) -> None:
        self._owned.clear()
