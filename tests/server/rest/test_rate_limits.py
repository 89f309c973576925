"""429 over REST: which limit, when there is more, and what was left before."""

from __future__ import annotations

import pytest
from aiohttp import ClientResponse

from server.rate_limits import RateLimits
from tests.server.world import PASSWORD, World, a_world, problem_of

REGISTER, LOGIN = "/v1/users/register", "/v1/users/login"
FEW = RateLimits(logins_per_address_max=8, logins_per_name_max=3, requests_max=4, commands_max=2)


async def login(world: World, name: str, password: str = "wrong password", **headers: str) -> ClientResponse:
    return await world.http.post(LOGIN, json={"username": name, "password": password}, headers=headers)


async def limited(response: ClientResponse, limit: str, quota: int) -> None:
    """It is refused by this limit, and says so in every way."""
    problem = await problem_of(response, 429)
    assert (problem["code"], problem["retryable"]) == ("rate_limited", True)
    assert problem["details"]["limit"] == limit
    assert int(response.headers["Retry-After"]) >= problem["details"]["retryAfterS"] > 0
    assert response.headers["RateLimit-Policy"] == f'"{limit}";q={quota};w=60'
    assert response.headers["RateLimit"] == f'"{limit}";r=0;t={response.headers["Retry-After"]}'


async def test_requests_tell_what_is_left_and_are_refused_when_nothing_is() -> None:
    async with a_world(rate_limits=FEW) as world:
        ada, bob = await world.register("ada"), await world.register("bob")
        for left in (3, 2, 1, 0):
            response = await world.http.get("/v1/projects", headers=ada.auth)
            assert response.status == 200
            assert response.headers["RateLimit-Policy"] == '"requests";q=4;w=60'
            assert response.headers["RateLimit"].startswith(f'"requests";r={left};t=')
        refused = await world.http.get("/v1/projects", headers=ada.auth)
        await limited(refused, "requests", 4)
        assert (await world.http.get("/v1/projects", headers=bob.auth)).status == 200
        world.clock.now_s += int(refused.headers["Retry-After"])
        assert (await world.http.get("/v1/projects", headers=ada.auth)).status == 200


async def test_commands_have_a_limit_of_their_own() -> None:
    async with a_world(rate_limits=FEW) as world:
        ada = await world.register("ada")  # its profile is the first command
        await world.project(ada)
        refused = await world.http.post("/v1/projects", json={"name": "Zeus"}, headers=ada.auth)
        await limited(refused, "commands", 2)


@pytest.mark.parametrize("name", ["ada", "nobody"])
async def test_a_name_is_tried_so_often_whether_it_exists_or_not(name: str) -> None:
    async with a_world(rate_limits=FEW) as world:
        await world.register("ada")
        for _ in range(3):
            await problem_of(await login(world, name), 401)
        await limited(await login(world, name.upper(), PASSWORD), "logins-per-name", 3)
        await problem_of(await login(world, "somebody else"), 401)


async def test_good_log_ins_use_nothing_up() -> None:
    async with a_world(rate_limits=FEW) as world:
        await world.register("ada")
        for _ in range(20):
            assert (await login(world, "ada", PASSWORD)).status == 200


async def test_an_address_tries_so_often_under_any_name() -> None:
    async with a_world(rate_limits=FEW) as world:
        await world.register("ada")
        for number in range(7):
            await problem_of(await login(world, f"name{number}"), 401)
        await limited(await login(world, "ada", PASSWORD), "logins-per-address", 8)
        refused = await world.http.post(REGISTER, json={"username": "eve", "password": PASSWORD})
        await limited(refused, "logins-per-address", 8)


async def test_wrong_refresh_tokens_and_passwords_count() -> None:
    async with a_world(rate_limits=FEW) as world:
        ada = await world.register("ada")
        wrong = {"currentPassword": "wrong password", "newPassword": PASSWORD + "!"}
        for _ in range(3):
            await problem_of(await world.http.put(f"/v1/users/{ada.id}/password", json=wrong, headers=ada.auth), 403)
        refused = await world.http.put(f"/v1/users/{ada.id}/password", json=wrong, headers=ada.auth)
        await limited(refused, "logins-per-name", 3)
        for _ in range(3):
            await problem_of(await world.http.post("/v1/users/refresh", json={"refreshToken": "x"}), 401)
        refused = await world.http.post("/v1/users/refresh", json={"refreshToken": "x"})
        await limited(refused, "logins-per-address", 8)


async def test_behind_a_proxy_the_address_is_what_the_proxy_saw() -> None:
    async with a_world(rate_limits=FEW, proxies=1) as world:
        for number in range(8):
            forwarded = {"X-Forwarded-For": f"9.9.9.{number}, 10.0.0.1"}
            await problem_of(await login(world, f"name{number}", **forwarded), 401)
        await limited(await login(world, "x", **{"X-Forwarded-For": "1.1.1.1, 10.0.0.1"}), "logins-per-address", 8)
        await problem_of(await login(world, "x", **{"X-Forwarded-For": "10.0.0.2"}), 401)
        for number in range(8):
            await problem_of(await login(world, f"six{number}", **{"X-Forwarded-For": f"2001:db8::{number}"}), 401)
        await limited(await login(world, "y", **{"X-Forwarded-For": "2001:db8::ffff"}), "logins-per-address", 8)


async def test_without_a_proxy_nobody_s_word_counts() -> None:
    async with a_world(rate_limits=FEW) as world:
        for number in range(8):
            forwarded = {"X-Forwarded-For": f"9.9.9.{number}"}
            await problem_of(await login(world, f"name{number}", **forwarded), 401)
        await limited(await login(world, "x", **{"X-Forwarded-For": "1.1.1.1"}), "logins-per-address", 8)
