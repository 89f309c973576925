"""What no server takes is refused before it is sent, and what a server ends connections over is not sent for ever."""

from __future__ import annotations

from typing import Any

import pytest

from pantherahive_client import Client, Invalid, PacketRefused, TooLarge, Unauthenticated, new_id
from tests.client.hive import QUICK, Hive
from tests.client.waiting import until

CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    "title",
    [
        "a lone \ud800 surrogate",
        float("nan"),
        float("-inf"),
        object(),
        {"n": [2**53]},
        -(2.0**60),
        CIRCLE,
        b"bytes",
        {1},
    ],
    ids=lambda title: type(title).__name__,
)
async def test_what_json_cannot_say_is_refused_before_it_is_sent(hive: Hive, client: Client, title: Any) -> None:
    project_id = await client.create_project("Apollo")
    with pytest.raises(Invalid):
        await client.command(f"project/{project_id}", "CreateTask", {"title": title})
    assert client.is_connected
    assert [frame["type"] for frame in hive.frames] == ["CreateProject"]


async def test_what_json_cannot_say_is_refused_without_a_connection_too(hive: Hive, client: Client) -> None:
    await hive.stop()
    await until(lambda: not client.is_connected)
    with pytest.raises(Invalid):
        await client.command(f"project/{new_id()}", "CreateTask", {"estimate": float("inf")})
    await hive.start()


async def test_a_packet_beyond_the_server_s_limit_is_refused_before_it_is_sent(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    with pytest.raises(TooLarge, match="1000000"):
        await client.command(f"project/{project_id}", "CreateTask", {"title": "x" * 1_000_000})
    assert client.is_connected
    assert len(hive.frames) == 1


async def test_a_state_beyond_the_server_s_limit_is_refused_before_it_is_shown(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        before = client._connection._link
        with pytest.raises(TooLarge, match="1000000"):
            await project.set_awareness({"at": "x" * 1_000_000})
        await project.create_task("beside it")
        assert client._connection._link is before, "the same connection all the while"


async def test_a_stream_s_name_beyond_the_server_s_limit_costs_no_connection(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    before = client._connection._link
    with pytest.raises(TooLarge, match="1000000"):
        async with client.project("x" * 1_000_000):
            pass
    await client.command(f"project/{project_id}", "CreateTask", {"title": "fine"})
    assert client._connection._link is before


async def test_a_token_over_which_the_server_ends_the_connection_is_none(hive: Hive) -> None:
    with pytest.raises(Unauthenticated):
        async with Client(hive.url, token="x" * 2_000_000, settings=QUICK):
            pass


async def test_a_command_over_which_the_server_ends_connections_is_given_up(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    hive.end_over = lambda frame: frame["data"].get("title") == "poison"
    with pytest.raises(PacketRefused) as raised:
        await client.command(f"project/{project_id}", "CreateTask", {"title": "poison"}, deadline_s=60)
    sent = [frame["opId"] for frame in hive.frames if frame["type"] == "CreateTask"]
    assert sent == [raised.value.op_id] * QUICK.refusals_max
    await client.command(f"project/{project_id}", "CreateTask", {"title": "fine"})
