"""Refresh, logout and a new password: what goes on, what ends, and what a thief gets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientResponse

from server.auth.opaque import RefreshToken
from tests.server.world import PASSWORD, World, problem_of

REFRESH, LOGOUT, LOGIN = "/v1/users/refresh", "/v1/users/logout", "/v1/users/login"
NEW_PASSWORD = "AnotherP@ssw0rd!"


async def signed_in(world: World, name: str = "ada") -> dict[str, Any]:
    """A further log-in of a registered user."""
    response = await world.http.post(LOGIN, json={"username": name, "password": PASSWORD})
    answer: dict[str, Any] = await response.json()
    assert response.status == 200, answer
    return answer


def auth(answer: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer['accessToken']}"}


async def refresh(world: World, token: str, key: str | None = None) -> ClientResponse:
    headers = {"Idempotency-Key": key} if key else {}
    return await world.http.post(REFRESH, json={"refreshToken": token}, headers=headers)


async def status_with(world: World, answer: dict[str, Any]) -> int:
    """What the access token is good for."""
    return (await world.http.get("/v1/users?username=ada", headers=auth(answer))).status


async def test_a_refresh_token_brings_a_new_pair_that_works(world: World) -> None:
    await world.register("ada")
    first = await signed_in(world)
    response = await refresh(world, first["refreshToken"])
    second = await response.json()
    assert (response.status, response.headers["Cache-Control"]) == (200, "no-store")
    assert set(second) == set(first)
    assert (second["userId"], second["username"]) == (first["userId"], "ada")
    assert second["refreshToken"] != first["refreshToken"]
    assert second["refreshExpiresIn"] == 30 * 86_400
    assert await status_with(world, second) == 200
    third = await (await refresh(world, second["refreshToken"])).json()
    assert await status_with(world, third) == 200


async def test_an_access_token_that_has_expired_is_no_hindrance(world: World) -> None:
    await world.register("ada")
    first = await signed_in(world)
    world.clock.now_s += 901
    assert await status_with(world, first) == 401
    second = await (await refresh(world, first["refreshToken"])).json()
    assert await status_with(world, second) == 200


async def test_a_refresh_token_that_comes_again_ends_its_log_in_and_no_other(world: World) -> None:
    await world.register("ada")
    stolen, other = await signed_in(world), await signed_in(world)
    thief = await (await refresh(world, stolen["refreshToken"])).json()
    assert await status_with(world, thief) == 200
    problem = await problem_of(await refresh(world, stolen["refreshToken"]), 401)
    assert problem["code"] == "unauthenticated"
    assert [await status_with(world, one) for one in (stolen, thief, other)] == [401, 401, 200]
    await problem_of(await refresh(world, thief["refreshToken"]), 401)
    assert (await refresh(world, other["refreshToken"])).status == 200


async def test_of_many_exchanges_at_once_one_wins_and_the_log_in_ends(world: World) -> None:
    await world.register("ada")
    first = await signed_in(world)
    responses = await asyncio.gather(*(refresh(world, first["refreshToken"]) for _ in range(10)))
    assert sorted(response.status for response in responses) in ([200] + [401] * 9, [401] * 10)
    assert await status_with(world, first) == 401


async def test_the_same_request_sent_again_gets_the_same_refresh_token(world: World) -> None:
    await world.register("ada")
    first = await signed_in(world)
    responses = await asyncio.gather(*(refresh(world, first["refreshToken"], "key-1") for _ in range(5)))
    answers = [await response.json() for response in responses]
    assert [response.status for response in responses] == [200] * 5
    assert len({answer["refreshToken"] for answer in answers}) == 1
    second = await (await refresh(world, answers[0]["refreshToken"], "key-2")).json()
    assert await status_with(world, second) == 200


@pytest.mark.parametrize("key", [None, "key-2"])
async def test_another_request_with_an_old_token_is_no_repetition(world: World, key: str | None) -> None:
    await world.register("ada")
    first = await signed_in(world)
    second = await (await refresh(world, first["refreshToken"], "key-1")).json()
    await problem_of(await refresh(world, first["refreshToken"], key), 401)
    assert await status_with(world, second) == 401


async def test_a_repetition_after_the_next_exchange_is_none(world: World) -> None:
    await world.register("ada")
    first = await signed_in(world)
    second = await (await refresh(world, first["refreshToken"], "key-1")).json()
    await refresh(world, second["refreshToken"], "key-2")
    await problem_of(await refresh(world, first["refreshToken"], "key-1"), 401)
    assert await status_with(world, second) == 401


async def test_a_log_in_that_was_not_renewed_in_time_has_ended(world: World) -> None:
    await world.register("ada")
    first = await signed_in(world)
    world.clock.now_s += 30 * 86_400 - 1
    second = await (await refresh(world, first["refreshToken"])).json()
    world.clock.now_s += 30 * 86_400
    await problem_of(await refresh(world, second["refreshToken"]), 401)


async def test_made_up_tokens_are_refused_and_end_nothing(world: World) -> None:
    await world.register("ada")
    first = await signed_in(world)
    real = RefreshToken.parse(first["refreshToken"])
    assert real is not None
    text = first["refreshToken"]
    for token in (
        RefreshToken.new(real.login_id).text(),
        RefreshToken.new("018f0000-0000-7000-8000-00000000000a").text(),
        first["accessToken"][:256],
        text[:-1],
        text + "A",
        text.upper(),
        text + " ",
        "ph_refresh_",
        "ä" * 97,
    ):
        await problem_of(await refresh(world, token), 401)
    assert (await refresh(world, text)).status == 200


@pytest.mark.parametrize("body", [{}, {"refreshToken": ""}, {"refreshToken": 7}, {"refreshToken": "x" * 257}])
async def test_what_is_no_refresh_request_answers_400(world: World, body: dict[str, Any]) -> None:
    await problem_of(await world.http.post(REFRESH, json=body), 400)


async def test_a_refresh_token_opens_nothing_else(world: World) -> None:
    await world.register("ada")
    first = await signed_in(world)
    assert await status_with(world, {"accessToken": first["refreshToken"]}) == 401


# — logout ———————————————————————————————————————————————————————————————————————————————————————————


async def test_logout_ends_this_log_in_at_once(world: World) -> None:
    await world.register("ada")
    mine, other = await signed_in(world), await signed_in(world)
    response = await world.http.post(LOGOUT, headers=auth(mine))
    assert (response.status, await response.read()) == (204, b"")
    assert [await status_with(world, one) for one in (mine, other)] == [401, 200]
    await problem_of(await refresh(world, mine["refreshToken"]), 401)
    await problem_of(await world.http.post(LOGOUT, headers=auth(mine)), 401)


async def test_logout_everywhere_ends_all_log_ins_of_the_user_and_of_nobody_else(world: World) -> None:
    registered, bob = await world.register("ada"), await world.register("bob")
    logins = [await signed_in(world) for _ in range(3)]
    response = await world.http.post(LOGOUT, json={"everywhere": True}, headers=auth(logins[1]))
    assert response.status == 204
    assert [await status_with(world, one) for one in logins] == [401] * 3
    assert await status_with(world, {"accessToken": registered.token}) == 401
    assert await status_with(world, {"accessToken": bob.token}) == 200
    assert await status_with(world, await signed_in(world)) == 200


async def test_the_operator_s_token_has_no_log_in_to_end(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.admin_token}"}
    await problem_of(await world.http.post(LOGOUT, headers=headers), 403)
    await problem_of(await world.http.post(LOGOUT), 401)


# — a new password ———————————————————————————————————————————————————————————————————————————————————


async def change(world: World, user_id: str, headers: dict[str, str], **body: Any) -> ClientResponse:
    wanted = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD, **body}
    return await world.http.put(f"/v1/users/{user_id}/password", json=wanted, headers=headers)


async def test_a_new_password_ends_all_other_log_ins(world: World) -> None:
    ada = await world.register("ada")
    mine, other = await signed_in(world), await signed_in(world)
    response = await change(world, ada.id, auth(mine))
    assert (response.status, await response.read()) == (204, b"")
    statuses = [await status_with(world, one) for one in (mine, other, {"accessToken": ada.token})]
    assert statuses == [200, 401, 401]
    await problem_of(await refresh(world, other["refreshToken"]), 401)
    assert (await refresh(world, mine["refreshToken"])).status == 200
    await problem_of(await world.http.post(LOGIN, json={"username": "ada", "password": PASSWORD}), 401)
    response = await world.http.post(LOGIN, json={"username": "ada", "password": NEW_PASSWORD})
    assert response.status == 200


async def test_the_same_change_sent_again_is_no_fault(world: World) -> None:
    ada = await world.register("ada")
    for _ in range(2):
        assert (await change(world, ada.id, ada.auth)).status == 204


async def test_without_the_old_password_nothing_changes(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    problem = await problem_of(await change(world, ada.id, ada.auth, currentPassword="wrong password"), 403)
    assert problem["details"] == {"reason": "wrong_password"}
    await problem_of(await change(world, ada.id, bob.auth), 403)
    await problem_of(await change(world, ada.id, {}), 401)
    await problem_of(await change(world, ada.id, ada.auth, newPassword="short"), 400)
    operator = {"Authorization": f"Bearer {world.admin_token}"}
    await problem_of(await change(world, ada.id, operator), 403)
    assert await status_with(world, await signed_in(world)) == 200


async def test_nothing_of_it_is_in_the_log(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ada = await world.register("ada")
    first = await signed_in(world)
    await (await refresh(world, first["refreshToken"])).json()
    await refresh(world, first["refreshToken"])
    await change(world, ada.id, ada.auth)
    printed = "".join(capsys.readouterr())
    assert "came twice" in printed
    for secret in (first["refreshToken"], first["refreshToken"][20:60], first["accessToken"], PASSWORD, NEW_PASSWORD):
        assert secret not in printed
