"""Registration and login: every answer of the User API."""

from __future__ import annotations

import asyncio
import io
import re
from typing import Any

import orjson
import pytest

from protocol.accounts import UserRegisterRequest
from protocol.errors import ErrorCode, Rejection
from server.auth.accounts import registration_digest
from server.auth.passwords import PasswordCost
from server.rate_limits import RateLimits
from server.rest.operations import operation_of
from tests.actors.given import TASK
from tests.server.world import PASSWORD, World, a_world, problem_of

REGISTER, LOGIN, REFRESH = "/v1/users/register", "/v1/users/login", "/v1/users/refresh"


async def test_registering_answers_201_with_a_token_that_works(world: World) -> None:
    body = {"username": "john_doe", "password": PASSWORD, "email": "John.Doe@example.com", "firstName": "John"}
    response = await world.http.post(REGISTER, json=body)
    answer = await response.json()
    assert response.status == 201
    tokens = {"accessToken", "tokenType", "expiresIn", "refreshToken", "refreshExpiresIn"}
    assert set(answer) == {"userId", "username", *tokens}
    assert (answer["username"], answer["tokenType"], answer["expiresIn"]) == ("john_doe", "Bearer", 900)
    assert response.headers["Cache-Control"] == "no-store"
    auth = {"Authorization": f"Bearer {answer['accessToken']}"}
    profile = await (await world.http.get(response.headers["Location"], headers=auth)).json()
    assert (profile["firstName"], profile["lastName"], profile["email"]) == ("John", None, "John.Doe@example.com")


@pytest.mark.parametrize(
    ("second", "field"),
    [
        ({"username": "ada"}, "username"),
        ({"username": "ADA"}, "username"),
        ({"username": "eve", "email": "ada@example.com"}, "email"),
        ({"username": "eve", "email": "ADA@EXAMPLE.COM"}, "email"),
    ],
)
async def test_a_taken_name_answers_409_without_regard_to_case(
    world: World, second: dict[str, Any], field: str
) -> None:
    await world.register("ada", email="ada@example.com")
    response = await world.http.post(REGISTER, json={"password": PASSWORD, **second})
    problem = await problem_of(response, 409)
    assert (problem["code"], problem["details"]["field"]) == ("already_exists", field)


async def test_many_at_once_get_one_name(world: World) -> None:
    body = {"username": "ada", "password": PASSWORD}
    responses = await asyncio.gather(*(world.http.post(REGISTER, json=body) for _ in range(20)))
    assert sorted(response.status for response in responses) == [201] + [409] * 19


KEY = {"Idempotency-Key": "a key of somebody who is nobody yet"}
BODY = {"username": "ada", "password": PASSWORD, "email": "ada@example.com", "firstName": "Ada"}


async def test_a_registration_that_is_sent_again_finds_its_account_and_begins_another_log_in(world: World) -> None:
    responses = [await world.http.post(REGISTER, json=BODY, headers=KEY) for _ in range(3)]
    answers = [await response.json() for response in responses]
    assert [response.status for response in responses] == [201] * 3
    assert {response.headers["Location"] for response in responses} == {f"/v1/users/{answers[0]['userId']}"}
    assert len({answer["refreshToken"] for answer in answers}) == 3
    for answer in answers:
        auth = {"Authorization": f"Bearer {answer['accessToken']}"}
        own = await (await world.http.get("/v1/users/me", headers=auth)).json()
        assert (own["userId"], own["username"], own["firstName"]) == (answer["userId"], "ada", "Ada")
        assert (await world.http.post("/v1/users/logout", headers=auth)).status == 204


@pytest.mark.parametrize(
    "other",
    [
        {"username": "ada2"},
        {"username": "Ada"},
        {"email": "ada2@example.com"},
        {"firstName": "Eve"},
        {"lastName": "L."},
        {"password": PASSWORD + "2"},
    ],
)
async def test_a_key_stands_for_one_registration(world: World, other: dict[str, str]) -> None:
    assert (await world.http.post(REGISTER, json=BODY, headers=KEY)).status == 201
    response = await world.http.post(REGISTER, json={**BODY, **other}, headers=KEY)
    assert (await problem_of(response, 409))["code"] == "op_id_reused"
    taken = await world.http.post(REGISTER, json=BODY, headers={"Idempotency-Key": "another"})
    assert (await problem_of(taken, 409))["code"] == "already_exists"
    assert (await problem_of(await world.http.post(REGISTER, json=BODY), 409))["code"] == "already_exists"


async def test_equal_registrations_at_once_make_one_account(world: World) -> None:
    responses = await asyncio.gather(*(world.http.post(REGISTER, json=BODY, headers=KEY) for _ in range(10)))
    assert [response.status for response in responses] == [201] * 10
    assert len({(await response.json())["userId"] for response in responses}) == 1


async def test_different_registrations_under_one_key_at_once_make_one_account(world: World) -> None:
    bodies = [{**BODY, "username": f"ada{n}", "email": f"ada{n}@example.com"} for n in range(10)]
    responses = await asyncio.gather(*(world.http.post(REGISTER, json=body, headers=KEY) for body in bodies))
    assert sorted(response.status for response in responses) == [201] + [409] * 9


async def test_a_refused_registration_keeps_its_key(world: World) -> None:
    await world.register("ada")
    for _ in range(2):
        problem = await problem_of(await world.http.post(REGISTER, json=BODY, headers=KEY), 409)
        assert problem["code"] == "already_exists"
    response = await world.http.post(REGISTER, json={**BODY, "username": "ada2"}, headers=KEY)
    assert (await problem_of(response, 409))["code"] == "op_id_reused"


async def test_a_registration_is_found_after_the_person_has_another_name_but_not_by_an_old_password(
    world: World,
) -> None:
    made = await (await world.http.post(REGISTER, json=BODY, headers=KEY)).json()
    auth, path = {"Authorization": f"Bearer {made['accessToken']}"}, f"/v1/users/{made['userId']}"
    assert (await world.http.put(path, json={"username": "countess"}, headers=auth)).status == 200
    again = await world.http.post(REGISTER, json=BODY, headers=KEY)
    assert (again.status, (await again.json())["username"]) == (201, "countess")
    change = {"currentPassword": PASSWORD, "newPassword": PASSWORD + "2"}
    assert (await world.http.put(f"{path}/password", json=change, headers=auth)).status == 204
    await problem_of(await world.http.post(REGISTER, json=BODY, headers=KEY), 409)


async def test_a_registration_keeps_neither_its_key_nor_its_password(world: World) -> None:
    made = await (await world.http.post(REGISTER, json=BODY, headers=KEY)).json()
    account = await world.storage.accounts.by_user_id(made["userId"])
    assert account is not None
    assert account.registration is not None
    for secret in (PASSWORD, KEY["Idempotency-Key"]):
        assert secret not in repr(account)
    other = {**BODY, "password": PASSWORD + "2"}
    assert registration_digest(UserRegisterRequest.from_client(other)) == account.registration


async def test_passwords_are_not_found_out_by_registering_again() -> None:
    async with a_world(rate_limits=RateLimits(logins_per_name_max=3)) as world:
        assert (await world.http.post(REGISTER, json=BODY, headers=KEY)).status == 201
        tries = [{**BODY, "password": f"wrong password {n}"} for n in range(4)]
        statuses = [(await world.http.post(REGISTER, json=body, headers=KEY)).status for body in tries]
        assert statuses == [409] * 3 + [429]
        assert (await world.http.post(LOGIN, json={"username": "ada", "password": PASSWORD})).status == 429


@pytest.mark.parametrize("key", ["", "k" * 256, " "])
async def test_a_registration_takes_no_key_of_another_form(world: World, key: str) -> None:
    await problem_of(await world.http.post(REGISTER, json=BODY, headers={"Idempotency-Key": key}), 400)


async def test_users_without_an_address_do_not_collide(world: World) -> None:
    await world.register("ada")
    await world.register("eve")


@pytest.mark.parametrize("name", [{"username": "Ada"}, {"username": "aDA"}, {"email": "ADA@example.com"}])
async def test_login_by_name_or_address_answers_200(world: World, name: dict[str, str]) -> None:
    user = await world.register("Ada", email="ada@example.com")
    response = await world.http.post(LOGIN, json={"password": PASSWORD, **name})
    answer = await response.json()
    assert response.status == 200
    assert (answer["userId"], answer["username"]) == (user.id, "Ada")


async def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(world: World) -> None:
    await world.register("ada", email="ada@example.com")
    seen = set()
    for body in (
        {"username": "ada", "password": "wrong password"},
        {"username": "nobody", "password": "wrong password"},
        {"username": "no such name!", "password": PASSWORD},
        {"email": "ada@example.com", "password": "short"},
        {"email": "nobody@example.com", "password": PASSWORD},
    ):
        response = await world.http.post(LOGIN, json=body)
        await problem_of(response, 401)
        own = {"x-request-id", "date"}
        headers = sorted(f"{name}: {value}" for name, value in response.headers.items() if name.lower() not in own)
        seen.add((await response.read(), *headers))
    assert len(seen) == 1, seen


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (REGISTER, {"username": "ab", "password": PASSWORD}),
        (REGISTER, {"username": "ada"}),
        (REGISTER, {"username": "ada", "password": PASSWORD, "isAdmin": True}),
        (REGISTER, {"username": "ada", "password": "😀" * 65}),
        (REGISTER, {"username": "ada", "password": "abcdefgh\0"}),
        (LOGIN, {"password": PASSWORD}),
        (LOGIN, {"password": PASSWORD, "username": "ada", "email": "ada@example.com"}),
        (LOGIN, {"password": PASSWORD, "email": "ada"}),
        (LOGIN, {"username": "ada"}),
    ],
)
async def test_what_does_not_fit_answers_400_and_quotes_nothing(world: World, path: str, body: dict[str, Any]) -> None:
    response = await world.http.post(path, json=body)
    problem = await problem_of(response, 400)
    assert problem["code"] == "invalid"
    assert PASSWORD not in await response.text()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b'{"username": NaN}', 400),
        (b'{"username": "\\ud800"}', 400),
        (b'{"username": "\xff"}', 400),
        (b'{"username": 1' + b"0" * 90 + b"}", 400),
        (b'{"a":' * 33 + b"1" + b"}" * 33, 400),
        (b"[" * 8_000, 400),
        (b'{"username": "' + b"a" * (1 << 20) + b'"}', 413),
    ],
)
async def test_bodies_that_are_no_acceptable_json(world: World, data: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    response = await world.http.post(REGISTER, data=io.BytesIO(data), headers=headers)
    await problem_of(response, status)


@pytest.mark.parametrize("path", [REGISTER, LOGIN, REFRESH])
async def test_who_needs_no_token_has_little_to_say(world: World, path: str) -> None:
    headers = {"Content-Type": "application/json"}
    for size, status in ((8 << 10, 400), ((8 << 10) + 1, 413)):
        body = b'{"x":"' + b"y" * (size - 8) + b'"}'
        for data in (body, io.BytesIO(body)):
            await problem_of(await world.http.post(path, data=data, headers=headers), status)


async def test_who_needs_a_token_is_asked_for_it_before_a_body_is_read(world: World) -> None:
    asked = 0
    for route in world.http.app.router.routes() if world.http.app is not None else ():
        declared = operation_of(route.handler)
        if declared is None or declared.body is None or declared.public or route.resource is None:
            continue
        path = re.sub(r"\{\w+\}", TASK, route.resource.canonical)
        answer = await world.http.request(route.method, path, data=b"{", headers={"Content-Type": "application/json"})
        await problem_of(answer, 401)
        asked += 1
    assert asked > 20


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "br-ish"},
    ],
)
async def test_other_media_types_answer_415(world: World, headers: dict[str, str]) -> None:
    response = await world.http.post(REGISTER, data=b"{}", headers=headers)
    assert (await problem_of(response, 415))["code"] == "unsupported_media_type"


async def test_64_code_points_are_a_password_in_any_script(world: World) -> None:
    body = {"username": "ada", "password": "😀" * 64}
    assert (await world.http.post(REGISTER, json=body)).status == 201
    assert (await world.http.post(LOGIN, json=body)).status == 200
    assert (await world.http.post(LOGIN, json={**body, "password": "😀" * 63})).status == 401


async def test_login_completes_a_profile_that_a_crash_left_out(world: World) -> None:
    user = await world.register("ada")
    other = await world.storage.accounts.by_user_id(user.id)
    assert other is not None
    lost = orjson.loads(orjson.dumps(other))
    lost.update(user_id="018f0000-0000-7000-8000-00000000000a", username="eve", profile_created=False)
    await world.storage.accounts.create(type(other)(**lost))
    response = await world.http.post(LOGIN, json={"username": "eve", "password": PASSWORD})
    assert response.status == 200
    auth = {"Authorization": f"Bearer {(await response.json())['accessToken']}"}
    assert (await world.http.get(f"/v1/users/{lost['user_id']}", headers=auth)).status == 200


async def test_a_profile_that_is_there_but_not_marked_is_recognised(world: World) -> None:
    user = await world.register("ada", firstName="Ada")
    account = await world.storage.accounts.by_user_id(user.id)
    assert account is not None
    world.storage.accounts._accounts[user.id] = type(account)(
        **{**orjson.loads(orjson.dumps(account)), "profile_created": False}
    )
    assert (await world.http.post(LOGIN, json={"username": "ada", "password": PASSWORD})).status == 200
    profile = await (await world.http.get(f"/v1/users/{user.id}", headers=user.auth)).json()
    assert profile["firstName"] == "Ada"


async def test_a_flood_of_logins_is_bounded_and_does_not_stop_the_loop() -> None:
    cost = PasswordCost(threads=2, queue_max=20)
    async with a_world(cost) as world:
        await world.register("ada")
        turns = 0
        running = True

        async def watch() -> None:
            nonlocal turns
            while running:
                await asyncio.sleep(0.002)
                turns += 1

        watcher = asyncio.create_task(watch())
        body = {"username": "ada", "password": PASSWORD}
        responses = await asyncio.gather(*(world.http.post(LOGIN, json=body) for _ in range(200)))
        running = False
        await watcher
        statuses = [response.status for response in responses]
        assert set(statuses) == {200, 503}
        assert statuses.count(200) >= 22
        refused = next(response for response in responses if response.status == 503)
        assert (await problem_of(refused, 503))["code"] == "overloaded"
        assert int(refused.headers["Retry-After"]) >= 1
        # Had the loop done the hashing, it would have had a turn or two per hash.
        assert turns > 3 * statuses.count(200), turns


async def test_a_full_queue_is_a_rejection_of_the_service(world: World) -> None:
    world.passwords._under_way_max = 0
    answer = await world.passwords.hash(PASSWORD)
    assert isinstance(answer, Rejection)
    assert answer.code is ErrorCode.OVERLOADED
    response = await world.http.post(REGISTER, json={"username": "ada", "password": PASSWORD})
    assert (await problem_of(response, 503))["retryable"] is True


async def test_a_user_is_found_by_the_whole_name_in_any_case(world: World) -> None:
    ada = await world.register("ada")
    found = await (await world.http.get("/v1/users?username=ADA", headers=ada.auth)).json()
    assert found == [{"userId": ada.id, "username": "ada"}]
    assert await (await world.http.get("/v1/users?username=adalbert", headers=ada.auth)).json() == []


@pytest.mark.parametrize("query", ["", "?username=", "?username=a%25", "?name=ada", "?username=ada&limit=3"])
async def test_users_cannot_be_listed(world: World, query: str) -> None:
    ada = await world.register("ada")
    await problem_of(await world.http.get(f"/v1/users{query}", headers=ada.auth), 400)


async def test_strangers_find_nobody(world: World) -> None:
    await problem_of(await world.http.get("/v1/users?username=ada"), 401)
