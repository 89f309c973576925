"""The composed server, in this process, on a real database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from config.secrets import load_secrets
from config.settings import Settings, load_settings
from server.app import Place, Product
from server.listener import bind
from server.node import SessionLost
from tests.postgres import execute

SETTINGS: dict[str, Any] = {
    "port": 0,
    "lease_s": 1,
    "beat_interval_s": 0.1,
    "argon2_memory_kib": 8192,
    "argon2_time_cost": 1,
    "shutdown_grace_s": 2,
}


def settings_of(folder: Path) -> Settings:
    return load_settings({**SETTINGS, "data_dir": folder}, {})


@pytest.fixture
async def product(database_dsn: str, tmp_path: Path) -> AsyncIterator[Product]:
    """A started server; the test ends it."""
    settings = settings_of(tmp_path)
    with bind(settings.host, settings.port) as bound:
        composed = await Product.open(settings, load_secrets(tmp_path), Place(database_dsn, bound, "node-of-the-test"))
        await composed.start()
        yield composed


async def test_it_serves_and_stops_in_order(product: Product) -> None:
    assert await get(product, "/readyz") == (200, {"ready": True, "reasons": {}})
    status, _ = await get(product, "/v1/projects")
    assert status == 401

    await product.stop()

    with pytest.raises(aiohttp.ClientError):
        await get(product, "/healthz")


async def test_who_asks_without_pause_gets_a_last_answer(product: Product) -> None:
    async def ask_to_the_end(http: aiohttp.ClientSession) -> None:
        said = ""
        while said != "close":
            async with http.get(f"{product.url}/healthz") as answer:
                said = answer.headers.get("Connection", "")

    async with aiohttp.ClientSession() as http, asyncio.timeout(10):
        asking = [asyncio.create_task(ask_to_the_end(http)) for _ in range(5)]
        await get(product, "/healthz")
        await product.stop()
        await asyncio.gather(*asking)


async def test_handshakes_are_counted_like_other_answers(product: Product) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(f"{product.url}/socket.io/?EIO=4&transport=websocket") as socket:
            await socket.receive()
        async with http.get(f"{product.url}/metrics") as answer:
            text = await answer.text()
    await product.stop()
    counted = [line for line in text.splitlines() if "http_requests_total{" in line and 'status="101"' in line]
    assert [line.rpartition(" ")[2] for line in counted] == ["1.0"]


async def test_figures_of_the_runtime_are_on_metrics(product: Product) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{product.url}/metrics") as response:
        text = await response.text()
    await product.stop()

    for name in (
        "mailbox_depth",
        "gate_hold_seconds_count",
        "append_batch_entries_count",
        "actor_activations_total",
        "actor_replayed_entries_count",
        "loop_lag_seconds_count",
        "projector_lag_entries",
        "connections",
        "answers_unread_bytes 0",
        "bodies_arriving_bytes 0",
        "shards_owned 128",
    ):
        assert f"pantherahive_{name}" in text


async def test_an_ended_session_is_raised_within_a_beat_and_serves_nothing_more(
    product: Product, database_dsn: str
) -> None:
    over = asyncio.create_task(product.until_over(asyncio.Event()))
    await execute(database_dsn, "DELETE FROM nodes")

    with pytest.raises(SessionLost):
        await asyncio.wait_for(over, 5)

    status, body = await get(product, "/readyz")
    assert (status, body["reasons"]["node"]) == (503, "this node's session was ended by another node")
    await product.abort()
    with pytest.raises(aiohttp.ClientError):
        await get(product, "/healthz")


async def test_a_stop_is_heard(product: Product) -> None:
    stop = asyncio.Event()
    over = asyncio.create_task(product.until_over(stop))
    stop.set()
    await asyncio.wait_for(over, 5)
    await product.stop()


async def test_it_is_not_ready_while_the_database_is_away_and_goes_on_when_it_is_back(
    product: Product, postgres_dsn_root: str, database_dsn: str
) -> None:
    name = database_dsn.partition("?")[0].rpartition("/")[2]
    await execute(postgres_dsn_root, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await execute(postgres_dsn_root, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    await until_status(product, "/readyz", 503)
    assert (await get(product, "/healthz"))[0] == 200, "a restart would help nobody"

    await execute(postgres_dsn_root, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await until_status(product, "/readyz", 200)
    user = {"username": "ada", "password": "correct horse"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{product.url}/v1/users/register", json=user) as response,
    ):
        assert response.status == 201
    await product.stop()


async def get(product: Product, path: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(product.url + path) as response:
        return response.status, await response.json(content_type=None)


async def until_status(product: Product, path: str, status: int, within_s: float = 15) -> None:
    deadline_s = time.monotonic() + within_s
    while (await get(product, path))[0] != status:
        assert time.monotonic() < deadline_s, f"{path} does not come to {status}"
        await asyncio.sleep(0.02)
