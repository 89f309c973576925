"""What is no JSON ends its sender; what is JSON and does harm is refused; neither reaches or costs anybody else."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from protocol.cursors import Cursor
from server.gateway.meters import Unmetered
from tests.server.clock import RandomIds
from tests.server.gateway.client import LiveClient, command
from tests.server.gateway.hive import LONG_PINGS, Hive, a_hive, eventually
from tests.server.gateway.msgpack_client import MsgpackClient


def _with_title(title: str) -> str:
    text = json.dumps(["command", command("project/" + RandomIds().new_id(), "CreateTask", {"title": "@"})])
    return "420" + text.replace('"@"', title)


NO_JSON = {
    "NaN": _with_title("NaN"),
    "Infinity": _with_title("Infinity"),
    "1e999": _with_title("1e999"),
    "deeper": _with_title("[" * 100_000),
    "300 KiB": _with_title('"' + "x" * (300 << 10) + '"'),
    "no ack id": _with_title('"\\u0000"').replace("420", "42", 1),
}
POISON = {
    "NUL": _with_title('"\\u0000"'),
    "half an emoji": _with_title('"\\ud83d"'),
    "2^53+1": _with_title(str(2**53 + 1)),
    "90 digits": _with_title("9" * 90),
    "deep": _with_title("[" * 33 + "]" * 33),
    "many": _with_title("[" + "0," * 110_000 + "0]"),
    "name": '420["\\u0000",{}]',
    "key": '420["join",{"\\u0000":1}]',
}


def _for(stream: str, packet: str) -> str:
    return re.sub(r"project/[-0-9a-f]{36}", stream, packet, count=1)


async def _all_is_well(hive: Hive, follower: LiveClient, stream: str) -> None:
    answer = await follower.command(stream, "CreateTask", {"title": "fine"})
    assert Cursor.parse(answer["cursor"]).seq == 2
    await follower.until_seq(stream, 2)
    assert [entry["seq"] for entry in follower.entries(stream)] == [2]


async def _following(hive: Hive, stream: str) -> LiveClient:
    follower = await hive.client()
    await follower.join(stream)
    await follower.until_seq(stream, 1)
    return follower


@pytest.mark.parametrize("packet", NO_JSON.values(), ids=NO_JSON.keys())
async def test_what_is_no_json_ends_its_sender_and_reaches_nobody(hive: Hive, packet: str) -> None:
    stream = await hive.project()
    sender, follower = await hive.client(), await _following(hive, stream)
    await sender.send(_for(stream, packet))
    assert await sender.until_end() in (1002, 1009)
    assert not sender.acks
    await eventually(lambda: hive.gateway.connections == 1)
    await _all_is_well(hive, follower, stream)


@pytest.mark.parametrize("packet", POISON.values(), ids=POISON.keys())
async def test_poison_is_refused_and_costs_its_sender_nothing_else(hive: Hive, packet: str) -> None:
    stream = await hive.project()
    sender, follower = await hive.client(), await _following(hive, stream)
    await sender.send(_for(stream, packet))
    error = (await sender.answer(0))["error"]
    assert (error["code"], error["retryable"]) == ("invalid", False)
    await _all_is_well(hive, follower, stream)
    assert Cursor.parse((await sender.command(stream, "CreateTask", {"title": "too"}))["cursor"]).seq == 3


async def test_poison_before_connect_ends_the_connection(hive: Hive) -> None:
    client = await hive.opened()
    await client.send(POISON["NUL"])
    assert await client.until_end() == 1002
    assert not client.acks


class _CountedPackets(Unmetered):
    """Counts bad packets."""

    bad = 0

    def bad_packet(self) -> None:
        self.bad += 1


async def test_a_flood_of_poison_ends_the_connection() -> None:
    async with a_hive(replace(LONG_PINGS, poison_per_socket_max=5)) as hive:
        hive.gateway.meters = meters = _CountedPackets()
        client = await hive.client()
        for number in range(7):
            await client.send(f'42{number}["command","\\u0000"]')
        assert await client.until_end() == 1002
        assert sorted(client.acks) == [0, 1, 2, 3, 4]
        assert meters.bad == 5


@pytest.mark.parametrize("kind", [LiveClient, MsgpackClient])
@pytest.mark.parametrize("has_entered", [True, False])
async def test_a_flood_of_acks_that_nobody_asked_for_ends_the_connection(
    kind: type[LiveClient], *, has_entered: bool
) -> None:
    async with a_hive(replace(LONG_PINGS, poison_per_socket_max=5)) as hive:
        hive.gateway.meters = meters = _CountedPackets()
        client = await (hive.client(kind=kind) if has_entered else hive.opened(kind=kind))
        for number in range(4):
            await client.send(f"43{number}[]")
        if has_entered:
            assert "error" in await client.ask("leave", {})
        await client.send("434[]")
        assert await client.until_end() == 1002
        assert meters.bad == 5
