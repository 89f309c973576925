"""Too many commands, joins and renewals on the socket are refused one by one; the connection goes on."""

from __future__ import annotations

from server.rate_limits import RateLimits
from tests.server.gateway.hive import ADMIN_TOKEN, a_hive

FEW = RateLimits(requests_max=3, commands_max=2)


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


async def test_the_operator_is_not_limited() -> None:
    async with a_hive(rate_limits=FEW) as hive:
        stream = await hive.project()
        client = await hive.client(ADMIN_TOKEN)
        for _ in range(10):
            assert "cursor" in await client.command(stream, "CreateTask", {"title": "imported"})
            assert "mode" in await client.join(stream)
