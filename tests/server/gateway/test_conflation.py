"""Who falls too far behind gets each record once, at a stated seq, and goes on from there."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from typing import Any

import orjson
import pytest

from actors.runtime.limits import RuntimeLimits
from protocol.members import AddMember, RemoveMember
from protocol.tasks import CreateTask, EditTask
from server.gateway.session import Session
from tests.acceptance.javascript import js_follower, node
from tests.server.gateway.client import Replica
from tests.server.gateway.hive import ADMIN_TOKEN, LONG_PINGS, Hive, a_hive, eventually
from tests.server.gateway.raw import RawClient

SMALL = replace(
    LONG_PINGS,
    transport_buffer_max_bytes=100_000,
    send_buffer_bytes=8192,
    entries_packet_bytes_max=30_000,
    slow_follower_grace_s=5,
    lag_entries_max=30,
)


async def edit(hive: Hive, stream: str, task_id: str, number: int, size: int = 10_000) -> None:
    await hive.send(stream, EditTask(task_id=task_id, description=f"{number} " + "x" * size))


async def a_task(hive: Hive) -> tuple[str, str]:
    """A project with one task."""
    stream = await hive.project()
    created = await hive.send(stream, CreateTask(title="x"))
    return stream, created.result["taskId"]


async def asleep(hive: Hive, stream: str, token: str = ADMIN_TOKEN, cursor: str = "0.0") -> tuple[RawClient, Session]:
    """A follower that was live and reads no more."""
    before = set(hive.gateway._entered)
    client = await RawClient.entered(hive.url, token)
    [session] = set(hive.gateway._entered) - before
    await client.emit(0, "join", {"stream": stream, "cursor": cursor})
    await eventually(lambda: stream in session.places.deliveries and session.places.deliveries[stream].is_live)
    return client, session


async def until_behind(hive: Hive, stream: str, task_id: str, session: Session) -> int:
    """Edits until the follower is served no more, and then so many that it is far behind; how many."""
    delivery, number = session.places.deliveries[stream], 0
    while delivery.is_live or delivery.following.hub.head.seq - delivery.following.seq < 100:
        number += 1
        await edit(hive, stream, task_id, number)
    return number


def packets(texts: list[str]) -> list[tuple[str, Any]]:
    return [tuple(orjson.loads(text[2:])) for text in texts if text.startswith("42")]


def seqs_of(events: list[tuple[str, Any]]) -> list[int]:
    """The seqs of all entries."""
    return [entry["seq"] for name, message in events if name == "entries" for entry in message["entries"]]


async def test_it_gets_one_state_and_then_the_entries_after_it() -> None:
    async with a_hive(SMALL) as hive:
        stream, task_id = await a_task(hive)
        raw, session = await asleep(hive, stream)
        number = await until_behind(hive, stream, task_id, session)
        events: list[tuple[str, Any]] = []
        while not [name for name, _ in events if name == "reset"]:
            events += packets(await raw.read())
        await edit(hive, stream, task_id, number + 1)
        replica = Replica(stream)
        view, seq = await hive.view(stream)
        while replica.cursor.seq < seq:
            events += packets(await raw.read())
            replica = Replica(stream)
            replica.take(events)
        assert replica.view() == view
        [reset] = [message for name, message in events if name == "reset"]
        assert reset["reason"] == "behind"
        assert len(seqs_of(events)) < number - SMALL.lag_entries_max
        await eventually(lambda: session.places.deliveries[stream].is_live)
        raw.close()


async def test_it_gets_the_entries_where_they_are_less_than_the_state() -> None:
    async with a_hive(SMALL) as hive:
        stream, task_id = await a_task(hive)
        last = [await hive.send(stream, CreateTask(title="y", description="d" * 10_000)) for _ in range(300)][-1]
        raw, session = await asleep(hive, stream, cursor=str(last.cursor))
        await until_behind(hive, stream, task_id, session)
        events: list[tuple[str, Any]] = []
        _, seq = await hive.view(stream)
        while seqs_of(events)[-1:] != [seq]:
            events += packets(await raw.read())
        assert not [name for name, _ in events if name == "reset"]
        assert seqs_of(events) == list(range(last.cursor.seq + 1, seq + 1))
        raw.close()


async def test_a_slow_one_is_promised_nothing_where_the_entries_are_less_than_the_state() -> None:
    async with a_hive(replace(SMALL, lag_entries_max=1000, slow_follower_grace_s=1)) as hive:
        stream, task_id = await a_task(hive)
        last = [await hive.send(stream, CreateTask(title="y", description="d" * 10_000)) for _ in range(150)][-1]
        raw, session = await asleep(hive, stream, cursor=str(last.cursor))
        delivery, number = session.places.deliveries[stream], 0
        while delivery.is_live or delivery.following.missed_bytes < 100_000:
            number += 1
            await edit(hive, stream, task_id, number)
        events: list[tuple[str, Any]] = []
        async with asyncio.timeout(20):
            while delivery._larger_until_bytes < 1_500_000:  # the state was looked at, and is that large
                raw._rest += await asyncio.get_running_loop().sock_recv(raw.raw, 1000)
                await asyncio.sleep(0.01)  # a client's own pace
        _, seq = await hive.view(stream)
        while seqs_of(events)[-1:] != [seq]:
            events += packets(await raw.read())
        assert not [name for name, _ in events if name == "reset"]
        assert seqs_of(events) == list(range(last.cursor.seq + 1, seq + 1))
        raw.close()


async def test_a_resume_brings_every_entry_that_it_promised() -> None:
    """Far more than a live follower may miss, and from the log."""
    async with a_hive(SMALL, RuntimeLimits(ring_entries_max=4)) as hive:
        stream, task_id = await a_task(hive)
        for number in range(100):
            await edit(hive, stream, task_id, number, 10)
        client = await hive.client()
        assert (await client.join(stream, "0.0"))["mode"] == "resume"
        await client.until_seq(stream, 102)
        assert not client.of("reset")
        assert seqs_of(client.events) == list(range(1, 103))


async def test_who_was_removed_meanwhile_gets_no_state() -> None:
    async with a_hive(SMALL) as hive:
        stream, task_id = await a_task(hive)
        eve, token = await hive.user("eve")
        await hive.send(stream, AddMember(user_id=eve, role="viewer"))
        raw, session = await asleep(hive, stream, token)
        await until_behind(hive, stream, task_id, session)
        await hive.send(stream, RemoveMember(user_id=eve))
        await edit(hive, stream, task_id, 0)
        events: list[tuple[str, Any]] = []
        while not [name for name, _ in events if name == "closed"]:
            events += packets(await raw.read())
        assert not [name for name, _ in events if name in ("reset", "snapshot")]
        raw.close()


@pytest.mark.only_if(node() is not None)
async def test_the_javascript_follower_goes_on_from_the_state() -> None:
    """Its process stands still for a while."""
    async with a_hive(SMALL) as hive:
        stream, task_id = await a_task(hive)
        async with js_follower(hive.url, ADMIN_TOKEN, stream.partition("/")[2]) as follower:
            await follower.until(lambda line: line["type"] == "joined")
            [session] = hive.gateway._entered
            await eventually(lambda: session.places.deliveries[stream].is_live)
            follower.send_signal(signal.SIGSTOP)
            try:
                async with asyncio.timeout(20):
                    await until_behind(hive, stream, task_id, session)
            finally:
                follower.send_signal(signal.SIGCONT)
            reset = await follower.until(lambda line: line["type"] == "reset")
            assert reset["reason"] == "behind"
            await edit(hive, stream, task_id, 0)
            view, seq = await hive.view(stream)
            await follower.caught_up(seq)
            told = await follower.state()
            assert told["joins"] == 1
            assert {task["id"]: task for task in told["state"]["tasks"]} == view["tasks"]
