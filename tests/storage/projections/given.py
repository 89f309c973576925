"""Logs for the projector: lives of streams put into their shards, and what the read tables then hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from protocol.base import instant_of
from protocol.log import Entry
from storage.ports import Move
from storage.postgres.pool import Database
from storage.projections import activity
from storage.projections.folding import TABLES
from storage.projections.table import Row
from storage.projections.writer import ProjectionWriter


class Feeder:
    """Numbers entries per shard as the log does, and hands them to a writer."""

    def __init__(self, database: Database) -> None:
        self.writer = ProjectionWriter(database)
        # Shard → entries that were handed over.
        self.positions: defaultdict[int, int] = defaultdict(int)

    async def feed(self, entries: Sequence[Entry]) -> bool:
        """One batch."""
        moves: dict[int, Move] = {}
        placed: list[Entry] = []
        heads = dict(self.positions)
        for entry in entries:
            heads[entry.shard] = heads.get(entry.shard, 0) + 1
            placed.append(replace(entry, pos=heads[entry.shard]))
            moves[entry.shard] = Move(self.positions[entry.shard], heads[entry.shard])
        applied = await self.writer.apply(moves, placed)
        if applied:
            self.positions.update(heads)
        return applied


async def table_rows(database: Database) -> dict[str, list[Row]]:
    """Everything that the read tables hold, by table, in the order of the keys."""
    found: dict[str, list[Row]] = {}
    for table in TABLES:
        rows = await database.fetch(f"SELECT {table.select('t')} FROM {table.name} t")
        found[table.name] = by_key(map(table.row, rows))
    return found


async def activity_rows(database: Database) -> tuple[set[tuple[str, str, int]], set[tuple[str, str, str, int]]]:
    """(project, object, seq) of all objects, and (author, at, project, seq) of all persons."""
    objects = await database.fetch(f"SELECT project_id, object_id, seq FROM {activity.OBJECTS}")
    authors = await database.fetch(f"SELECT author_id, at, project_id, seq FROM {activity.AUTHORS}")
    return (
        {(str(row["project_id"]), str(row["object_id"]), row["seq"]) for row in objects},
        {(str(row["author_id"]), instant_of(row["at"]), str(row["project_id"]), row["seq"]) for row in authors},
    )


def by_key(rows: Iterable[Row]) -> list[Row]:
    """Rows in an order that does not depend on where they come from."""
    return sorted(rows, key=lambda row: (row.get("projectId", ""), row.get("id", ""), row.get("userId", "")))


async def forget_everything(database: Database) -> None:
    """Empties the read tables and their checkpoints."""
    names = ", ".join([*(table.name for table in TABLES), activity.OBJECTS, activity.AUTHORS])
    await database.write(f"TRUNCATE {names}")
    await database.write("DELETE FROM consumers")
