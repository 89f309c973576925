"""Profiles: every answer of the User API, and who sees what."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.world import ADMIN_TOKEN, World, problem_of

NOBODY = "018f0000-0000-7000-8000-0000000000ff"
PUBLIC = {"userId", "username", "firstName", "lastName", "bio", "avatarUrl", "createdAt", "updatedAt"}
PRIVATE = {"email", "locale", "timezone"}


async def test_a_person_sees_all_of_their_profile_and_others_the_public_part(world: World) -> None:
    ada, eve = await world.register("ada", email="ada@example.com"), await world.register("eve")
    own = await (await world.http.get(f"/v1/users/{ada.id}", headers=ada.auth)).json()
    seen = await (await world.http.get(f"/v1/users/{ada.id}", headers=eve.auth)).json()
    assert (set(own), own["email"]) == (PUBLIC | PRIVATE, "ada@example.com")
    assert set(seen) == PUBLIC
    admin = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    assert set(await (await world.http.get(f"/v1/users/{ada.id}", headers=admin)).json()) == PUBLIC


async def test_the_id_may_come_in_capitals(world: World) -> None:
    ada = await world.register("ada")
    assert (await world.http.get(f"/v1/users/{ada.id.upper()}", headers=ada.auth)).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_without_a_token_the_answer_is_401(world: World, method: str) -> None:
    ada = await world.register("ada")
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic YTpi"}):
        for user_id in (ada.id, NOBODY, "x"):
            response = await world.http.request(method, f"/v1/users/{user_id}", headers=headers)
            await problem_of(response, 401)
            assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_an_expired_token_says_so(world: World) -> None:
    ada = await world.register("ada")
    world.clock.now_s += 901
    response = await world.http.get(f"/v1/users/{ada.id}", headers=ada.auth)
    assert (await problem_of(response, 401))["code"] == "token_expired"


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_nobody_is_404_and_no_uuid_is_400(world: World, method: str) -> None:
    ada = await world.register("ada")
    body: dict[str, Any] = {"json": {}} if method == "PUT" else {}
    response = await world.http.request(method, f"/v1/users/{NOBODY}", headers=ada.auth, **body)
    await problem_of(response, 404)
    response = await world.http.request(method, "/v1/users/ada", headers=ada.auth, **body)
    await problem_of(response, 400)


async def test_others_may_not_write_it(world: World) -> None:
    ada, eve = await world.register("ada"), await world.register("eve")
    for body in ({"bio": "x"}, {"username": "x_x"}, {}, {"unknown": 1}):
        response = await world.http.put(f"/v1/users/{ada.id}", json=body, headers=eve.auth)
        assert (await problem_of(response, 403))["code"] == "forbidden"


async def test_an_update_sets_what_is_there_and_clears_what_is_null(world: World) -> None:
    ada = await world.register("ada", firstName="Ada", email="ada@example.com")
    world.clock.now_s += 5
    body = {"bio": "Hello", "locale": "de-AT", "timezone": "Europe/Vienna", "email": None, "username": "ada2"}
    response = await world.http.put(f"/v1/users/{ada.id}", json=body, headers=ada.auth)
    answer = await response.json()
    assert response.status == 200
    assert answer == await (await world.http.get(f"/v1/users/{ada.id}", headers=ada.auth)).json()
    assert {name: answer[name] for name in body} == body
    assert answer["firstName"] == "Ada"
    assert answer["updatedAt"] > answer["createdAt"]
    response = await world.http.put(f"/v1/users/{ada.id}", json={"firstName": None}, headers=ada.auth)
    assert ((await response.json())["firstName"], (await response.json())["bio"]) == (None, "Hello")


async def test_an_avatar_is_named_by_id_and_shown_by_address(world: World) -> None:
    ada = await world.register("ada")
    response = await world.http.put(f"/v1/users/{ada.id}", json={"avatarId": NOBODY}, headers=ada.auth)
    assert (await response.json())["avatarUrl"].endswith(NOBODY)


@pytest.mark.parametrize("body", [{"username": "EVE"}, {"email": "Eve@Example.com"}])
async def test_a_taken_name_is_409_and_nothing_changes(world: World, body: dict[str, str]) -> None:
    ada = await world.register("ada")
    await world.register("eve", email="eve@example.com")
    response = await world.http.put(f"/v1/users/{ada.id}", json={**body, "bio": "new"}, headers=ada.auth)
    assert (await problem_of(response, 409))["details"]["field"] == next(iter(body))
    profile = await (await world.http.get(f"/v1/users/{ada.id}", headers=ada.auth)).json()
    assert (profile["bio"], profile["username"]) == (None, "ada")


async def test_a_name_may_change_its_case(world: World) -> None:
    ada = await world.register("ada")
    response = await world.http.put(f"/v1/users/{ada.id}", json={"username": "Ada"}, headers=ada.auth)
    assert (await response.json())["username"] == "Ada"


@pytest.mark.parametrize(
    "body",
    [
        {"username": None},
        {"bio": 1},
        {"email": "x"},
        {"password": "StrongP@ssw0rd!"},
        {"userId": NOBODY},
        {"bio": "\0"},
    ],
)
async def test_what_does_not_fit_is_400(world: World, body: dict[str, Any]) -> None:
    ada = await world.register("ada")
    await problem_of(await world.http.put(f"/v1/users/{ada.id}", json=body, headers=ada.auth), 400)
