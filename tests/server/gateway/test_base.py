"""A command with a condition that nobody judges is refused."""

from __future__ import annotations

from tests.server.clock import RandomIds
from tests.server.gateway.hive import Hive


async def test_a_command_with_a_base_is_refused_before_it_is_decided(hive: Hive) -> None:
    ada, token = await hive.user("ada")
    stream = await hive.project(owner=ada)
    client = await hive.client(token)
    wish = {"stream": stream, "opId": RandomIds().new_id(), "type": "CreateTask", "data": {"title": "x"}}

    refused = await client.ask("command", {**wish, "base": 1})
    assert (refused["error"]["code"], refused["error"]["details"]) == ("invalid", {"field": "base"})
    assert (await hive.view(stream))[1] == 1, "nothing was done"
    assert "error" not in await client.ask("command", wish), "the opId is free"
