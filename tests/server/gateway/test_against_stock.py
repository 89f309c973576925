"""What python-socketio 5.18 does wrong (the findings that the gateway was built on), and that ours does not.

Where one of the halves about stock fails after an upgrade, upstream has mended it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError

from protocol.tasks import CreateTask
from tests.server.gateway.client import LiveClient
from tests.server.gateway.hive import ADMIN_TOKEN, LONG_PINGS, Hive, a_hive, eventually
from tests.server.gateway.raw import RawClient
from tests.server.gateway.stock import Stock, a_stock

CONNECT = '40{"token":"x"}'


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Stock logs tracebacks of everything that is tried here."""
    caplog.set_level(logging.CRITICAL + 1, "engineio.server")


async def opened(url: str, text: str = "") -> LiveClient:
    client = await LiveClient.open(url)
    if text:
        await client.send(text)
    return client


async def gone(client: LiveClient) -> None:
    """Without a word."""
    await client.abort()


def fails(*_: Any) -> Any:
    raise RuntimeError("a defect")


async def test_row_1_a_connect_that_fails_leaves_a_member_of_stock(hive: Hive, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_stock() as stock:
        stock.at_connect = fails
        client = await opened(stock.url, CONNECT)
        await eventually(lambda: stock.members == 1)
        await gone(client)
        await eventually(lambda: not stock.server.eio.sockets)
        assert stock.members == 1
    monkeypatch.setattr(hive.gateway.authenticator, "of_token", fails)
    client = await opened(hive.url, CONNECT)
    assert await client.until_end() == 1011
    await eventually(lambda: not hive.left())
    await client.close()


async def test_row_2_who_dies_during_connect_haunts_stock(hive: Hive, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, waits = asyncio.Event(), asyncio.Event()

    async def wait(*_: Any) -> Any:
        waits.set()
        await go_on.wait()

    async with a_stock(ping_interval=0.05, ping_timeout=0.05) as stock:
        stock.at_connect = wait
        client = await opened(stock.url, CONNECT)
        await waits.wait()
        await gone(client)
        await eventually(lambda: not stock.server.eio.sockets)
        go_on.set()
        await eventually(lambda: stock.members == 1)
        assert not stock.disconnected
    go_on.clear()
    waits.clear()
    monkeypatch.setattr(hive.gateway.authenticator, "look_up", wait)
    client = await opened(hive.url, '40{"token":"ph_api_unknown"}')
    await gone(client)
    await eventually(lambda: not hive.left())
    go_on.set()
    await eventually(lambda: not hive.left())


async def test_row_3_who_does_not_read_grows_a_queue_of_stock() -> None:
    async with a_stock() as stock:
        raw = await RawClient.entered(stock.url, ADMIN_TOKEN)
        [sid] = stock.server.manager.rooms["/"][None]
        for _ in range(400):
            await stock.server.emit("x", "x" * 100_000, to=sid)
        [socket] = stock.server.eio.sockets.values()
        assert socket.queue.qsize() > 100
        raw.close()
    small = replace(LONG_PINGS, transport_buffer_max_bytes=100_000, send_buffer_bytes=8192, slow_follower_grace_s=5)
    async with a_hive(small) as hive:
        stream = await hive.project()
        raw = await RawClient.entered(hive.url, ADMIN_TOKEN)
        await raw.emit(0, "join", {"stream": stream, "cursor": "0.0"})
        await eventually(lambda: hive.feeds.followers == 1)
        for _ in range(100):
            await hive.send(stream, CreateTask(title="x", description="d" * 20_000))
        [session] = hive.gateway._entered
        assert session.socket.unsent_bytes < 200_000
        raw.close()


@pytest.mark.parametrize("packet", ["x", "42[]", "47"])
async def test_row_4_who_speaks_nonsense_stays_a_member_of_stock(hive: Hive, packet: str) -> None:
    async with a_stock() as stock:
        client = await opened(stock.url, CONNECT)
        await eventually(lambda: stock.members == 1)
        await client.send(packet)
        if packet != "x":  # what stock ends is the TCP connection alone
            assert await client.ask("command", 1) == {}
        assert stock.members == 1
        await gone(client)
    client = await hive.client()
    await client.send(packet)
    assert await client.until_end() == 1002
    await eventually(lambda: not hive.left())


class CountedRooms(dict[Any, Any]):
    """Counts how often all of it was looked through."""

    def __init__(self, content: Any) -> None:
        super().__init__(content)
        self.scans = 0

    def items(self) -> Any:
        self.scans += 1
        return super().items()

    def copy(self) -> Any:
        self.scans += 1
        return super().copy()


async def test_row_5_stock_looks_through_all_rooms_at_every_end(hive: Hive) -> None:
    async with a_stock() as stock:
        client = await opened(stock.url, CONNECT)
        await eventually(lambda: stock.members == 1)
        rooms = stock.server.manager.rooms["/"] = CountedRooms(stock.server.manager.rooms["/"])
        await gone(client)
        await eventually(lambda: bool(stock.disconnected))
        assert rooms.scans
    live = await hive.client()
    await live.join(await hive.project())
    changed: Any = hive.feeds
    hubs = changed._hubs = CountedRooms(changed._hubs)
    changed.tell_presence = asyncio.Event().wait  # the beat looks through all
    await gone(live)
    await eventually(lambda: not hive.left())
    assert not hubs.scans


async def test_row_6_who_never_connects_and_endless_attachments_are_kept_by_stock() -> None:
    async with a_hive(replace(LONG_PINGS, connect_timeout_s=0.1)) as hive, a_stock() as stock:
        patient, ended = await opened(stock.url), await opened(hive.url)
        assert await ended.until_end() == 1000
        await patient.send(CONNECT)
        await patient.until(lambda: bool(patient.control))
        waiting, refused = await opened(stock.url, CONNECT), await hive.client()
        await waiting.until(lambda: bool(waiting.control))
        for client in (waiting, refused):
            await client.send('459999999999-["command",{"_placeholder":true,"num":0}]')
        assert await refused.until_end() == 1002
        assert len(stock.server.eio.sockets) == 2
        for client in (patient, ended, waiting):
            await client.close()


@pytest.mark.parametrize("poison", ["NaN", '"\\u0000"', '"\\ud800"', "9" * 90, "[" * 100 + "]" * 100])
async def test_row_7_poison_reaches_the_handlers_of_stock(hive: Hive, poison: str) -> None:
    async with a_stock() as stock:
        client = await opened(stock.url, CONNECT)
        await client.until(lambda: bool(client.control))
        await client.send(f'420["command",{poison}]')
        await eventually(lambda: len(stock.events) == 1)
        await gone(client)
    client = await hive.client()
    await client.send(f'420["command",{poison}]')
    if poison == "NaN":  # no JSON at all
        assert await client.until_end() == 1002
    else:
        assert (await client.answer(0))["error"]["code"] == "invalid"


async def test_row_8_an_ack_with_id_0_breaks_the_callbacks_of_stock(hive: Hive) -> None:
    async def asks(stock: Stock, sid: str) -> None:
        await stock.server.emit("x", to=sid, callback=lambda *_: None)

    async with a_stock() as stock:
        client = await opened(stock.url, CONNECT)
        await client.until(lambda: bool(client.control))
        [sid] = stock.server.manager.rooms["/"][None]
        await asks(stock, sid)
        await client.send("430[]")
        await client.send('42["command",1]')
        await eventually(lambda: len(stock.events) == 1)
        with pytest.raises(KeyError):
            await asks(stock, sid)
        await gone(client)
    client = await hive.client()
    await client.send("430[]")
    assert "error" in await client.ask("leave", {})


async def test_row_9_stock_keeps_cookies_and_lies_about_the_address(hive: Hive) -> None:
    async with a_stock() as stock:
        client = await LiveClient.open(stock.url, headers={"Cookie": "session=secret"})
        await client.send(CONNECT)
        await client.until(lambda: bool(client.control))
        [sid] = stock.server.manager.rooms["/"][None]
        assert stock.server.get_environ(sid)["HTTP_COOKIE"] == "session=secret"
        await gone(client)
    await hive.client(headers={"Cookie": "session=secret"})
    [session] = hive.gateway._entered
    assert session.socket.remote == "127.0.0.1"
    assert all(not server.environ for server in hive.gateway.servers)


async def test_row_9_what_clients_say_stands_in_the_log_of_stock(hive: Hive, caplog: pytest.LogCaptureFixture) -> None:
    """Line feeds forge lines, and the token of CONNECT is there for everybody who reads logs."""
    caplog.set_level(logging.INFO)
    query = "EIO=4&transport=websocket&sid=%0aforged"

    async def visited(url: str) -> list[str]:
        caplog.clear()
        with pytest.raises(WSServerHandshakeError):
            await LiveClient.open(url, query)
        client = await opened(url, '40{"token":"ph_secret"}')
        await client.until(lambda: bool(client.control))
        await client.close()
        return [record.getMessage() for record in caplog.records]

    log = logging.getLogger("stock")
    async with a_stock(logger=log, engineio_logger=log) as stock:
        said = await visited(stock.url)
    assert any("\nforged" in line for line in said)
    assert any("ph_secret" in line for line in said)
    assert not [line for line in await visited(hive.url) if "forged" in line or "ph_secret" in line]
