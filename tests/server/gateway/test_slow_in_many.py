"""Clients that follow many streams and read slowly or not at all: what waits for one does not grow with its streams,
and as it reads every stream gets on. Both loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from actors.runtime.limits import RuntimeLimits
from protocol.members import AddMember
from protocol.tasks import CreateTask, EditTask
from server.gateway.session import Session
from tests.server.gateway.hive import Hive, a_hive, eventually
from tests.server.gateway.raw import RawClient
from tests.server.gateway.sleepers import BUFFER_BYTES, ENTRY_BYTES, SMALL, Scenario, a_sleeper, write

STREAMS = 10
PACKET_BYTES = SMALL.entries_packet_bytes_max
PATIENT = replace(SMALL, slow_follower_grace_s=5, aware_state_bytes_max=1 << 14, lag_entries_max=10**6)


class Wire:
    """What has come of each stream, in order, and how much waited at the most."""

    def __init__(self, raw: RawClient, session: Session, streams: list[str]) -> None:
        self._raw = raw
        self._socket = session.socket
        self.seqs: dict[str, list[int]] = {stream: [] for stream in streams}
        self.others: list[tuple[str, Any]] = []
        # The most that waited, and by how many entries one stream was ahead of another.
        self.waited = 0
        self.ahead = 0

    async def read(self) -> None:
        self.waited = max(self.waited, self._socket.unsent_bytes)
        for text in await self._raw.read():
            if not text.startswith("42"):
                continue
            event, message = orjson.loads(text[2:])
            if event == "entries":
                self.seqs[message["stream"]] += [entry["seq"] for entry in message["entries"]]
            else:
                self.others.append((event, message))
        counts = [len(seqs) for seqs in self.seqs.values()]
        self.ahead = max(self.ahead, max(counts) - min(counts))

    def has_all_until(self, last: int) -> bool:
        """Of every stream, without a gap."""
        assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in self.seqs.values())
        return all(len(seqs) == last for seqs in self.seqs.values())


async def many(hive: Hive, entries: int) -> list[str]:
    """Streams with large entries."""
    streams = [await hive.project() for _ in range(STREAMS)]
    for stream in streams:
        for _ in range(entries):
            await write(hive, stream)
    return streams


async def joined(raw: RawClient, session: Session, streams: list[str]) -> None:
    """All of them from their beginning, whether it reads or not."""
    for number, stream in enumerate(streams):
        await raw.emit(number, "join", {"stream": stream, "cursor": "0.0"})
    await eventually(lambda: len(session.places.deliveries) == len(streams))


@pytest.mark.parametrize("ring", [1000, 2], ids=["from the ring", "from the log"])
def test_who_catches_up_with_many_streams_gets_all_in_turn(run: Callable[[Scenario], None], ring: int) -> None:
    async def scenario() -> None:
        async with a_hive(PATIENT, RuntimeLimits(ring_entries_max=ring)) as hive:
            streams = await many(hive, 15)
            raw, session = await a_sleeper(hive, None)
            await joined(raw, session, streams)
            wire = Wire(raw, session, streams)
            while not wire.has_all_until(16):
                await wire.read()
            assert BUFFER_BYTES // 4 < wire.waited < BUFFER_BYTES + PACKET_BYTES
            assert wire.ahead <= 8, "what fits into the kernel before the others have begun"
            await eventually(lambda: all(delivery.is_live for delivery in session.places.deliveries.values()))
            raw.close()

    run(scenario)


def test_who_falls_behind_in_many_streams_gets_all_in_turn(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(PATIENT) as hive:
            streams = await many(hive, 0)
            raw, session = await a_sleeper(hive, None)
            await joined(raw, session, streams)
            wire = Wire(raw, session, streams)
            while not wire.has_all_until(1):
                await wire.read()
            for _ in range(6):
                for stream in streams:
                    await write(hive, stream)
            while not wire.has_all_until(7):
                await wire.read()
            assert BUFFER_BYTES < wire.waited < BUFFER_BYTES + PACKET_BYTES
            raw.close()

    run(scenario)


def test_who_is_too_far_behind_in_many_streams_gets_states_in_turn(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(replace(PATIENT, lag_entries_max=3)) as hive:
            streams = await many(hive, 0)
            tasks = [(await hive.send(stream, CreateTask(title="x"))).result["taskId"] for stream in streams]
            raw, session = await a_sleeper(hive, None)
            await joined(raw, session, streams)
            wire = Wire(raw, session, streams)
            while not wire.has_all_until(2):
                await wire.read()
            for number in range(10):
                for stream, task_id in zip(streams, tasks, strict=True):
                    edit = EditTask(task_id=task_id, description=f"{number} " + "x" * ENTRY_BYTES)
                    await hive.send(stream, edit)
            deliveries = session.places.deliveries.values()
            while not all(delivery.is_live for delivery in deliveries):
                await wire.read()
            assert {message["stream"] for event, message in wire.others if event == "reset"} == set(streams)
            assert wire.waited < BUFFER_BYTES + 2 * PACKET_BYTES
            raw.close()

    run(scenario)


async def _who_looks_at_much(hive: Hive) -> list[str]:
    """Streams in which others show more than a client is written at once."""
    users = [await hive.user(name) for name in ("ada", "bob")]
    streams = [await hive.project(owner=users[0][0]) for _ in range(STREAMS)]
    for user, token in users:
        client = await hive.client(token)
        for stream in streams:
            if user != users[0][0]:
                await hive.send(stream, AddMember(user_id=user, role="viewer"))
            assert "error" not in await client.join(stream)
            assert await client.ask("awareness", {"stream": stream, "state": {"text": "x" * 16_000}}) == {}
    return streams


def test_who_joins_much_and_reads_late_is_told_the_others_as_it_reads(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(PATIENT) as hive:
            streams = await _who_looks_at_much(hive)
            raw, session = await a_sleeper(hive, None)
            await joined(raw, session, streams)
            wire = Wire(raw, session, streams)
            told: dict[str, int] = {}
            while len(told) < STREAMS:
                await wire.read()
                told |= {m["stream"]: len(m["states"]) for event, m in wire.others if event == "awareness"}
            assert set(told.values()) == {2}
            assert wire.waited < BUFFER_BYTES + 2 * 17_000
            raw.close()

    run(scenario)


def test_who_joins_much_and_reads_nothing_is_let_go(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(replace(PATIENT, slow_follower_grace_s=0.3)) as hive:
            streams = await _who_looks_at_much(hive)
            for stream in streams:
                for _ in range(3):
                    await write(hive, stream)
            raw, session = await a_sleeper(hive, None)
            await joined(raw, session, streams)
            await eventually(lambda: session.socket.closing)
            await eventually(lambda: hive.gateway.connections == 2)
            raw.close()

    run(scenario)
