"""A newer build on the tables of an older one: whoever is refused changes nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config.secrets import ADMIN_TOKEN_FILE, load_secrets
from server.clock import SystemClock
from server.exits import Exit
from server.ids import SystemIds
from server.lease_watch import Lease
from server.node import Node, WatchedShards
from storage.postgres.migrations import FOLDER, migrate, migrations, pending
from storage.postgres.storage import PostgresStorage
from tests.acceptance.product import launch, running_product, until
from tests.architecture.sources import ROOT
from tests.postgres import fresh_database

LEASE_S, BEAT_INTERVAL_S = 1.0, 0.2
LEASE = {"lease_s": LEASE_S, "beat_interval_s": BEAT_INTERVAL_S}
NEWEST = migrations()[-1].name
SERVE = [["serve", "--port", "0"], ["migrate"]]


@pytest.fixture
async def old_dsn(postgres_dsn_root: str, tmp_path: Path) -> AsyncIterator[str]:
    """A database that lacks the newest migration, as an older build leaves it."""
    folder = tmp_path / "older"
    shutil.copytree(FOLDER, folder)
    (folder / NEWEST).unlink()
    async with fresh_database(postgres_dsn_root) as dsn:
        await migrate(dsn, folder)
        yield dsn


@asynccontextmanager
async def older_server(dsn: str) -> AsyncIterator[asyncio.Task[None]]:
    """The session of an older build's server; it ends with the task that beats."""
    storage, clock = await PostgresStorage.open(dsn, "older"), SystemClock()
    node = Node(
        storage.ownership,
        WatchedShards("older", clock),
        node_id="older-node",
        address="http://older:8080",
        clock=clock,
        ids=SystemIds(),
        lease=Lease(LEASE_S, BEAT_INTERVAL_S),
    )
    await node.open()
    beating = asyncio.create_task(node.run())
    try:
        yield beating
    finally:
        beating.cancel()
        await storage.close()


async def run(command: list[str], dsn: str, folder: Path) -> subprocess.CompletedProcess[str]:
    lease = {f"PANTHERAHIVE_{name.upper()}": str(value) for name, value in LEASE.items()}
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "server", *command, "--database-url", dsn, "--data-dir", str(folder / "data")],
        cwd=ROOT,
        env={**os.environ, **lease},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", SERVE, ids=" ".join)
async def test_the_tables_of_a_running_server_stay_as_they_are(
    old_dsn: str, command: list[str], tmp_path: Path
) -> None:
    async with older_server(old_dsn) as beating:
        ended = await run(command, old_dsn, tmp_path)
        assert not beating.done(), "it goes on"
    assert ended.returncode == Exit.ANOTHER_NODE, ended.stderr
    assert "node older-node at http://older:8080" in ended.stderr
    assert "Stop that one first" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert await pending(old_dsn) == [NEWEST]


async def test_after_a_server_that_died_it_is_migrated_with_a_word_on_the_wait(old_dsn: str, tmp_path: Path) -> None:
    async with older_server(old_dsn) as beating:
        beating.cancel()
        ended = await run(["migrate"], old_dsn, tmp_path)
    assert ended.returncode == Exit.OK, ended.stderr
    assert ended.stdout == f"applied  {NEWEST}\n"
    assert "waiting whether its lease runs out" in ended.stderr


async def test_a_start_takes_over_from_an_older_server_that_died(old_dsn: str, tmp_path: Path) -> None:
    async with older_server(old_dsn) as beating:
        beating.cancel()
        async with running_product(tmp_path / "data", database_url=old_dsn, **LEASE) as product:
            await product.register("ada")
            assert product.log.count("waiting whether its lease runs out") == 1
    assert await pending(old_dsn) == []


async def test_of_two_starts_at_once_one_migrates_and_serves(old_dsn: str, tmp_path: Path) -> None:
    started = [launch(tmp_path / name, database_url=old_dsn, **LEASE) for name in ("first", "second")]
    try:
        one_ended = "does not end, nor does the other one"
        await until(lambda: any(each.process.poll() is not None for each in started), 60, started[0], one_ended)
        [refused] = [product for product in started if product.process.poll() is not None]
        [serving] = [product for product in started if product is not refused]
        assert refused.process.returncode == Exit.ANOTHER_NODE, refused.log
        assert await pending(old_dsn) == []
        assert await serving.stop() == Exit.OK
    finally:
        for product in started:
            product.kill()


async def test_a_start_that_its_secrets_forbid_has_changed_nothing(old_dsn: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    load_secrets(data)
    (data / ADMIN_TOKEN_FILE).chmod(0o644)
    ended = await run(["serve", "--port", "0"], old_dsn, tmp_path)
    assert ended.returncode == Exit.FAILED
    assert "chmod 600" in ended.stderr
    assert await pending(old_dsn) == [NEWEST]
