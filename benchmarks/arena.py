"""Where contenders meet: cores, tools, the product with its crowd, and a Postgres for the others."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from benchmarks.cores import Cores, family, move
from benchmarks.crowd import Crowd, come_back, gather_crowd, look
from benchmarks.generator import Generator
from benchmarks.product import AS_SHIPPED, Product
from benchmarks.toolbox import Toolbox
from storage.embedded import EmbeddedPostgres, running_dsn

PEOPLE = 50
TASKS = 1_000
SOURCES = 100
"""Loopback addresses that clients come from: as many as a crowd has, so that no limit per address is in the way."""

_LANE = re.compile(r"/lane-\d+$")


@dataclass(slots=True)
class Arena:
    """What lasts from one round to the next. `peers_dsn` is set while the peers' Postgres runs."""

    folder: Path
    cores: Cores
    tools: Toolbox
    product: Product
    # How many tasks the project of the crowd has.
    tasks: int
    crowd: Crowd | None = None
    peers_dsn: str = ""
    peers_postgres: EmbeddedPostgres | None = None
    # What the run has to say beside its figures.
    remarks: list[str] = field(default_factory=list)

    @property
    def generator(self) -> Generator:
        return Generator(self.tools.load, self.cores.generator)

    @property
    def log(self) -> Path:
        """Where the peers' output goes."""
        return self.folder / "peers.log"

    def start_postgres_of_peers(self) -> None:
        """Their Postgres, once: by the product's own launcher with the same settings."""
        if self.peers_postgres is None:
            self.peers_postgres = EmbeddedPostgres(self.folder / "peers")
            self.peers_dsn = self.peers_postgres.start()
            for pid in self.postgres_of_peers():
                move(pid, self.cores.generator)

    def postgres_of_peers(self) -> list[int]:
        pid = self.peers_postgres.pid if self.peers_postgres is not None else None
        return family(pid) if pid is not None else []

    @contextlib.asynccontextmanager
    async def running_product(self) -> AsyncIterator[Crowd]:
        """The product with everybody signed in; stopped afterwards, its data stays."""
        try:
            await self.product.start()
            if self.crowd is None:
                self.crowd = await gather_crowd(self.product, PEOPLE, self.tasks)
                await look(self.product, self.crowd)
            else:
                await come_back(self.product, self.crowd)
            yield self.crowd
        finally:
            self.product.stop()


async def postgres_by_role(product: Product) -> Mapping[str, list[int]]:
    """The product's Postgres: `append` (the lanes), `write` (read tables, checkpoints, snapshots), `rest`."""
    dsn = running_dsn(product.data_dir)
    if dsn is None:
        raise RuntimeError("the embedded Postgres does not run")
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT pid, application_name FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()
    groups: dict[str, list[int]] = {"append": [], "write": [], "rest": []}
    names = {row["pid"]: row["application_name"] or "" for row in rows}
    for pid in product.postgres:
        groups[role_of(names.get(pid, ""))].append(pid)
    return {f"postgres_{role}": pids for role, pids in groups.items() if pids}


def role_of(application_name: str) -> str:
    """By the name that a connection of the product has in Postgres."""
    if _LANE.search(application_name):
        return "append"
    return "write" if application_name.endswith("/write") else "rest"


@contextlib.asynccontextmanager
async def open_arena(cores: Cores, tools: Toolbox, tasks: int = TASKS) -> AsyncIterator[Arena]:
    """An arena; everything of it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hive-bench-"))
    arena = Arena(folder, cores, tools, Product(folder / "hive" / "data", AS_SHIPPED, cores), tasks)
    (folder / "hive").mkdir()
    try:
        yield arena
    finally:
        arena.product.stop()
        if arena.peers_postgres is not None:
            arena.peers_postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
