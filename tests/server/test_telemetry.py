"""Metrics, health and readiness."""

from __future__ import annotations

import asyncio
import time

import pytest

from actors.ports import RuntimeMeters
from server.streams import CommandMeters
from server.telemetry import LoopLag, Meters, Readiness
from tests.server.world import World


async def test_metrics_tell_what_happened(world: World) -> None:
    ada = await world.register("ada")
    await world.project(ada)
    world.meters.watch("mailbox_depth", "Messages that wait", lambda: 42)
    response = await world.http.get("/metrics")
    text = await response.text()
    assert response.content_type == "text/plain"
    for line in (
        "pantherahive_mailbox_depth 42.0",
        'pantherahive_http_requests_total{method="POST",route="/v1/projects",status="201"} 1.0',
        'pantherahive_actor_activations_total{kind="project"} 1.0',
        "pantherahive_append_batch_entries_count",
        "pantherahive_gate_hold_seconds_bucket",
        "pantherahive_loop_lag_seconds_count",
        'pantherahive_commands_total{code="accepted",kind="project"} 1.0',
    ):
        assert line in text, line


async def test_made_up_paths_and_methods_make_no_labels(world: World) -> None:
    for number in range(20):
        await world.http.get(f"/made/up/{number}")
        await world.http.request(f"MADE{number}", "/healthz")
    text = await (await world.http.get("/metrics")).text()
    assert "made/up" not in text
    assert "MADE" not in text


def test_the_meters_fit_the_runtime_and_two_sets_do_not_meet() -> None:
    edge: CommandMeters = Meters()
    edge.command_answered("project", "accepted")
    meters: RuntimeMeters = Meters()
    meters.append_failed("fenced")
    meters.actor_crashed("project")
    meters.actor_passivated("project")
    meters.stream_halted("project")
    assert b'code="accepted"' not in Meters().exposition()


async def test_a_blocked_loop_is_measured() -> None:
    measured: asyncio.Queue[float] = asyncio.Queue()
    lag = LoopLag(0.01, measured.put_nowait)
    lag.start()
    time.sleep(0.1)
    assert await asyncio.wait_for(measured.get(), 5) > 0.05
    lag.stop()


async def test_ready_says_why_not(world: World) -> None:
    response = await world.http.get("/readyz")
    assert (response.status, await response.json()) == (200, {"ready": True, "reasons": {}})
    world.not_ready["shards"] = "127 of 128 shards are owned"
    response = await world.http.get("/readyz")
    assert response.status == 503
    assert (await response.json())["reasons"] == {"shards": "127 of 128 shards are owned"}
    assert (await world.http.get("/healthz")).status == 200


async def test_a_check_that_hangs_or_fails_is_a_reason() -> None:
    async def hangs() -> str | None:
        await asyncio.Event().wait()
        return None

    async def fails() -> str | None:
        raise OSError("secret address")

    async def passes() -> str | None:
        return None

    reasons = await Readiness({"a": hangs, "b": fails, "c": passes}, 0.05).why_not()
    assert set(reasons) == {"a", "b"}
    assert "0.05 s" in reasons["a"]
    assert "secret" not in reasons["b"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_they_need_no_token(world: World, path: str) -> None:
    assert (await world.http.get(path)).status == 200
