"""Writes what a stretch of the log means for the read tables: one transaction, the checkpoint first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from protocol.faults import StorageFault
from protocol.log import Entry
from protocol.messages import UnreadableEvent
from storage.ports import Move
from storage.postgres.consumers import PostgresConsumers
from storage.projections import activity, projects
from storage.projections.folding import (
    PROJECT_TABLES,
    TABLES,
    Place,
    ReadEntry,
    Rows,
    check_readable,
    fold_entry,
    purged,
    reached,
    read_entry,
    removals,
    touched,
)
from storage.projections.table import Table

if TYPE_CHECKING:
    from storage.postgres.pool import Connection, Database

T = TypeVar("T")

PROJECTOR: Final = "projector"
"""The consumer's name in the table of checkpoints."""

ENTRIES_AT_A_TIME: Final = 100
"""So many are read or folded before others on the loop get their turn: about half a millisecond."""


class Outrun(Exception):
    """Somebody else moved a checkpoint: nothing of the transaction may stay."""


class ProjectionWriter:
    """The read tables and their checkpoint, moved together or not at all."""

    def __init__(self, database: Database, name: str = PROJECTOR) -> None:
        self._consumers = PostgresConsumers(database)
        self._name = name

    async def apply(self, moves: Mapping[int, Move], entries: Sequence[Entry]) -> bool:
        """Folds the entries of `moves`, which lie in the order of each shard's log.

        Many events of one row become one write. False: a checkpoint was not where `moves` says, and nothing
        happened. Raises NotApplied, OutcomeUnknown, and UnreadableEvent, after which nothing is written either.
        """
        try:
            await self._apply(moves, entries)
        except Outrun:
            return False
        except (StorageFault, UnreadableEvent):
            raise
        except Exception:
            # The folds trust the log. Where that fails, it is either an event's fault, which is told here, or ours.
            check_readable(entries)
            raise
        return True

    async def _apply(self, moves: Mapping[int, Move], entries: Sequence[Entry]) -> None:
        read: list[ReadEntry] = []
        async for some in _in_turns(entries):
            read.extend(map(read_entry, some))
        async with self._consumers.transaction() as connection:
            if not await self._consumers.advance(connection, self._name, moves):
                raise Outrun
            before = await _load(connection, touched(read))
            after = dict(before)
            async for stretch in _in_turns(read):
                for one in stretch:
                    fold_entry(after, one)
            # Before the rows that were folded: these have had their turn in the order of the log.
            for removal in removals(read):
                await removal.sweep(connection)
            await _store(connection, before, after)
            await activity.note(connection, activity.noted(read, after))
            for purge in purged(read):
                await purge.sweep(connection, PROJECT_TABLES)
                await activity.forget_project(connection, purge.project_id)
            if projects_reached := reached(read):
                await projects.reach(connection, projects_reached)


async def _in_turns(items: Sequence[T]) -> AsyncIterator[Sequence[T]]:
    """The items in stretches; between two of them everybody else on the loop has a turn."""
    for first in range(0, len(items), ENTRIES_AT_A_TIME):
        if first:
            await asyncio.sleep(0)
        yield items[first : first + ENTRIES_AT_A_TIME]


async def _load(connection: Connection, places: Iterable[Place]) -> Rows:
    rows: Rows = dict.fromkeys(places)
    for table in TABLES:
        keys = [place.key for place in rows if place.table == table.name]
        if keys:
            found = await table.load(connection, keys)
            rows.update((Place(table.name, key), row) for key, row in found.items())
    return rows


async def _store(connection: Connection, before: Rows, after: Rows) -> None:
    for table in TABLES:
        await _store_table(connection, table, before, after)


async def _store_table(connection: Connection, table: Table, before: Rows, after: Rows) -> None:
    own = [(place, row) for place, row in after.items() if place.table == table.name]
    written = [row for place, row in own if row is not None and row is not before.get(place)]
    removed = [place.key for place, row in own if row is None and before.get(place) is not None]
    if written:
        await table.write(connection, written)
    if removed:
        await table.remove(connection, removed)
