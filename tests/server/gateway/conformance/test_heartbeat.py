"""Engine.IO's heartbeat (v4, "Heartbeat"): the server pings, the client answers, and who does not is let go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.server.gateway.client import LiveClient
from tests.server.gateway.hive import LONG_PINGS, a_hive
from tests.server.gateway.msgpack_client import MsgpackClient

KINDS = [LiveClient, MsgpackClient]


@pytest.mark.parametrize("kind", KINDS)
async def test_pings_come_one_after_the_other_while_they_are_answered(kind: type[LiveClient]) -> None:
    async with a_hive(replace(LONG_PINGS, ping_interval_s=0.01)) as hive:
        client = await hive.opened(kind)
        assert client.handshake["pingInterval"] == 10
        await client.until(lambda: client.pings == 3)


@pytest.mark.parametrize("kind", KINDS)
async def test_who_does_not_answer_is_let_go(kind: type[LiveClient]) -> None:
    async with a_hive(replace(LONG_PINGS, ping_interval_s=0.01, ping_timeout_s=0.05)) as hive:
        client = await hive.opened(kind)
        client.answers_pings = False
        await client.until_end()
        assert client.pings == 1
