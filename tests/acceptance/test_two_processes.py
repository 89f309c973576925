"""Two processes on one database: never both at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from tests.acceptance.product import Product, User, launch, ready, running_product, until
from tests.postgres import fresh_database

LEASE: dict[str, Any] = {"lease_s": 1, "beat_interval_s": 0.2}
TAKEOVERS = int(os.environ.get("TAKEOVERS", "2"))
"""How often the takeover is tried."""


@pytest.fixture
async def database_url(postgres_dsn_root: str) -> AsyncIterator[str]:
    """An empty database of its own."""
    async with fresh_database(postgres_dsn_root) as dsn:
        yield dsn


async def test_the_second_is_refused_while_the_first_lives(tmp_path: Path, database_url: str) -> None:
    async with running_product(tmp_path / "first", database_url=database_url, **LEASE) as first:
        second = launch(tmp_path / "second", database_url=database_url, **LEASE)
        try:
            assert await second.ended() == 3
        finally:
            second.process.kill()
        assert first.url in second.log
        assert "Stop that one first" in second.log
        assert "Traceback" not in second.log
        await first.create_project(await first.register("ada"))


async def test_the_second_follows_a_first_that_was_stopped(tmp_path: Path, database_url: str) -> None:
    async with running_product(tmp_path / "first", database_url=database_url, **LEASE) as first:
        await first.register("ada")
        await first.stop()
    async with running_product(tmp_path / "second", database_url=database_url, **LEASE) as second:
        await second.login("ada")


@pytest.mark.timeout(60 + 30 * TAKEOVERS)
@pytest.mark.parametrize("trial", range(TAKEOVERS))
async def test_a_paused_process_never_commits_after_the_takeover(tmp_path: Path, database_url: str, trial: int) -> None:
    first = launch(tmp_path / "first", database_url=database_url, **LEASE)
    started = [first]
    try:
        await ready(first)
        ada = await first.register("ada")
        acknowledged: list[str] = []
        load = [asyncio.create_task(_create_for_ever(first, ada, f"{trial}-{n}", acknowledged)) for n in range(4)]
        # The pause falls somewhere else in every trial.
        await until(lambda: len(acknowledged) >= 5 + trial, 30, first, "acknowledges nothing")
        first.pause()
        second = launch(tmp_path / "second", database_url=database_url, **LEASE)
        started.append(second)
        await ready(second)
        taken_over = await _log_of(database_url)

        first.go_on()
        assert await first.ended() == 4
        await asyncio.gather(*load)

        assert "writes nothing more" in first.log
        assert await _log_of(database_url) == taken_over, "nothing was committed after the takeover"
        assert _is_dense(*taken_over)
        again = await second.login("ada")
        listed = {one["id"] for one in await _all_projects(second, again)}
        assert set(acknowledged) <= listed
        await second.create_project(again, "after the takeover")
        assert await second.stop() == 0
    finally:
        for product in started:
            product.kill()


async def _create_for_ever(product: Product, user: User, name: str, acknowledged: list[str]) -> None:
    """Creates projects until the process is gone, and notes the acknowledged ones."""
    number = 0
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {user.token}"}) as session:
        while True:
            number += 1
            try:
                async with session.post(f"{product.url}/v1/projects", json={"name": f"{name} {number}"}) as response:
                    body = await response.json(content_type=None)
                    if response.status == 201:
                        acknowledged.append(body["id"])
                    elif response.status != 503:
                        raise AssertionError(body)
            except aiohttp.ClientError:
                return


async def _all_projects(product: Product, user: User) -> list[dict[str, Any]]:
    answer = await product.ask("GET", "/v1/projects?limit=1000", user)
    assert answer.status == 200, answer
    return list(answer.body)


async def _log_of(database_url: str) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Every shard with its epoch and head; and every entry's shard and position with its epoch."""
    connection = await asyncpg.connect(database_url)
    try:
        shards = await connection.fetch("SELECT shard_id, epoch, head FROM shards ORDER BY shard_id")
        entries = await connection.fetch("SELECT shard_id, pos, epoch FROM entries ORDER BY shard_id, pos")
    finally:
        await connection.close()
    return [tuple(row) for row in shards], [tuple(row) for row in entries]


def _is_dense(shards: list[tuple[int, ...]], entries: list[tuple[int, ...]]) -> bool:
    expected = [(shard, pos) for shard, _, head in shards for pos in range(1, head + 1)]
    return [(shard, pos) for shard, pos, _ in entries] == expected
