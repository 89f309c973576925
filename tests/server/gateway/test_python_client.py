"""Our own Python client against the real gateway: what one bad command costs the others."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import pytest

from pantherahive_client import Backoff, Client, Invalid, PacketRefused, Settings, TooLarge
from pantherahive_client.sendable import VALUES_MAX, packet_bytes
from protocol.members import AddMember
from protocol.poison import NODES_MAX, find_poison
from tests.client.waiting import until
from tests.server.gateway.hive import ADMIN_TOKEN, Hive

QUICK = Settings(reconnect=Backoff(0.01, 0.02), connect_patience_s=10, deadline_s=10)


async def test_a_poisonous_command_is_refused_among_innocent_ones(hive: Hive) -> None:
    stream = await hive.project()
    async with Client(hive.url, token=ADMIN_TOKEN, settings=QUICK) as client:
        titles = ["one", "NUL \0", "two", "NUL \0", "three"]
        wishes = [client.command(stream, "CreateTask", {"title": title}) for title in titles]
        outcomes = await asyncio.gather(*wishes, return_exceptions=True)
        assert [isinstance(outcome, Invalid) for outcome in outcomes] == [False, True, False, True, False]
        assert hive.gateway.connections == 1
    view, _ = await hive.view(stream)
    assert {task["title"] for task in view["tasks"].values()} == {"one", "two", "three"}


async def test_the_largest_packet_is_the_server_s_to_say(hive: Hive) -> None:
    async with Client(hive.url, token=ADMIN_TOKEN, settings=QUICK) as client:
        with pytest.raises(TooLarge, match=str(260 << 10)):
            await client.command(await hive.project(), "CreateTask", {"title": "x" * (260 << 10)})


async def test_what_the_server_ends_connections_over_is_not_sent_for_ever(
    hive: Hive, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = await hive.project()
    async with Client(hive.url, token=ADMIN_TOKEN, settings=QUICK) as client:
        with monkeypatch.context() as unchecked:
            for module in ("outbox", "link"):
                unchecked.setattr(f"pantherahive_client.{module}.packet_bytes", lambda frame: 1)
            with pytest.raises(PacketRefused):
                await client.command(stream, "CreateTask", {"title": "x" * (300 << 10)})
        assert (await client.command(stream, "CreateTask", {"title": "fine"})).seq == 2


async def test_a_state_of_more_values_than_a_packet_may_hold_costs_nothing_else(
    hive: Hive, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = await hive.project()
    user_id, token = await hive.user("ada")
    await hive.send(stream, AddMember(user_id=user_id, role="member"))
    async with (
        Client(hive.url, token=token, settings=QUICK) as client,
        client.project(stream.removeprefix("project/")) as project,
    ):
        before = client._connection._link
        with pytest.raises(TooLarge, match=str(NODES_MAX)):
            await project.set_awareness({"a": [0] * 120_000})
        monkeypatch.setattr("pantherahive_client.sendable.VALUES_MAX", 10**9)
        with pytest.raises(Invalid, match=str(NODES_MAX)):
            await project.set_awareness({"a": [0] * 120_000})
        await project.set_awareness({"a": 1})
        assert client._connection._link is before, "the same connection all the while"


def test_the_client_counts_values_as_the_server_does() -> None:
    assert VALUES_MAX == NODES_MAX
    for spare in (0, 1):
        payload = {"a": [[0] * (NODES_MAX - 5), {}][: 1 + spare]}
        poison = find_poison(["awareness", payload])
        assert bool(poison) is bool(spare)
        with pytest.raises(TooLarge) if poison else nullcontext():
            packet_bytes(payload)


async def test_those_who_are_here_see_each_other_and_where_they_look(hive: Hive) -> None:
    stream = await hive.project()
    (ada_id, ada_token), (ben_id, ben_token) = [await hive.user(name) for name in ("ada", "ben")]
    for user_id in (ada_id, ben_id):
        await hive.send(stream, AddMember(user_id=user_id, role="member"))
    project_id = stream.removeprefix("project/")
    async with (
        Client(hive.url, token=ada_token, settings=QUICK) as ada,
        Client(hive.url, token=ben_token, settings=QUICK) as ben,
        ada.project(project_id) as adas,
    ):
        presence, awareness = adas.presence(), adas.awareness()
        assert [one["userId"] for one in await anext(presence)] == [ada_id]
        assert await anext(awareness) == []
        async with ben.project(project_id) as bens:
            async with asyncio.timeout(10):
                assert {one["userId"] for one in await anext(presence)} == {ada_id, ben_id}
                await bens.set_awareness({"taskId": "T-1", "typing": True})
                [seen] = await anext(awareness)
            assert (seen["userId"], seen["state"]) == (ben_id, {"taskId": "T-1", "typing": True})
            for client in (ada, ben):
                assert client._connection._link is not None
                client._connection._link._ended.set()
            await bens.set_awareness({"taskId": "T-2"})
            await until(lambda: [one["state"] for one in adas.aware] == [{"taskId": "T-2"}])
            with pytest.raises(TooLarge):
                await bens.set_awareness({"text": "x" * 10_000})
        await until(lambda: [one["userId"] for one in adas.present] == [ada_id] and adas.aware == [])
