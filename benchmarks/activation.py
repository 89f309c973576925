"""Bringing an actor to life: from its events, and from its snapshot."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from time import perf_counter

from actors.project.decider import ProjectActor
from actors.runtime.limits import RuntimeLimits
from actors.runtime.publication import Publication
from actors.runtime.region import Region
from actors.runtime.request import Accepted, Request
from actors.runtime.shards import ShardTable
from benchmarks.figures import Section, median, milliseconds
from protocol.event import Command, Principal
from protocol.log import Entry
from protocol.messages import digest_of
from protocol.projects import CreateProject
from protocol.tasks import CreateTask, EditTask
from server.clock import SystemClock
from server.ids import SystemIds
from server.telemetry import Meters
from storage.embedded import EmbeddedPostgres
from storage.postgres.migrations import migrate
from storage.postgres.storage import PostgresStorage

_SIZES = (1_000, 5_000, 10_000)
_ROUNDS = 5
_IN_FLIGHT = 50
_USER = Principal("00000000-0000-7000-8000-000000000001")


class _Nowhere:
    """Outlets that lead nowhere."""

    def publish(self, stream: str, publications: list[Publication]) -> None: ...

    def committed(self, entries: list[Entry]) -> None: ...


def _ready(state: object) -> bool:
    return state is not None


class _Bench:
    def __init__(self, storage: PostgresStorage) -> None:
        self._storage = storage
        self._clock, self._ids = SystemClock(), SystemIds()
        self._shards = ShardTable(storage.database.session)

    async def open(self) -> None:
        ownership = self._storage.ownership
        await ownership.open_session(self._shards.session, "bench", "nowhere", 3600)
        seen = {row.shard: row.epoch for row in await ownership.shards()}
        for claimed in await ownership.claim(self._shards.session, seen, 1):
            self._shards.claimed(claimed)

    def region(self, snapshot_every: int) -> Region:
        limits = RuntimeLimits(snapshot_every_entries=snapshot_every, snapshot_at_passivation_entries=snapshot_every)
        region = Region(
            [ProjectActor()],
            self._storage.journal,
            self._storage.ownership,
            self._shards,
            _Nowhere(),
            clock=self._clock,
            ids=self._ids,
            meters=Meters(),
            limits=limits,
        )
        region.start()
        return region

    async def _send(self, region: Region, stream: str, command: Command) -> Accepted:
        outcome = await region.command(
            Request(
                stream,
                self._ids.new_id(),
                command,
                _USER,
                digest_of(_USER.id, command, None, None),
                self._clock.monotonic_s() + 60,
                facts={"projectKey": "BENCH"},
            )
        )
        if not isinstance(outcome, Accepted):
            raise TypeError(outcome)
        return outcome

    async def seed(self, region: Region, size: int) -> str:
        """A project of `size` entries: one task in ten entries, the others edit it."""
        stream = f"project/{self._ids.new_id()}"
        await self._send(region, stream, CreateProject(name="Bench"))
        tasks = [
            (await self._send(region, stream, CreateTask(title=f"Task {number}"))).result["taskId"]
            for number in range(size // 10)
        ]
        edits = [
            EditTask(task_id=tasks[number % len(tasks)], title=f"Title {number}")
            for number in range(size - len(tasks) - 1)
        ]
        for start in range(0, len(edits), _IN_FLIGHT):
            await asyncio.gather(*(self._send(region, stream, edit) for edit in edits[start : start + _IN_FLIGHT]))
        return stream

    async def activate(self, stream: str) -> float:
        """Seconds from nothing in memory to the first answer."""
        region = self.region(1_000_000)
        began_s = perf_counter()
        await region.read(stream, _ready, deadline_s=self._clock.monotonic_s() + 60)
        taken_s = perf_counter() - began_s
        await region.stop(snapshots=False)
        return taken_s


async def _measure(dsn: str) -> Section:
    await migrate(dsn)
    storage = await PostgresStorage.open(dsn, SystemIds().new_id())
    bench = _Bench(storage)
    await bench.open()
    rows = []
    for size in _SIZES:
        without, with_snapshots = bench.region(1_000_000), bench.region(500)
        replayed = await bench.seed(without, size)
        snapshotted = await bench.seed(with_snapshots, size)
        await with_snapshots.snapshots.written()
        await without.stop(snapshots=False)
        await with_snapshots.stop(snapshots=False)
        events = median([await bench.activate(replayed) for _ in range(_ROUNDS)])
        snapshot = median([await bench.activate(snapshotted) for _ in range(_ROUNDS)])
        rows.append([f"{size:,}", milliseconds(events), f"{events / size * 1e6:.1f} µs", milliseconds(snapshot)])
    await storage.close()
    head = ["entries", "from events", "per entry", "from the snapshot (every 500 entries)"]
    return Section("Activation of a project", head, rows)


async def _in_folder(folder: Path) -> Section:
    postgres = EmbeddedPostgres(folder)
    dsn = postgres.start()
    try:
        return await _measure(dsn)
    finally:
        postgres.stop()


async def measure() -> Section:
    """On an embedded Postgres of its own."""
    with tempfile.TemporaryDirectory(prefix="hive-bench-") as folder:
        return await _in_folder(Path(folder) / "data")
