"""Nothing of a connection stays, however it ends; and who does not speak the protocol is let go at once."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from pathlib import Path
from typing import Any

import pytest

from protocol.tasks import CreateTask
from server.gateway.engine_socket import EngineSocket
from tests.server.gateway.client import LiveClient
from tests.server.gateway.hive import ADMIN_TOKEN, Hive, eventually
from tests.server.gateway.raw import RawClient, masked

MALFORMED = [
    *("", "x", "9", "5", "6", "0{}", "1x", "2x", "3x", "4", "4[[[[", "47", "48x", "44{}", "41x", "4\x00"),
    *("42", "42{..}", "42[]", "42{}", "42[1]", "42null", '42"x"', '42["x"', '42["x"]]', "42NaN", "42[[[[["),
    *('42/admin,["x"]', "41/admin", "41/admin,", '43/admin,1["x"]', "40{", "40[[["),
    *('40/admin,{"token"', "40/a\x00,", "40/" + "a" * 200 + ",", "44/admin,"),
    *('451-["x",{"_placeholder":true,"num":0}]', '459999999999-["x"]', '461-1["x"]', "45"),
    *('429999999999999999["x"]', "42" + "9" * 5000 + '["x"]', "43", "43[]", "431{}", "431", "43x[]"),
]
"""Engine.IO and Socket.IO packets that are none."""


@pytest.mark.parametrize("packet", MALFORMED, ids=lambda packet: repr(packet[:20]))
async def test_a_malformed_packet_ends_the_connection_at_once(hive: Hive, packet: str) -> None:
    for client, bytes_max in ((await hive.client(), 260 << 10), (await hive.opened(), 4 << 10)):
        started = time.monotonic()
        await client.send(packet)
        assert await client.until_end() == (1002 if len(packet) < bytes_max else 1009)
        assert time.monotonic() - started < 2  # pings come every 20 s
        assert not client.events
    await eventually(lambda: not hive.left())


@pytest.mark.parametrize("opcode", [2, 3, 11])
async def test_frames_that_are_not_served_end_the_connection_at_once(hive: Hive, opcode: int) -> None:
    client = await RawClient.entered(hive.url, ADMIN_TOKEN)
    await client.send(masked(b"\x00", opcode))
    await client.until_end()
    await eventually(lambda: not hive.left())


async def test_text_that_is_no_utf8_ends_the_connection_at_once(hive: Hive) -> None:
    client = await RawClient.entered(hive.url, ADMIN_TOKEN)
    await client.send(masked(b'42["\xff"]'))
    await client.until_end()
    await eventually(lambda: not hive.left())


async def test_what_follows_a_malformed_packet_is_not_looked_at(hive: Hive) -> None:
    stream = await hive.project()
    client = await RawClient.entered(hive.url, ADMIN_TOKEN)
    task = f'420["command",{{"stream":"{stream}","opId":"{"0" * 8}-0000-0000-0000-{"0" * 12}",'
    task += '"type":"CreateTask","data":{"title":"late"}}]'
    await client.send(masked(b"x") + masked(task.encode()) + masked(b"", 9))
    await client.until_end()
    assert (await hive.view(stream))[1] == 1


async def test_pings_are_answered_and_never_needed(hive: Hive) -> None:
    """A probe and WebSocket pings are harmless; a goodbye ends it."""
    client = await hive.client()
    await client.send("2")
    await client.send("2probe")
    await client.send("3")
    await client.until(lambda: client.control[1:] == ["3", "3probe"])
    await client.socket.ping()
    assert "error" in await client.ask("leave", {})
    await client.send("1")
    assert await client.until_end() == 1000


async def test_leaving_the_namespace_ends_the_connection(hive: Hive) -> None:
    client = await hive.client()
    await client.send("41")
    assert await client.until_end() == 1000
    await eventually(lambda: not hive.left())


async def test_a_close_frame_is_answered(hive: Hive) -> None:
    client = await hive.client()
    await client.socket.close(code=1001)
    assert client.socket.close_code is not None
    await eventually(lambda: not hive.left())


async def test_a_defect_in_the_gateway_ends_its_connection_and_no_other(
    hive: Hive, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, fine = await hive.client(), await hive.client()
    stream = await hive.project()
    await fine.join(stream)
    session = next(iter(hive.gateway._entered - {next(s for s in hive.gateway._entered if s.places.deliveries)}))

    def raises(text: str) -> None:
        raise RuntimeError(text)

    monkeypatch.setattr(session, "received", raises)
    await broken.send("42[]")
    assert await broken.until_end() == 1011
    await hive.send(stream, CreateTask(title="x"))
    await fine.until_seq(stream, 2)
    await eventually(lambda: hive.gateway.connections == 1)


async def test_a_delivery_that_fails_ends_its_connection_and_no_other(
    hive: Hive, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = await hive.project()
    broken, fine = await hive.client(), await hive.client()
    for client in (broken, fine):
        await client.join(stream)
    await broken.until_seq(stream, 1)
    first: Any = next(iter(hive.feeds._hubs[stream]._followings))
    push = EngineSocket.push

    def raises(socket: EngineSocket, frame: bytes, at_once: bool) -> bool:
        if socket is first._talk.socket:
            raise RuntimeError("a defect")
        return push(socket, frame, at_once)

    monkeypatch.setattr(EngineSocket, "push", raises)
    await hive.send(stream, CreateTask(title="x"))
    await fine.until_seq(stream, 2)
    await broken.until_end()


async def _bad_connection(hive: Hive, choose: random.Random) -> None:
    """One of many ways not to arrive."""
    client = await RawClient.connected(hive.url)
    upgrade = client.upgrade()
    match choose.randrange(8):
        case 0:
            await client.send(upgrade[: choose.randrange(len(upgrade))])
        case 1:
            await client.send(upgrade)
        case 2:
            await client.send(upgrade + client.connect("wrong"))
        case 3:
            await client.send(upgrade + client.connect(ADMIN_TOKEN))
        case 4:
            await client.send(upgrade + client.connect(ADMIN_TOKEN)[: choose.randrange(40)])
        case 5:
            await client.send(upgrade + masked(choose.choice(MALFORMED).encode()))
        case 6:
            await client.send(upgrade + client.connect(ADMIN_TOKEN) + masked(choose.choice(MALFORMED).encode()))
        case _:
            stream = choose.choice(["project/" + "0" * 8 + "-0000-0000-0000-" + "0" * 12, *hive.feeds._hubs])
            join = f'420["join",{{"stream":"{stream}"}}]'.encode()
            await client.send(upgrade + client.connect(ADMIN_TOKEN) + masked(join))
    if choose.random() < 0.3:
        await asyncio.sleep(0)
    client.reset() if choose.random() < 0.5 else client.close()


def _descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


async def test_a_thousand_bad_connections_leave_nothing(hive: Hive) -> None:
    """Rows 1, 2, 4 and 7 of the defects that stock has: refused, dying on the way, malformed, poisoned."""
    choose = random.Random(7)
    stream = await hive.project(3)
    follower = await hive.client()
    await follower.join(stream)
    await follower.until_seq(stream, 4)
    tasks = asyncio.all_tasks()
    before = hive.left()
    descriptors = _descriptors()
    for _ in range(50):
        await asyncio.gather(*(_bad_connection(hive, choose) for _ in range(20)))
    await eventually(lambda: hive.left() == before)
    assert before == {"connections": 1, "entered": 1, "engine sockets": 1, "followers": 1}
    await eventually(lambda: asyncio.all_tasks() <= tasks)
    await eventually(lambda: _descriptors() == descriptors)
    await hive.send(stream, CreateTask(title="still live"))
    await follower.until_seq(stream, 5)


async def test_clients_that_vanish_while_they_join_leave_no_place(hive: Hive) -> None:
    streams = [await hive.project(2) for _ in range(3)]
    for _ in range(30):
        client = await LiveClient.connect(hive.url, ADMIN_TOKEN)
        for stream in streams:
            await client.emit("join", {"stream": stream})
        await client.abort()
    await eventually(lambda: not hive.left())


async def test_no_header_of_a_connection_is_kept(hive: Hive) -> None:
    await hive.client(headers={"Cookie": "session=secret"})
    assert not [one for one in gc.get_objects() if isinstance(one, dict) and "HTTP_COOKIE" in one]


async def test_too_large_a_message_ends_the_connection_at_once(hive: Hive) -> None:
    """Before it has come as a whole."""
    client = await RawClient.entered(hive.url, ADMIN_TOKEN)
    await client.send(masked(b"4" * (261 << 10))[: 200 << 10])
    await eventually(lambda: not hive.left(), 2)
    client.close()
