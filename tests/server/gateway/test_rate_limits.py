"""Too many commands, joins and renewals on the socket are refused one by one; the connection goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from server.rate_limits import RateLimits
from tests.server.gateway.client import command
from tests.server.gateway.hive import ADMIN_TOKEN, a_hive, new_project

FEW = RateLimits(requests_max=3, commands_max=2, awareness_updates_max=2)


async def test_commands_beyond_the_limit_are_told_when_to_come_again() -> None:
    async with a_hive(rate_limits=FEW) as hive:
        user, token = await hive.user("ada")
        stream = await hive.project(owner=user)
        one, other = await hive.client(token), await hive.client(hive.token(user))
        for client in (one, other):
            assert "cursor" in await client.command(stream, "CreateTask", {"title": "fine"})
        error = (await one.command(stream, "CreateTask", {"title": "too many"}))["error"]
        assert (error["code"], error["retryable"]) == ("rate_limited", True)
        assert error["details"] == {"limit": "commands", "quota": 2, "windowS": 60, "retryAfterS": 30.0}
        hive.clock.now_s += 30
        assert "cursor" in await one.command(stream, "CreateTask", {"title": "fine again"})


async def test_joins_and_renewals_count_together() -> None:
    async with a_hive(rate_limits=FEW) as hive:
        user, token = await hive.user("ada")
        stream = await hive.project(owner=user)
        client = await hive.client(token)
        assert (await client.join(stream))["mode"] == "snapshot"
        for _ in range(2):
            assert "expiresAt" in await client.ask("auth", {"token": token})
        assert (await client.join(stream))["error"]["details"]["limit"] == "requests"
        assert (await client.ask("auth", {"token": token}))["error"]["code"] == "rate_limited"
        assert await client.ask("leave", {"stream": stream}) == {}


def _code(answer: Any) -> Any:
    return answer.get("error", {}).get("code")


@pytest.mark.parametrize(
    ("event", "good"),
    [
        ("command", None),
        ("join", {"stream": new_project()}),
        ("leave", {"stream": new_project()}),
        ("awareness", {"stream": new_project(), "state": {}}),
    ],
)
async def test_what_cannot_be_read_counts_too_and_is_not_read_beyond_the_limit(event: str, good: Any) -> None:
    async with a_hive(rate_limits=replace(FEW, requests_max=2)) as hive:
        client = await hive.client((await hive.user("ada"))[1])
        asked: list[Any] = [{}, [], {}, good or command(new_project(), "CreateTask", {"title": "fine"})]
        answers = [_code(await client.ask(event, payload)) for payload in asked]
        assert answers == ["invalid", "invalid", "rate_limited", "rate_limited"]


async def test_to_leave_counts_unless_something_is_left() -> None:
    async with a_hive(rate_limits=FEW) as hive:
        user, token = await hive.user("ada")
        streams = [await hive.project(owner=user) for _ in range(2)]
        client = await hive.client(token)
        assert (await client.join(streams[0]))["mode"] == "snapshot"
        joins = await client.emit("join", {"stream": streams[1]})
        leaves = [await client.emit("leave", {"stream": stream}) for stream in (*streams, *streams)]
        assert _code(await client.answer(joins)) == "conflict"  # left before it was joined
        assert [_code(await client.answer(leave)) for leave in leaves] == [None, None, None, "rate_limited"]


async def test_the_operator_is_not_limited() -> None:
    async with a_hive(rate_limits=FEW) as hive:
        stream = await hive.project()
        client = await hive.client(ADMIN_TOKEN)
        for _ in range(10):
            assert "cursor" in await client.command(stream, "CreateTask", {"title": "imported"})
            assert "mode" in await client.join(stream)
            assert await client.ask("leave", {"stream": new_project()}) == {}
            assert _code(await client.ask("awareness", {"stream": stream, "state": {}})) == "forbidden"
