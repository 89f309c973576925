"""Clients that read nothing, or answer nothing, are let go in time, and nothing of them stays. Both loops."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from aiohttp import WSServerHandshakeError

from protocol.tasks import CreateTask, EditTask
from server.gateway.frames import PING_FRAME
from server.telemetry import Meters
from tests.server.gateway.hive import LONG_PINGS, a_hive, eventually
from tests.server.gateway.raw import masked
from tests.server.gateway.sleepers import (
    BUFFER_BYTES,
    ENTRY_BYTES,
    SMALL,
    Scenario,
    a_sleeper,
    stuff,
    to_the_end,
    write,
)


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


def test_who_is_sending_while_it_is_let_go_reads_why(run: Callable[[Scenario], None]) -> None:
    """A kernel that closes a connection with something unread tells the other one to forget what it has not read."""

    async def scenario() -> None:
        async with a_hive() as hive:
            raw, session = await a_sleeper(hive, None)
            raw.raw.send(masked(b"3" * 100) * 100)
            session.end("ended")
            said = b""
            while data := await asyncio.get_running_loop().sock_recv(raw.raw, 1 << 16):
                said += data
            assert b'["closed",{"reason":"ended"}]' in said
            raw.raw.send(masked(b"3") * 100)
            raw.raw.close()
            await eventually(lambda: not hive.left())

    run(scenario)


def test_who_is_let_go_has_its_moment_whatever_was_written_in_the_same_turn(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(replace(LONG_PINGS, slow_follower_grace_s=60)) as hive:
            raw, session = await a_sleeper(hive, None)
            transport = session.socket._transport
            assert transport is not None
            session.socket.write(PING_FRAME)
            session.end("ended")
            assert session.socket.closing
            await eventually(lambda: not hive.gateway.farewells)
            assert not transport.is_closing()
            said = b""
            while data := await asyncio.get_running_loop().sock_recv(raw.raw, 1 << 16):
                said += data
            assert said.startswith(PING_FRAME)
            assert b'["closed",{"reason":"ended"}]' in said
            raw.raw.close()
            await eventually(lambda: not hive.left())

    run(scenario)


def test_who_does_not_end_its_connection_itself_has_a_moment(
    run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.gateway.engine_socket.PARTING_S", 0.05)

    async def scenario() -> None:
        async with a_hive(replace(LONG_PINGS, slow_follower_grace_s=60)) as hive:
            raw, session = await a_sleeper(hive, None)
            session.end("ended")
            await eventually(lambda: not hive.left())
            raw.raw.close()

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


def test_who_reads_nothing_is_promised_nothing(run: Callable[[Scenario], None]) -> None:
    """Though a state would be far less than what it has missed: it is cut off at that very moment."""

    async def scenario() -> None:
        async with a_hive(replace(SMALL, slow_follower_grace_s=1)) as hive:
            hive.gateway.meters = meters = Meters()
            stream = await hive.project()
            task_id = (await hive.send(stream, CreateTask(title="x"))).result["taskId"]
            raws = []
            for _ in range(5):
                raw, session = await a_sleeper(hive, stream)
                await eventually(lambda: session.places.deliveries[stream].is_live)  # noqa: B023
                raws.append(raw)
            for number in range(30):
                await hive.send(stream, EditTask(task_id=task_id, description=f"{number} " + "x" * ENTRY_BYTES))
            await eventually(lambda: not hive.left())
            assert b"pantherahive_slow_clients_total 5.0" in meters.exposition()
            assert b"conflations_promised_total 0.0" in meters.exposition()
            for raw in raws:
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


@pytest.mark.parametrize(
    "question", [masked(b'420["join",{"more":1}]'), masked(b"x" * 125, 9)], ids=["packets", "pings"]
)
def test_who_asks_and_never_reads_the_answers_is_gone(run: Callable[[Scenario], None], question: bytes) -> None:
    async def scenario() -> None:
        async with a_hive(SMALL) as hive:
            raw, session = await a_sleeper(hive, None)
            most = 0
            try:
                async with asyncio.timeout(10):
                    while hive.gateway.connections:
                        await raw.send(question * 1000)
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
