"""Clients that do not read: bounded memory, nobody else waits, and they catch up or are let go. Both loops."""

from __future__ import annotations

import asyncio
import errno
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
import uvloop
from aiohttp import WSServerHandshakeError

from actors.runtime.limits import RuntimeLimits
from protocol.tasks import CreateTask, EditTask
from server.gateway.session import Session
from server.telemetry import Meters
from tests.server.gateway.client import command
from tests.server.gateway.hive import ADMIN_TOKEN, LONG_PINGS, Hive, a_hive, eventually, new_project
from tests.server.gateway.raw import RawClient, masked

BUFFER_BYTES = 200_000
ENTRY_BYTES = 20_000
SMALL = replace(
    LONG_PINGS,
    transport_buffer_max_bytes=BUFFER_BYTES,
    send_buffer_bytes=8192,
    entries_packet_bytes_max=30_000,
    slow_follower_grace_s=0.3,
)

Scenario = Callable[[], Awaitable[None]]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    """Runs a scenario on its own loop."""

    def run_it(scenario: Scenario) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(scenario())  # type: ignore[arg-type]

    return run_it


async def a_sleeper(hive: Hive, stream: str | None, token: str = ADMIN_TOKEN) -> tuple[RawClient, Session]:
    """A client that has sent its join and reads no more, with its session."""
    before = set(hive.gateway._entered)
    client = await RawClient.entered(hive.url, token)
    [session] = set(hive.gateway._entered) - before
    if stream is not None:
        await client.emit(0, "join", {"stream": stream, "cursor": "0.0"})
        await eventually(lambda: stream in session.places.deliveries)
    return client, session


async def write(hive: Hive, stream: str) -> int:
    """One large entry; its seq."""
    return (await hive.send(stream, CreateTask(title="x", description="d" * ENTRY_BYTES))).cursor.seq


async def stuff(hive: Hive, stream: str, session: Session) -> int:
    """Writes until the client counts as slow, or is behind because it is; the newest seq."""
    delivery = session.places.deliveries.get(stream)
    if delivery is not None:
        await eventually(lambda: delivery.is_live)
    seq = 0
    while not session.socket.is_slow and (delivery is None or delivery.is_live):
        seq = await write(hive, stream)
    return seq


async def to_the_end(raw: RawClient) -> None:
    """Reads what the kernel still has. Raises ConnectionResetError when it was told to forget the rest."""
    while await asyncio.get_running_loop().sock_recv(raw.raw, 1 << 16):
        pass


async def read_little(raw: RawClient, size: int = 500) -> None:
    """What is far less than is sent, in a while."""
    raw._rest += await asyncio.get_running_loop().sock_recv(raw.raw, size)
    await asyncio.sleep(0.01)  # a client's own pace


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


def test_the_kernel_offers_nothing_more_to_who_is_cut_off(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(replace(SMALL, slow_follower_grace_s=5)) as hive:
            stream = await hive.project()
            raw, session = await a_sleeper(hive, stream)
            await stuff(hive, stream, session)
            session.socket.abort()
            with pytest.raises(ConnectionResetError) as reset:
                await to_the_end(raw)
            assert reset.value.errno == errno.ECONNRESET
            raw.close()

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


def test_who_does_not_read_that_it_is_out_has_a_place_until_it_is_gone(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(replace(SMALL, connections_per_address_max=1, slow_follower_grace_s=2)) as hive:
            stream = await hive.project()
            raw, session = await a_sleeper(hive, stream)
            await stuff(hive, stream, session)
            session.end("ended")
            await asyncio.sleep(0)
            assert hive.gateway.connections == 1
            with pytest.raises(WSServerHandshakeError):
                await hive.opened()
            await eventually(lambda: hive.gateway.connections == 0)
            await hive.opened()
            raw.close()

    run(scenario)


def test_who_never_reads_is_gone_after_the_grace(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(SMALL) as hive:
            stream = await hive.project()
            tasks = asyncio.all_tasks()
            raw, session = await a_sleeper(hive, stream)
            await stuff(hive, stream, session)
            started = time.monotonic()
            await write(hive, stream)
            await eventually(lambda: not hive.left())
            assert 0.2 < time.monotonic() - started < 3
            await eventually(lambda: asyncio.all_tasks() <= tasks)
            raw.close()

    run(scenario)


@pytest.mark.parametrize("events", [["join"], ["leave", "join"]], ids=["joins", "leaves and joins"])
def test_who_never_reads_gets_no_new_grace_by_joining_again(run: Callable[[Scenario], None], events: list[str]) -> None:
    async def scenario() -> None:
        async with a_hive(SMALL) as hive:
            stream = await hive.project()
            raw, _ = await a_sleeper(hive, stream)
            number, started = 0, time.monotonic()
            try:
                while hive.gateway.connections:
                    assert time.monotonic() - started < 10
                    for event in events:
                        number += 1
                        await raw.emit(number, event, {"stream": stream})
                    await write(hive, stream)
                    await asyncio.sleep(0.02)  # a client's own pace: time enough for the join to be made
            except ConnectionError:
                pass
            await eventually(lambda: not hive.left())
            raw.close()

    run(scenario)


def test_who_never_reads_is_gone_after_the_grace_though_nothing_more_comes(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(SMALL) as hive:
            stream = await hive.project()
            raw, session = await a_sleeper(hive, stream)
            await eventually(lambda: session.places.deliveries[stream].is_live)
            while not session.socket.is_slow:
                session.socket.write(b"x" * ENTRY_BYTES)
                session.socket.flush()
            assert session.places.deliveries[stream].is_live
            await eventually(lambda: not hive.left(), 3)
            raw.close()

    run(scenario)


def test_the_log_names_who_was_let_go_and_why(
    run: Callable[[Scenario], None], caplog: pytest.LogCaptureFixture
) -> None:
    """The client hears nothing of it: its connection is reset."""

    async def scenario() -> None:
        async with a_hive(SMALL) as hive:
            hive.gateway.meters = meters = Meters()
            ada, token = await hive.user("ada")
            stream = await hive.project(owner=ada)
            raw, session = await a_sleeper(hive, stream, token)
            await stuff(hive, stream, session)
            await eventually(lambda: not hive.left())
            with pytest.raises(ConnectionResetError):
                await to_the_end(raw)
            raw.close()
            assert b"pantherahive_slow_clients_total 1.0" in meters.exposition()
            [line] = [record.getMessage() for record in caplog.records if "is let go" in record.getMessage()]
            assert f"reason slow, user {ada}, address 127.0.0.1, streams {stream} of 1" in line

    with caplog.at_level("INFO", "pantherahive.gateway"):
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


def test_who_asks_and_never_reads_the_answers_is_gone(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(SMALL) as hive:
            raw, session = await a_sleeper(hive, None)
            question = masked(b'420["join",{"more":1}]') * 1000
            most = 0
            try:
                async with asyncio.timeout(10):
                    while hive.gateway.connections:
                        await raw.send(question)
                        most = max(most, session.socket.unsent_bytes)
            except ConnectionError:
                pass
            assert most < 4 * BUFFER_BYTES
            await eventually(lambda: not hive.left())
            raw.close()

    run(scenario)


def test_who_pings_and_never_reads_the_answers_is_gone(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(SMALL) as hive:
            raw, session = await a_sleeper(hive, None)
            pings, most = masked(b"x" * 125, 9) * 1000, 0
            try:
                async with asyncio.timeout(10):
                    while hive.gateway.connections:
                        await raw.send(pings)
                        most = max(most, session.socket.unsent_bytes)
            except ConnectionError:
                pass
            assert most < 4 * BUFFER_BYTES
            await eventually(lambda: not hive.left())
            raw.close()

    run(scenario)


def test_pongs_of_one_who_does_not_read_are_no_answers(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        limits = replace(SMALL, ping_interval_s=0.1, ping_timeout_s=0.2, transport_buffer_max_bytes=10_000_000)
        async with a_hive(limits) as hive:
            stream = await hive.project()
            raw, session = await a_sleeper(hive, stream)
            while session.socket.unsent_bytes < 50_000:
                await write(hive, stream)
            pong = masked(b"3")
            try:
                async with asyncio.timeout(5):
                    while hive.gateway.connections:
                        await raw.send(pong)
                        await asyncio.sleep(0.01)
            except ConnectionError:
                pass
            await eventually(lambda: not hive.left())
            raw.close()

    run(scenario)


def test_a_broken_frame_of_one_who_does_not_read_ends_it_at_once(run: Callable[[Scenario], None]) -> None:
    """Stock first waits until the peer has read, and that may be never."""

    async def scenario() -> None:
        async with a_hive(replace(SMALL, transport_buffer_max_bytes=10_000_000)) as hive:
            stream = await hive.project()
            raw, session = await a_sleeper(hive, stream)
            while session.socket.unsent_bytes < 150_000:
                await write(hive, stream)
            await raw.send(masked(b"4" * (261 << 10))[: 20 << 10])
            await eventually(lambda: not hive.left(), 2)
            raw.close()

    run(scenario)


def test_who_answers_no_ping_is_gone_in_time(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(replace(LONG_PINGS, ping_interval_s=0.05, ping_timeout_s=0.1)) as hive:
            silent, lively = await hive.client(), await hive.client()
            silent.answers_pings = False
            started = time.monotonic()
            await asyncio.gather(silent.until_end(), lively.until(lambda: lively.pings >= 5))
            assert 0.1 < time.monotonic() - started < 2
            assert silent.pings == 1
            assert silent.socket.close_code == 1006
            await eventually(lambda: hive.gateway.connections == 1)

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
