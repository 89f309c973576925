"""Transactions in memory: one at a time, and nothing of one is seen before its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class MemoryTransaction:
    """What a transaction will do at its end."""

    def __init__(self) -> None:
        # In the order in which they were asked for.
        self._effects: list[Callable[[], None]] = []

    def at_commit(self, effect: Callable[[], None]) -> None:
        """Does it at the end, unless the block raises."""
        self._effects.append(effect)

    def commit(self) -> None:
        """Does everything, in one step."""
        for effect in self._effects:
            effect()


class MemoryTransactions:
    """Fits `storage.ports.Transactions`. Given to all twins whose writes share transactions."""

    def __init__(self) -> None:
        # Held by the transaction under way: compare-and-swap is judged once the one before it has ended.
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryTransaction]:
        """See the port. It may not be opened within another one."""
        async with self._lock:
            transaction = MemoryTransaction()
            yield transaction
            transaction.commit()
