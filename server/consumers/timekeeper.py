"""The consumer that keeps the table of timers: what an actor says about its timers becomes rows, so none is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Generic, Protocol, TypeVar, assert_never

from actors.runtime.actor import AnyActor, TimerChange, TimersCleared, TimerStep, TimersWoken, TimerWoken, meta_of
from protocol.log import Entry
from protocol.messages import UnreadableEvent, content_of
from storage.ports import Consumers, Move, TimerEdit, TimersClear, TimersWake, TimerTable, TimerWake, TimerWrite
from storage.projections.writer import Outrun

TIMEKEEPER: Final = "timekeeper"
"""The consumer's name in the table of checkpoints."""

T = TypeVar("T")


class CheckpointStore(Consumers[T], Protocol[T]):
    """Checkpoints, and the transactions that they move in."""

    def transaction(self) -> AbstractAsyncContextManager[T]:
        """See `storage.ports.Transactions`."""
        ...


class Timekeeper(Generic[T]):
    """Fits `server.consumers.runner.Handler`."""

    def __init__(
        self, store: CheckpointStore[T], table: TimerTable[T], actors: Sequence[AnyActor], name: str = TIMEKEEPER
    ) -> None:
        self._store = store
        self._table = table
        self._actors: Mapping[str, AnyActor] = {actor.kind: actor for actor in actors}
        self._name = name

    async def apply(self, moves: Mapping[int, Move], entries: Sequence[Entry]) -> bool:
        """Sets, clears and wakes the timers of these entries' events, in their order. See `Handler.apply`."""
        writes = [write for entry in entries for write in self._writes(entry)]
        try:
            async with self._store.transaction() as transaction:
                if not await self._store.advance(transaction, self._name, moves):
                    raise Outrun
                if writes:
                    await self._table.write(transaction, writes)
        except Outrun:
            return False
        return True

    def _writes(self, entry: Entry) -> Iterator[TimerEdit]:
        actor = self._actors.get(entry.stream.partition("/")[0])
        if actor is None:
            raise UnreadableEvent(f"no actor answers for {entry.stream}")
        if not actor.timer_events:
            return
        for event in content_of(entry).events:
            if event["kind"] in actor.timer_events:
                for step in actor.timers(event["kind"], event["data"], meta_of(entry)):
                    yield _edit(entry, step)


def _edit(entry: Entry, step: TimerStep) -> TimerEdit:
    match step:
        case TimerChange(name, due_at):
            return TimerWrite(entry.stream, name, due_at, entry.seq)
        case TimerWoken(name):
            return TimerWake(entry.stream, name, entry.seq)
        case TimersWoken(prefix):
            return TimersWake(entry.stream, prefix, entry.seq)
        case TimersCleared():
            return TimersClear(entry.stream)
        case _:
            assert_never(step)
