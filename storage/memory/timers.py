"""The table of timers in memory."""

from __future__ import annotations

from collections.abc import Sequence

from protocol.log import DueTimer, shard_of
from storage.memory.transactions import MemoryTransaction
from storage.ports import TimerWrite


class MemoryTimers:
    """Fits `actors.ports.Timers` and `storage.ports.TimerTable`."""

    def __init__(self) -> None:
        # (stream, name) → due.
        self._due: dict[tuple[str, str], str] = {}

    async def due(self, shards: Sequence[int], until: str, limit: int) -> Sequence[DueTimer]:
        """See the port."""
        wanted = frozenset(shards)
        found = [
            DueTimer(stream, name, due_at)
            for (stream, name), due_at in self._due.items()
            if due_at <= until and shard_of(stream) in wanted
        ]
        return sorted(found, key=lambda timer: (timer.due_at, timer.stream, timer.name))[:limit]

    async def done(self, timer: DueTimer) -> None:
        """See the port."""
        key = (timer.stream, timer.name)
        if self._due.get(key) == timer.due_at:
            del self._due[key]

    async def write(self, transaction: MemoryTransaction, changes: Sequence[TimerWrite]) -> None:
        """See the port."""
        transaction.at_commit(lambda: self._apply(changes))

    def _apply(self, changes: Sequence[TimerWrite]) -> None:
        for change in changes:
            key = (change.stream, change.name)
            if change.due_at is None:
                self._due.pop(key, None)
            else:
                self._due[key] = change.due_at
