"""Clients that do not read: bounded memory, nobody else waits, and they catch up. Both loops."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from actors.runtime.limits import RuntimeLimits
from protocol.tasks import CreateTask, EditTask
from server.gateway.session import Session
from server.telemetry import Meters
from tests.server.gateway.client import command
from tests.server.gateway.hive import a_hive, eventually, new_project
from tests.server.gateway.raw import frames
from tests.server.gateway.sleepers import (
    BUFFER_BYTES,
    ENTRY_BYTES,
    SMALL,
    Scenario,
    a_sleeper,
    read_little,
    stuff,
    write,
)


def seqs_in(texts: list[str]) -> list[int]:
    """The seqs of the entries in packets."""
    packets = [orjson.loads(text[2:]) for text in texts if text.startswith('42["entries"')]
    return [entry["seq"] for packet in packets for entry in packet[1]["entries"]]


def test_who_does_not_read_costs_a_buffer_and_nobody_else_anything(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(replace(SMALL, slow_follower_grace_s=5)) as hive:
            stream = await hive.project()
            raw, session = await a_sleeper(hive, stream)
            reader = await hive.client()
            await reader.join(stream)
            tasks = len(asyncio.all_tasks())
            most = 0
            for _ in range(60):
                seq = await write(hive, stream)
                await reader.until_seq(stream, seq)
                most = max(most, session.socket.unsent_bytes)
            assert BUFFER_BYTES < most < BUFFER_BYTES + 3 * ENTRY_BYTES
            assert len(asyncio.all_tasks()) <= tasks + 2  # the pump and its wait
            raw.reset()
            await eventually(lambda: hive.gateway.connections == 1)

    run(scenario)


@pytest.mark.parametrize("ring", [1000, 4], ids=["from the ring", "from the log"])
def test_who_reads_again_catches_up_without_a_gap(run: Callable[[Scenario], None], ring: int) -> None:
    async def scenario() -> None:
        limits = replace(SMALL, slow_follower_grace_s=5)
        async with a_hive(limits, RuntimeLimits(ring_entries_max=ring)) as hive:
            stream = await hive.project()
            raw, session = await a_sleeper(hive, stream)
            last = await stuff(hive, stream, session)
            reads = hive.feeds.pages.reads
            for _ in range(20):
                last = await write(hive, stream)
            seen: list[int] = []
            while not seen or seen[-1] < last:
                seen += seqs_in(await raw.read())
            assert seen == list(range(1, last + 1))
            assert (hive.feeds.pages.reads > reads) is (ring == 4)
            await eventually(lambda: session.places.deliveries[stream].is_live)
            last = await write(hive, stream)
            while seen[-1] < last:
                seen += seqs_in(await raw.read())
            assert seen == list(range(1, last + 1))
            raw.close()

    run(scenario)


@pytest.mark.only_if(sys.platform == "linux")
def test_who_reads_a_little_is_never_let_go(run: Callable[[Scenario], None]) -> None:
    """The transport's buffer stands still all the while: a third of the kernel's would have to be free first."""

    async def scenario() -> None:
        limits = replace(SMALL, send_buffer_bytes=128 << 10, slow_follower_grace_s=0.5)
        async with a_hive(replace(limits, ping_interval_s=0.1, ping_timeout_s=0.5)) as hive:
            stream = await hive.project()
            raw, session = await a_sleeper(hive, stream)
            await stuff(hive, stream, session)
            until_s = time.monotonic() + 1.4
            while time.monotonic() < until_s:
                await read_little(raw, 300)
            assert hive.gateway.connections == 1
            raw.close()

    run(scenario)


def test_who_stays_slow_is_promised_a_state_and_nothing_more_is_queued(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(replace(SMALL, slow_follower_grace_s=1)) as hive:
            hive.gateway.meters = meters = Meters()
            stream = await hive.project()
            task_id = (await hive.send(stream, CreateTask(title="x"))).result["taskId"]
            raw, session = await a_sleeper(hive, stream)
            delivery = session.places.deliveries[stream]
            await eventually(lambda: delivery.is_live)
            number, slow_s = 0, 0.0
            while b"conflations_promised_total 1.0" not in meters.exposition():
                number += 1
                await hive.send(stream, EditTask(task_id=task_id, description=f"{number} " + "x" * ENTRY_BYTES))
                await read_little(raw, 1500)
                slow_s = slow_s or session.socket.is_slow * time.monotonic()
                assert session.socket.unsent_bytes < BUFFER_BYTES + 3 * ENTRY_BYTES
                assert not slow_s or time.monotonic() - slow_s < 5
            assert delivery.following.hub.head.seq - delivery.following.seq < SMALL.lag_entries_max
            at_promise = delivery.following.seq
            events: list[Any] = []
            while not [message for name, message in events if name == "snapshot"]:
                events += [orjson.loads(text[2:]) for text in await raw.read() if text.startswith("42")]
            [reset] = [message for name, message in events if name == "reset"]
            assert reset["reason"] == "behind"
            seqs = [entry["seq"] for name, message in events if name == "entries" for entry in message["entries"]]
            assert seqs[-1] == at_promise < int(reset["cursor"].partition(".")[0])
            raw.close()

    run(scenario)


def test_who_is_behind_for_the_grace_gets_a_state_however_short_each_wait_is(run: Callable[[Scenario], None]) -> None:
    """It reads all the time, less than is written, and there is room again and again."""

    async def scenario() -> None:
        limits = replace(SMALL, slow_follower_grace_s=1, entries_packet_bytes_max=ENTRY_BYTES, lag_entries_max=10**6)
        async with a_hive(replace(limits, transport_buffer_max_bytes=BUFFER_BYTES // 4)) as hive:
            stream = await hive.project()
            task_id = (await hive.send(stream, CreateTask(title="x"))).result["taskId"]
            raw, session = await a_sleeper(hive, stream)
            delivery = session.places.deliveries[stream]
            await eventually(lambda: delivery.is_live)
            events: list[tuple[float, str]] = []
            number, behind_s = 0, 0.0
            while len(resets := [at_s for at_s, name in events if name == "reset"]) < 2:
                number += 1
                await hive.send(stream, EditTask(task_id=task_id, description=f"{number} " + "x" * ENTRY_BYTES))
                await read_little(raw, ENTRY_BYTES // 2)
                found, raw._rest = frames(raw._rest)
                now_s = time.monotonic()
                events += [(now_s, orjson.loads(text[2:])[0]) for _, text in found if text.startswith(b"42")]
                behind_s = behind_s or (not delivery.is_live) * time.monotonic()
                assert not behind_s or time.monotonic() - behind_s < 10
            first_s, second_s = resets
            assert first_s - behind_s < 3
            assert second_s - first_s > 0.9, "not again within the grace"
            raw.close()

    run(scenario)


def test_who_leaves_with_a_full_buffer_is_not_counted_as_slow(
    run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with a_hive(replace(SMALL, slow_follower_grace_s=5)) as hive:
            ended: list[Session] = []
            monkeypatch.setattr(Session, "slow", lambda session: ended.append(session))  # a method, so it is bound
            stream = await hive.project()
            raw, session = await a_sleeper(hive, stream)
            await stuff(hive, stream, session)
            await write(hive, stream)
            raw.reset()
            await eventually(lambda: not hive.left())
            assert not ended

    run(scenario)


def test_who_leaves_one_stream_while_slow_still_gets_the_other(run: Callable[[Scenario], None]) -> None:
    """All deliveries of a client wait for the same room; one that gives up must not take it from the others."""

    async def scenario() -> None:
        async with a_hive(replace(SMALL, slow_follower_grace_s=5)) as hive:
            left, kept = await hive.project(), await hive.project()
            raw, session = await a_sleeper(hive, left)
            await raw.emit(1, "join", {"stream": kept, "cursor": "0.0"})
            await eventually(lambda: len(session.places.deliveries) == 2)
            await stuff(hive, left, session)
            await write(hive, left)
            last = await write(hive, kept)
            await eventually(lambda: not any(delivery.is_live for delivery in session.places.deliveries.values()))
            session.places.forget(left, session.places.deliveries[left])
            await asyncio.sleep(0)
            seen: list[str] = []
            while not [text for text in seen if kept in text and f'"seq":{last},' in text]:
                seen += await raw.read()
            await eventually(lambda: session.places.deliveries[kept].is_live)
            raw.close()

    run(scenario)


def test_who_reads_late_is_told_the_presence_of_now(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(replace(SMALL, slow_follower_grace_s=5)) as hive:
            ada, token = await hive.user("ada")
            stream = await hive.project(owner=ada)
            raw, session = await a_sleeper(hive, stream)
            await stuff(hive, stream, session)
            await write(hive, stream)
            other = await hive.client(token)
            await other.join(stream)
            await other.until(lambda: bool(other.of("presence")))
            seen: list[str] = []
            while not [text for text in seen if text.startswith('42["presence"') and ada in text]:
                seen += await raw.read()
            raw.close()

    run(scenario)


def test_commands_and_joins_work_on_this_loop(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive() as hive:
            _, token = await hive.user("ada")
            client, stream = await hive.client(token), new_project()
            wishes: list[Any] = [command(stream, "CreateProject", {"name": "Apollo"})]
            wishes += [command(stream, "CreateTask", {"title": str(number)}) for number in range(20)]
            for wish in wishes:
                await client.emit("command", wish)
            await client.until(lambda: len(client.acks) == 21)
            assert (await client.join(stream, "0.0"))["mode"] == "resume"
            await client.until_seq(stream, 21)
            assert [entry["seq"] for entry in client.entries(stream)] == list(range(1, 22))

    run(scenario)
