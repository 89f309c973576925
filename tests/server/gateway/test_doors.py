"""One address and one user have only so many connections, and a place that is given up can be had again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiohttp import WSServerHandshakeError

from server.gateway.doors import Doors
from tests.server.gateway.client import Ended, LiveClient
from tests.server.gateway.hive import ADMIN_TOKEN, LONG_PINGS, Hive, a_hive, eventually


def test_who_has_left_leaves_nothing() -> None:
    doors = Doors(2)
    assert [doors.enter(key) for key in ("a", "a", "a", "b")] == [True, True, False, True]
    doors.leave("a")
    assert doors.enter("a")
    for key in ("a", "a", "b"):
        doors.leave(key)
    assert len(doors) == 0


async def test_one_user_has_so_many_connections() -> None:
    async with a_hive(replace(LONG_PINGS, connections_per_user_max=2)) as hive:
        ada, token = await hive.user("ada")
        first = await hive.client(token)
        await hive.client(hive.token(ada))
        refused = await hive.opened()
        await refused.send(f'40{{"token":"{token}"}}')
        with pytest.raises(Ended):
            await refused.until(lambda: False)
        assert "connections-per-user" in refused.control[0]
        _, other = await hive.user("ben")
        await hive.client(other)
        for _ in range(3):
            await hive.client(ADMIN_TOKEN)
        await first.close()
        await eventually(lambda: len(hive.gateway.users) == 2 and hive.gateway.connections == 5)
        await hive.client(token)


async def test_one_address_has_so_many_connections_whatever_they_speak() -> None:
    async with a_hive(replace(LONG_PINGS, connections_per_address_max=2)) as hive:
        first = await hive.client()
        await hive.opened()
        with pytest.raises(WSServerHandshakeError) as refused:
            await LiveClient.open(hive.url)
        assert refused.value.status == 503
        assert refused.value.headers is not None
        assert refused.value.headers["Retry-After"] == "5"
        await first.close()
        await eventually(lambda: hive.gateway.connections == 1)
        await hive.client()


async def test_behind_a_proxy_the_address_is_the_one_that_it_saw() -> None:
    async with a_hive(replace(LONG_PINGS, connections_per_address_max=1, trusted_proxies=1)) as hive:
        for address in ("192.0.2.1", "192.0.2.2"):
            await hive.client(headers={"X-Forwarded-For": f"198.51.100.9, {address}"})
        with pytest.raises(WSServerHandshakeError):
            await LiveClient.open(hive.url, headers={"X-Forwarded-For": "192.0.2.1"})


async def test_a_flood_of_unknown_events_ends_the_connection(hive: Hive) -> None:
    client = await hive.client()
    assert (await client.ask("nothing", {}))["error"]["code"] == "invalid"
    for _ in range(LONG_PINGS.poison_per_socket_max):
        await client.send('42["nothing",{}]')
    assert await client.until_end() == 1002
