"""A journal in memory whose next appends go wrong as they were told to, for tests of what stands above it.

journal = FaultyJournal()
hold = journal.next(Hold())             # the next append waits until hold.release()
journal.next(Refuse())                  # the one after raises NotApplied
journal.next(LoseAnswer("applied"))     # and the third is written, but OutcomeUnknown is all that is heard
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar, assert_never

from protocol.faults import DuplicateEntry, NotApplied, OutcomeUnknown
from protocol.log import AppendBatch, Appended, Entry, LoadedStream
from storage.memory.journal import MemoryJournal, MemoryLane
from storage.memory.shards import MemoryShards


@dataclass(frozen=True, slots=True)
class Refuse:
    """NotApplied is raised, nothing is written."""


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """OutcomeUnknown is raised.

    `applied`: it was written. `never`: it was not. `late`: it is written when the lane is abandoned, just before the
    backend ends; whoever looks without abandoning looks too early.
    """

    fate: Literal["applied", "never", "late"]


class Hold:
    """The append is under way until it is released; then it is written and answered.

    `applied_first`: it is written at once, only the answer waits.
    """

    def __init__(self, *, applied_first: bool = False) -> None:
        self.applied_first = applied_first
        # Set when an append has arrived here.
        self.reached = asyncio.Event()
        self._released = asyncio.Event()

    def release(self) -> None:
        """Lets the append go on."""
        self._released.set()

    async def until_released(self) -> None:
        """What the append does."""
        self.reached.set()
        await self._released.wait()


Fault: TypeAlias = Refuse | LoseAnswer | Hold
F = TypeVar("F", Refuse, LoseAnswer, Hold)
_Write: TypeAlias = Callable[[AppendBatch], Appended]


class FaultyJournal(MemoryJournal):
    """A MemoryJournal with a plan of faults. All lanes share the plan: each append takes one from it."""

    def __init__(self, shards: MemoryShards | None = None) -> None:
        super().__init__(shards)
        # What the next appends will meet; an empty plan means that all goes well.
        self._plan: deque[Fault] = deque()
        # While True, reads, appends and `abandon` raise NotApplied.
        self.away = False
        # The batches that arrived, those that failed too.
        self.batches: list[AppendBatch] = []

    def next(self, fault: F) -> F:
        """Adds a fault to the plan, and gives it back."""
        self._plan.append(fault)
        return fault

    def take(self, batch: AppendBatch) -> Fault | None:
        """What this append meets."""
        self.check_there()
        self.batches.append(batch)
        return self._plan.popleft() if self._plan else None

    def check_there(self) -> None:
        """Raises NotApplied while the journal is `away`."""
        if self.away:
            raise NotApplied("the database is away")

    async def open_lane(self) -> FaultyLane:
        """A lane that meets the faults."""
        return FaultyLane(self)

    async def load(
        self, streams: Sequence[str], tail_max: int, tail_bytes_max: int | None = None
    ) -> Mapping[str, LoadedStream]:
        """See the port."""
        self.check_there()
        return await super().load(streams, tail_max, tail_bytes_max)

    async def load_at(
        self, stream: str, seq: int | None, at: str | None, tail_max: int, tail_bytes_max: int | None = None
    ) -> LoadedStream:
        """See the port."""
        self.check_there()
        return await super().load_at(stream, seq, at, tail_max, tail_bytes_max)

    async def snapshot_before(self, stream: str, seq: int | None, at: str | None) -> int:
        """See the port."""
        self.check_there()
        return await super().snapshot_before(stream, seq, at)

    async def read(self, stream: str, after: int, limit: int, bytes_max: int | None = None) -> Sequence[Entry]:
        """See the port."""
        self.check_there()
        return await super().read(stream, after, limit, bytes_max)

    async def read_page(self, stream: str, seq: int, page_entries: int, page_bytes: int) -> Sequence[Entry]:
        """See the port."""
        self.check_there()
        return await super().read_page(stream, seq, page_entries, page_bytes)

    async def read_shard(self, shard: int, after_pos: int, limit: int, bytes_max: int | None = None) -> Sequence[Entry]:
        """See the port."""
        self.check_there()
        return await super().read_shard(shard, after_pos, limit, bytes_max)

    async def find_ops(self, ops: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Entry]:
        """See the port."""
        self.check_there()
        return await super().find_ops(ops)

    async def find_entries(
        self, places: Sequence[tuple[str, int]], bytes_max: int | None = None
    ) -> Mapping[tuple[str, int], Entry]:
        """See the port."""
        self.check_there()
        return await super().find_entries(places, bytes_max)


class FaultyLane(MemoryLane):
    """Fits `actors.ports.AppendLane`. As the real one it refuses to append while an answer is lost."""

    def __init__(self, journal: FaultyJournal) -> None:
        super().__init__(journal)
        self._faults = journal
        # Whether the last append's fate was not told.
        self._undecided = False
        # The append that is written at the next `abandon`; None when there is none.
        self._late: Callable[[], Appended] | None = None

    async def append(self, batch: AppendBatch) -> Appended:
        """See the port."""
        return await self._meet(batch, self._faults.append)

    async def append_isolating(self, batch: AppendBatch) -> Appended:
        """See the port."""
        return await self._meet(batch, self._faults.append_isolating)

    async def abandon(self) -> None:
        """See the port."""
        self._faults.check_there()
        late, self._late, self._undecided = self._late, None, False
        if late is not None:
            with suppress(DuplicateEntry):  # the transaction ended by itself, without its batch
                late()

    async def _meet(self, batch: AppendBatch, write: _Write) -> Appended:
        if self._undecided:
            raise NotApplied("the lane's last append is undecided: abandon it first")
        fault = self._faults.take(batch)
        match fault:
            case None:
                return write(batch)
            case Refuse():
                raise NotApplied("told to refuse")
            case Hold():
                return await _held(fault, batch, write)
            case LoseAnswer():
                self._lose(fault, batch, write)
                raise OutcomeUnknown("told to lose the answer")
        assert_never(fault)

    def _lose(self, fault: LoseAnswer, batch: AppendBatch, write: _Write) -> None:
        self._undecided = True
        match fault.fate:
            case "applied":
                with suppress(DuplicateEntry):  # then it was refused, and nobody hears of that either
                    write(batch)
            case "late":
                self._late = lambda: write(batch)
            case "never":
                pass


async def _held(hold: Hold, batch: AppendBatch, write: _Write) -> Appended:
    if hold.applied_first:
        appended = write(batch)
        await hold.until_released()
        return appended
    await hold.until_released()
    return write(batch)
