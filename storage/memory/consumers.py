"""Checkpoints and dead letters in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from protocol.log import SHARDS
from storage.memory.transactions import MemoryTransaction, MemoryTransactions
from storage.ports import DeadLetter, Move


class MemoryConsumers:
    """Fits `storage.ports.Consumers` and `Transactions`."""

    def __init__(self, transactions: MemoryTransactions | None = None) -> None:
        self._transactions = transactions or MemoryTransactions()
        # Name → shard → position.
        self._positions: dict[str, dict[int, int]] = defaultdict(lambda: dict.fromkeys(range(SHARDS), 0))
        # By consumer, shard, position and stream.
        self._letters: dict[tuple[str, int, int, str], DeadLetter] = {}

    def transaction(self) -> AbstractAsyncContextManager[MemoryTransaction]:
        """See the port."""
        return self._transactions.transaction()

    async def positions(self, name: str) -> Mapping[int, int]:
        """See the port."""
        return dict(self._positions[name])

    async def advance(self, transaction: MemoryTransaction, name: str, moves: Mapping[int, Move]) -> bool:
        """See the port."""
        positions = self._positions[name]
        if any(positions.get(shard) != move.from_pos for shard, move in moves.items()):
            return False
        transaction.at_commit(lambda: positions.update({shard: move.to_pos for shard, move in moves.items()}))
        return True

    async def bury(self, transaction: MemoryTransaction, letter: DeadLetter) -> None:
        """See the port."""
        key = (letter.consumer, letter.shard, letter.pos, letter.stream)

        def keep() -> None:
            self._letters.setdefault(key, letter)

        transaction.at_commit(keep)

    async def dead_letters(self, name: str, limit: int) -> Sequence[DeadLetter]:
        """See the port."""
        return [letter for key, letter in sorted(self._letters.items()) if key[0] == name][:limit]
