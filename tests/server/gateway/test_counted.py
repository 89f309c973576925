"""What a client is answered, and what it is let go for, can be seen in the metrics and in the log."""

from __future__ import annotations

import json
import logging
import os
import struct
from dataclasses import replace
from typing import Any

import pytest

from protocol.faults import StorageFault
from server.enrich import Facts
from server.rate_limits import RateLimits
from server.telemetry import Meters
from tests.server.gateway.client import command
from tests.server.gateway.hive import LONG_PINGS, Hive, a_hive, new_project
from tests.server.gateway.raw import RawClient, masked

TASK = {"title": "fine"}


def _answered(meters: Meters) -> list[str]:
    """The lines of the counter of answers, but for those of accepted commands."""
    lines = meters.exposition().decode().splitlines()
    counted = [line for line in lines if line.startswith("pantherahive_commands_total{")]
    return [line.removeprefix("pantherahive_commands_total") for line in counted if "accepted" not in line]


def _metered(hive: Hive) -> Meters:
    hive.gateway.meters = meters = Meters()
    return meters


async def test_commands_that_are_not_begun_are_counted_by_their_stream() -> None:
    limits, rates = replace(LONG_PINGS, commands_in_flight_per_socket_max=0), RateLimits(commands_max=1)
    async with a_hive(rate_limits=rates) as hive:
        meters, (user, token) = _metered(hive), await hive.user("ada")
        stream = await hive.project(owner=user)
        client = await hive.client(token)
        assert "error" in await client.command(stream, "DropTable", {})
        assert "error" in await client.command(stream, "CreateTask", TASK)
        assert _answered(meters) == [
            '{code="invalid",kind="project"} 1.0',
            '{code="rate_limited",kind="project"} 1.0',
        ]
    async with a_hive(limits) as hive:
        meters, client = _metered(hive), await hive.client()
        assert "error" in await client.command(new_project(), "CreateTask", TASK)
        assert _answered(meters) == ['{code="overloaded",kind="project"} 1.0']


@pytest.mark.parametrize("payload", [None, {}, command("robots/1", "CreateTask", TASK), {"stream": {}}])
async def test_what_is_no_command_is_counted_under_no_name_of_the_client(hive: Hive, payload: Any) -> None:
    meters, client = _metered(hive), await hive.client()
    assert "error" in await client.ask("command", payload)
    assert _answered(meters) == ['{code="invalid",kind="none"} 1.0']


async def test_a_command_whose_facts_cannot_be_had_is_counted(hive: Hive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_facts(*_: Any) -> Any:
        raise StorageFault("down")

    monkeypatch.setattr(Facts, "facts_for", no_facts)
    meters, client = _metered(hive), await hive.client()
    member = {"userId": new_project().partition("/")[2], "role": "viewer"}
    assert (await client.command(new_project(), "AddMember", member))["error"]["code"] == "unavailable"
    assert _answered(meters) == ['{code="unavailable",kind="project"} 1.0']


NO_PACKETS = {
    "unknown type": masked(b"x"),
    "empty": masked(b""),
    "binary": masked(b"\x04", opcode=2),
    "no packet of Socket.IO": masked(b"4x"),
    "unmasked": b"\x81\x013",
    "reserved bit": bytes([masked(b"3")[0] | 0x40]) + masked(b"3")[1:],
    "too large": b"\x81\xff" + struct.pack("!Q", 1 << 30) + os.urandom(4),
    "no text": masked(b"\xff"),
}


@pytest.mark.parametrize("sent", NO_PACKETS.values(), ids=NO_PACKETS.keys())
async def test_what_is_no_packet_is_counted_once_and_logged(
    hive: Hive, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pantherahive.gateway")
    meters = _metered(hive)
    client = await RawClient.entered(hive.url, hive.token((await hive.user("ada"))[0]))
    await client.send(sent)
    await client.until_end()
    assert "pantherahive_bad_packets_total 1.0" in meters.exposition().decode()
    assert [record.levelname for record in caplog.records if "bad packet from 127.0.0.1" in record.message] == ["INFO"]


async def test_whoever_leaves_as_the_protocol_has_it_is_not_counted(hive: Hive) -> None:
    meters = _metered(hive)
    for farewell in (masked(b"1"), masked(b"41"), masked(struct.pack("!H", 1000), opcode=8)):
        client = await RawClient.entered(hive.url, hive.token((await hive.user(json.dumps(farewell.hex())))[0]))
        await client.send(farewell)
        await client.until_end()
    assert "pantherahive_bad_packets_total 0.0" in meters.exposition().decode()


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        ("too large", 1009, "packet too large"),
        ("no text", 1007, "text that is no UTF-8"),
        ("unmasked", 1002, "a frame that a client may not send"),
    ],
)
async def test_whoever_is_let_go_for_a_frame_is_told_why(hive: Hive, sent: str, code: int, reason: str) -> None:
    client = await RawClient.entered(hive.url, hive.token((await hive.user("ada"))[0]))
    await client.send(NO_PACKETS[sent])
    assert await client.farewell() == (code, reason)
    client.close()
