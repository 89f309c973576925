"""The table of timers in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from protocol.log import DueTimer, shard_of
from storage.memory.transactions import MemoryTransaction
from storage.ports import TimerEdit, TimersClear, TimersWake, TimerWake, TimerWrite


@dataclass(frozen=True, slots=True)
class _Row:
    """`fires_at` is later than `due_at` while the timer rests."""

    due_at: str
    fires_at: str
    seq: int


class MemoryTimers:
    """Fits `actors.ports.Timers` and `storage.ports.TimerTable`."""

    def __init__(self) -> None:
        # (stream, name) → the timer.
        self._rows: dict[tuple[str, str], _Row] = {}

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
        wanted, unwanted = frozenset(shards), frozenset(without)
        found = [
            DueTimer(stream, name, row.due_at, row.seq, row.fires_at > row.due_at)
            for (stream, name), row in self._rows.items()
            if row.fires_at <= until and shard_of(stream) in wanted and stream not in unwanted
        ]
        return sorted((one for one in found if behind is None or _place(one) > _place(behind)), key=_place)[:limit]

    async def done(self, timer: DueTimer) -> None:
        """See the port."""
        if self._is_as_it_was(timer):
            del self._rows[timer.stream, timer.name]

    async def rest(self, timer: DueTimer, until: str) -> None:
        """See the port."""
        if self._is_as_it_was(timer):
            key = (timer.stream, timer.name)
            self._rows[key] = replace(self._rows[key], fires_at=until)

    def _is_as_it_was(self, timer: DueTimer) -> bool:
        row = self._rows.get((timer.stream, timer.name))
        return row is not None and row.seq == timer.seq

    async def write(self, transaction: MemoryTransaction, changes: Sequence[TimerEdit]) -> None:
        """See the port."""
        transaction.at_commit(lambda: self._apply(changes))

    def _apply(self, changes: Sequence[TimerEdit]) -> None:
        for change in changes:
            match change:
                case TimerWrite():
                    self._set(change)
                case TimerWake(stream, name, seq):
                    self._wake([(stream, name)], seq)
                case TimersWake(stream, prefix, seq):
                    self._wake([key for key in self._of(stream) if key[1].startswith(prefix)], seq)
                case TimersClear(stream):
                    for key in self._of(stream):
                        del self._rows[key]
                case _:
                    assert_never(change)

    def _set(self, write: TimerWrite) -> None:
        if write.due_at is None:
            self._rows.pop((write.stream, write.name), None)
        else:
            self._rows[write.stream, write.name] = _Row(write.due_at, write.due_at, write.seq)

    def _of(self, stream: str) -> Sequence[tuple[str, str]]:
        return [key for key in self._rows if key[0] == stream]

    def _wake(self, keys: Sequence[tuple[str, str]], seq: int) -> None:
        for key in keys:
            row = self._rows.get(key)
            if row is not None and row.seq < seq:
                self._rows[key] = _Row(row.due_at, row.due_at, seq)


def _place(timer: DueTimer) -> tuple[str, str, str]:
    return timer.due_at, timer.stream, timer.name
