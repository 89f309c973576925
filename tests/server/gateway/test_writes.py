"""How little a delivery costs: one encoding for all followers, one write per client and tick."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from actors.runtime.publication import Publication
from protocol.base import Message
from protocol.log import shard_of
from protocol.projects import EditProject
from protocol.tasks import CreateTask
from protocol.wire import CLOSED
from server.entry_json import entry_json
from server.gateway.engine_socket import EngineSocket
from server.gateway.frames import close_frame, text_frame
from server.gateway.json_parser import JsonParser
from server.gateway.msgpack_parser import MsgpackParser
from server.gateway.parsers import Parser, fit
from tests.server.gateway.client import LiveClient, command
from tests.server.gateway.hive import Hive, eventually
from tests.server.gateway.msgpack_client import MsgpackClient
from tests.server.gateway.raw import frames


class CountedSocket:
    """Hands everything on, and remembers what was sent."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> int:
        self.sent.append(data)
        return self._raw.send(data)  # type: ignore[no-any-return]

    def close(self) -> None:
        self._raw.close()


def counted(socket: EngineSocket) -> list[bytes]:
    """What is written to a client from now on, piece by piece. It reads, so nothing waits in the transport."""
    raw: Any = CountedSocket(socket._raw)
    socket._raw = raw
    return raw.sent  # type: ignore[no-any-return]


def texts(write: bytes) -> list[str]:
    found, rest = frames(write)
    assert not rest
    return [payload.decode() for _, payload in found]


async def _pair(hive: Hive) -> tuple[str, str]:
    """Two projects whose entries are appended by the same lane."""
    first = await hive.project()
    while True:
        second = await hive.project()
        if shard_of(first) % 2 == shard_of(second) % 2:
            return first, second


async def test_all_that_one_tick_brings_leaves_in_one_write(hive: Hive) -> None:
    """Two streams, two frames, one write; several entries of one stream share a packet."""
    first, second = await _pair(hive)
    client = await hive.client()
    for stream in (first, second):
        await client.join(stream)
        await client.until_seq(stream, 1)
    [session] = hive.gateway._entered
    writes = counted(session.socket)
    await asyncio.gather(*(hive.send(stream, CreateTask(title="x")) for stream in (first, second, first)))
    await client.until_seq(first, 3)
    await client.until_seq(second, 2)
    [write] = writes
    packets = [orjson.loads(text[2:]) for text in texts(write)]
    assert {packet[1]["stream"]: [entry["seq"] for entry in packet[1]["entries"]] for packet in packets} == {
        first: [2, 3],
        second: [2],
    }


async def test_a_client_s_answers_stand_in_front_of_its_entries(hive: Hive) -> None:
    stream = await hive.project()
    client = await hive.client()
    await client.join(stream)
    await client.until_seq(stream, 1)
    [session] = hive.gateway._entered
    writes = counted(session.socket)
    for number in range(3):
        await client.emit("command", command(stream, "CreateTask", {"title": str(number)}))
    await client.until_seq(stream, 4)
    await client.until(lambda: len(client.acks) == 4)
    for write in writes:
        kinds = [text[:2] for text in texts(write)]
        assert kinds == sorted(kinds, reverse=True)  # acks are 43, entries 42


async def test_what_all_are_closed_with_is_encoded_once_for_each_form(
    hive: Hive, monkeypatch: pytest.MonkeyPatch
) -> None:
    encodings: list[str] = []
    for form in (JsonParser, MsgpackParser):

        def counting(parser: Parser, name: str, message: Message, event: Any = form.event) -> bytes:
            if name == CLOSED:
                encodings.append(parser.name)
            return event(parser, name, message)  # type: ignore[no-any-return]

        monkeypatch.setattr(form, "event", counting)
    ada, _ = await hive.user("ada")
    _, strange = await hive.user("eve")
    stream = await hive.project(owner=ada)
    await hive.send(stream, EditProject(visibility="public"), ada)
    clients = [await hive.client(strange, kind) for kind in (LiveClient, MsgpackClient) for _ in range(5)]
    for client in clients:
        await client.join(stream)
    await hive.send(stream, EditProject(visibility="private"), ada)
    for client in clients:
        await client.until(lambda: client.of("closed") == [{"stream": stream, "reason": "removed"}])  # noqa: B023 now
    assert sorted(encodings) == sorted(server.parser.name for server in hive.gateway.servers)
    for session in hive.gateway._entered.copy():
        session.end("ended")
    for client in clients:
        await client.until(lambda: {"reason": "ended"} in client.of("closed"))  # noqa: B023 now
    assert len(encodings) == 2 * len(hive.gateway.servers)


async def test_an_entry_is_encoded_once_for_all(hive: Hive, monkeypatch: pytest.MonkeyPatch) -> None:
    encodings: list[int] = []
    wire = Publication.wire

    def counting(publication: Publication) -> Any:
        encodings.append(publication.entry.seq)
        return wire(publication)

    monkeypatch.setattr(Publication, "wire", counting)
    stream = await hive.project()
    clients = [await hive.client() for _ in range(20)]
    for client in clients:
        await client.join(stream)
        await client.until_seq(stream, 1)
    written = [counted(session.socket) for session in hive.gateway._entered]
    for _ in range(3):
        await hive.send(stream, CreateTask(title="x"))
    for client in clients:
        await client.until_seq(stream, 4)
    assert encodings == [2, 3, 4]
    for number in range(3):
        assert len({id(writes[number]) for writes in written}) == 1  # the very same bytes


@pytest.mark.parametrize("kind", [LiveClient, MsgpackClient])
async def test_a_packet_of_several_entries_is_built_once_for_all(hive: Hive, kind: type[LiveClient]) -> None:
    stream = await hive.project()
    clients = [await hive.client(kind=kind) for _ in range(5)]
    for client in clients:
        await client.join(stream)
        await client.until_seq(stream, 1)
    written = [counted(session.socket) for session in hive.gateway._entered]
    await asyncio.gather(*(hive.send(stream, CreateTask(title="x")) for _ in range(5)))
    for client in clients:
        await client.until_seq(stream, 6)
    assert len(written[0]) < 5
    for writes in zip(*written, strict=True):
        assert len({id(write) for write in writes}) == 1


async def test_a_state_is_encoded_once_for_all_who_join_at_that_point(hive: Hive) -> None:
    stream = await hive.project(30)
    clients = [await hive.client() for _ in range(5)]
    answers = await asyncio.gather(*(client.join(stream) for client in clients))
    assert len({answer["cursor"] for answer in answers}) == 1
    [kept] = hive.gateway.snapshots._kept.values()
    for client in clients:
        await client.until_seq(stream, 31)
        assert len(client.of("snapshot")) == len(kept.frames)
    await hive.send(stream, CreateTask(title="x"))
    await clients[0].ask("leave", {"stream": stream})
    await clients[0].join(stream)
    assert len(hive.gateway.snapshots._kept) == 1


async def test_no_task_is_made_for_a_delivery(hive: Hive) -> None:
    stream = await hive.project()
    clients = [await hive.client() for _ in range(5)]
    for client in clients:
        await client.join(stream)
        await client.until_seq(stream, 1)
    await eventually(lambda: not [task for task in asyncio.all_tasks() if task.get_name() in ("catch up", "drain")])
    tasks = asyncio.all_tasks()
    await hive.send(stream, CreateTask(title="x"))
    assert asyncio.all_tasks() <= tasks
    for client in clients:
        await client.until_seq(stream, 2)


# — frames ———————————————————————————————————————————————————————————————————————————————————————————


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_frames_of_every_size_are_read_back(size: int) -> None:
    frame = text_frame(b"x" * size)
    assert frames(frame + b"\x81") == ([(1, b"x" * size)], b"\x81")


def test_a_close_frame_fits_a_control_frame() -> None:
    [(opcode, payload)], rest = frames(close_frame(1002, "r" * 500))
    assert (opcode, payload[:2], len(payload), rest) == (8, b"\x03\xea", 125, b"")


def test_what_fits_a_packet_is_at_least_one_entry() -> None:
    class Encoded:
        def __init__(self, size: int) -> None:
            self.encoded = {"json": b"x" * size}

    entries: Any = [Encoded(60), Encoded(50), Encoded(10)]
    assert [len(fit(entries, most, entry_json)) for most in (0, 59, 60, 110, 119, 120)] == [1, 1, 1, 2, 2, 3]
