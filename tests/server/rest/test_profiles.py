"""Profiles: every answer of the User API, and who sees what."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.faults import NotApplied
from tests.server.world import ADMIN_TOKEN, User, World, problem_of

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


async def test_a_token_tells_whose_it_is(world: World) -> None:
    ada = await world.register("ada", email="ada@example.com")
    own = await (await world.http.get("/v1/users/me", headers=ada.auth)).json()
    assert (own["userId"], set(own)) == (ada.id, PUBLIC | PRIVATE)
    admin = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    await problem_of(await world.http.get("/v1/users/me", headers=admin), 404)
    await problem_of(await world.http.get("/v1/users/me"), 401)


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


def keyed(user: User, key: str = "key") -> dict[str, str]:
    return {**user.auth, "Idempotency-Key": key}


@pytest.mark.parametrize("first", [{"username": "ada2", "bio": "one"}, {"locale": "de"}, {"bio": "one"}, {}])
@pytest.mark.parametrize("second", [{"username": "ada3"}, {"email": "ada3@example.com", "bio": "two"}, {"bio": "two"}])
async def test_a_key_with_another_body_is_refused_before_anything_changes(
    world: World, first: dict[str, str], second: dict[str, str]
) -> None:
    ada = await world.register("ada", email="ada@example.com")
    url = f"/v1/users/{ada.id}"
    assert (await world.http.put(url, json=first, headers=keyed(ada))).status == 200
    before = await (await world.http.get(url, headers=ada.auth)).json()
    response = await world.http.put(url, json=second, headers=keyed(ada))
    assert (await problem_of(response, 409))["code"] == "op_id_reused"
    assert await (await world.http.get(url, headers=ada.auth)).json() == before


async def test_a_key_with_the_same_body_does_not_undo_newer_changes(world: World) -> None:
    ada = await world.register("ada")
    url, body = f"/v1/users/{ada.id}", {"username": "ada2", "timezone": "Europe/Vienna", "bio": "one"}
    first = await (await world.http.put(url, json=body, headers=keyed(ada))).json()
    assert await (await world.http.put(url, json=body, headers=keyed(ada))).json() == first
    newer = {"username": "ada3", "timezone": None, "bio": "two"}
    world.clock.now_s += 5
    now = await (await world.http.put(url, json=newer, headers=keyed(ada, "another"))).json()
    again = await world.http.put(url, json=body, headers=keyed(ada))
    assert (again.status, await again.json()) == (200, now)
    assert (now["username"], now["timezone"], now["bio"]) == ("ada3", None, "two")


async def test_a_request_that_stopped_after_the_account_goes_on_when_it_is_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.register("ada")
    url, body = f"/v1/users/{ada.id}", {"username": "ada2", "bio": "one"}

    async def fails(*_: object) -> None:
        raise NotApplied("away")

    with monkeypatch.context() as broken:
        broken.setattr(type(world.streams), "command", fails)
        assert (await world.http.put(url, json=body, headers=keyed(ada))).status == 503
    between = await (await world.http.get(url, headers=ada.auth)).json()
    assert (between["username"], between["bio"]) == ("ada2", None)
    answer = await (await world.http.put(url, json=body, headers=keyed(ada))).json()
    assert (answer["username"], answer["bio"]) == ("ada2", "one")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"bio": "x" * 10_001}, "bio: String should have at most 10000 characters"),
        ({"timezone": "localtime"}, "timezone: not the name of a time zone, such as Europe/Berlin"),
    ],
)
async def test_what_is_wrong_is_said_in_words_for_people(world: World, body: dict[str, str], said: str) -> None:
    ada = await world.register("ada")
    response = await world.http.put(f"/v1/users/{ada.id}", json=body, headers=ada.auth)
    assert (await problem_of(response, 400))["detail"] == said
