"""Bots and their tokens: made, used, limited, revoked; and nothing of them leaks."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.members import AddMember, ChangeMemberRole
from protocol.roles import EditRole
from protocol.tasks import CreateTask
from server.auth.opaque import ApiTokenText, RefreshToken
from server.rate_limits import RateLimits
from tests.server.world import PASSWORD, User, World, a_world, problem_of

BOTS = "/v1/bots"


async def a_bot(world: World, owner: User, name: str = "builder", **headers: str) -> dict[str, Any]:
    response = await world.http.post(BOTS, json={"username": name}, headers={**owner.auth, **headers})
    answer: dict[str, Any] = await response.json()
    assert response.status == 201, answer
    return answer


async def a_token(world: World, owner: User, bot_id: str, **wanted: Any) -> dict[str, Any]:
    body = {"name": "ci", "scopes": ["read", "write"], **wanted}
    response = await world.http.post(f"{BOTS}/{bot_id}/tokens", json=body, headers=owner.auth)
    answer: dict[str, Any] = await response.json()
    assert response.status == 201, answer
    return answer


def bearer(token: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {token['token']}"}


async def test_a_bot_is_known_by_its_own_name(world: World) -> None:
    ada, eve = await world.register("ada"), await world.register("eve")
    bot = await a_bot(world, ada)
    assert set(bot) == {"userId", "username", "ownerId", "createdAt"}
    assert bot["ownerId"] == ada.id
    shown = await (await world.http.get(f"/v1/users/{bot['userId']}", headers=eve.auth)).json()
    assert shown["username"] == "builder"
    assert await (await world.http.get(BOTS, headers=ada.auth)).json() == [bot]
    assert await (await world.http.get(BOTS, headers=eve.auth)).json() == []


async def test_what_a_bot_does_is_done_by_the_bot(world: World) -> None:
    ada = await world.register("ada")
    project = await world.project(ada)
    bot = await a_bot(world, ada)
    token = await a_token(world, ada, bot["userId"])
    path = f"/v1/projects/{project['id']}"
    await problem_of(await world.http.get(path, headers=bearer(token)), 404)
    await world.send(ada, project["id"], AddMember(user_id=bot["userId"], role="admin"))
    assert (await world.http.get(path, headers=bearer(token))).status == 200
    response = await world.http.put(path, json={"name": "Zeus"}, headers=bearer(token))
    assert response.status == 200
    newest = (await world.storage.journal.read(f"project/{project['id']}", 0, 10))[-1]
    assert newest.author == bot["userId"]


async def test_a_demoted_person_gets_nothing_back_by_their_bot(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    project = await world.project(bob)
    await world.send(bob, project["id"], AddMember(user_id=ada.id, role="admin"))
    bot = await a_bot(world, ada)
    await world.send(ada, project["id"], AddMember(user_id=bot["userId"], role="admin"))
    older = await a_token(world, ada, bot["userId"])
    path, edit = f"/v1/projects/{project['id']}", {"name": "Zeus"}
    assert (await world.http.put(path, json=edit, headers=bearer(older))).status == 200
    await world.send(bob, project["id"], ChangeMemberRole(user_id=ada.id, role="viewer"))
    newer = await a_token(world, ada, bot["userId"])
    again = {"type": "ChangeMemberRole", "data": {"userId": ada.id, "role": "admin"}}
    for token in (older, newer):
        await problem_of(await world.http.post(f"{path}/commands", json=again, headers=bearer(token)), 403)
        assert (await world.http.get(path, headers=bearer(token))).status == 200
    await world.send(bob, project["id"], ChangeMemberRole(user_id=ada.id, role="admin"))
    assert (await world.http.put(path, json={"name": "Hera"}, headers=bearer(older))).status == 200


async def test_an_owner_does_not_leave_the_project_to_their_bot(world: World) -> None:
    ada = await world.register("ada")
    project = await world.project(ada)
    bot = await a_bot(world, ada)
    await world.send(ada, project["id"], AddMember(user_id=bot["userId"], role="owner"))
    for type_, data, reason in (
        ("ChangeMemberRole", {"userId": ada.id, "role": "viewer"}, "last_owner"),
        ("RemoveMember", {"userId": ada.id}, "last_owner"),
        ("TransferOwnership", {"userId": bot["userId"]}, "own_transfer"),
    ):
        body = {"type": type_, "data": data}
        response = await world.http.post(f"/v1/projects/{project['id']}/commands", json=body, headers=ada.auth)
        assert (await problem_of(response, 422))["details"]["reason"] == reason


async def test_a_bots_invitation_ends_once_its_owner_could_not_make_it(world: World) -> None:
    ada, bob, cyd = [await world.register(name) for name in ("ada", "bob", "cyd")]
    project = await world.project(bob)
    await world.send(bob, project["id"], AddMember(user_id=ada.id, role="admin"))
    bot = await a_bot(world, ada)
    await world.send(ada, project["id"], AddMember(user_id=bot["userId"], role="admin"))
    path = f"/v1/projects/{project['id']}/commands"
    invite = {"type": "InviteMember", "data": {"userId": cyd.id, "role": "admin"}}
    response = await world.http.post(path, json=invite, headers=bearer(await a_token(world, ada, bot["userId"])))
    accept = {"type": "AcceptInvitation", "data": {"invitationId": (await response.json())["result"]["invitationId"]}}
    assert len(await (await world.http.get("/v1/invitations", headers=cyd.auth)).json()) == 1
    await world.send(bob, project["id"], ChangeMemberRole(user_id=ada.id, role="viewer"))
    assert await (await world.http.get("/v1/invitations", headers=cyd.auth)).json() == []
    await problem_of(await world.http.post(path, json=accept, headers=cyd.auth), 404)


async def test_a_bots_invitation_is_void_once_its_owners_role_does_not_allow_it(world: World) -> None:
    ada, bob, cyd = [await world.register(name) for name in ("ada", "bob", "cyd")]
    project = await world.project(bob)
    role = {"name": "Host", "permissions": ["member.add"]}
    path = f"/v1/projects/{project['id']}/commands"
    defined = await world.http.post(path, json={"type": "DefineRole", "data": role}, headers=bob.auth)
    role_id = (await defined.json())["result"]["roleId"]
    await world.send(bob, project["id"], AddMember(user_id=ada.id, role=role_id))
    bot = await a_bot(world, ada)
    await world.send(bob, project["id"], AddMember(user_id=bot["userId"], role="admin"))
    invite = {"type": "InviteMember", "data": {"userId": cyd.id, "role": "viewer"}}
    response = await world.http.post(path, json=invite, headers=bearer(await a_token(world, ada, bot["userId"])))
    accept = {"type": "AcceptInvitation", "data": {"invitationId": (await response.json())["result"]["invitationId"]}}
    await world.send(bob, project["id"], EditRole(role_id=role_id, permissions=["task.add"]))
    problem = await problem_of(await world.http.post(path, json=accept, headers=cyd.auth), 422)
    assert problem["details"]["reason"] == "invitation_void"


async def test_an_invited_bot_accepts(world: World) -> None:
    ada = await world.register("ada")
    project, bot = await world.project(ada), await a_bot(world, ada)
    as_bot = bearer(await a_token(world, ada, bot["userId"]))
    path = f"/v1/projects/{project['id']}/commands"
    invite = {"type": "InviteMember", "data": {"userId": bot["userId"], "role": "member"}}
    assert (await world.http.post(path, json=invite, headers=ada.auth)).status == 200
    [own] = await (await world.http.get("/v1/invitations", headers=as_bot)).json()
    accept = {"type": "AcceptInvitation", "data": {"invitationId": own["id"]}}
    assert (await world.http.post(path, json=accept, headers=as_bot)).status == 200
    assert (await world.http.get(f"/v1/projects/{project['id']}", headers=as_bot)).status == 200


async def test_a_token_is_shown_once_and_kept_as_a_hash(world: World) -> None:
    ada = await world.register("ada")
    bot = await a_bot(world, ada)
    token = await a_token(world, ada, bot["userId"], name="nightly", scopes=["write", "read"])
    listed = await (await world.http.get(f"{BOTS}/{bot['userId']}/tokens", headers=ada.auth)).json()
    assert listed == [{name: value for name, value in token.items() if name != "token"}]
    assert listed[0]["scopes"] == ["read", "write"]
    kept = await world.storage.api_tokens.by_id(token["tokenId"])
    assert kept is not None
    assert token["token"] not in repr(kept)


async def test_the_same_request_again_makes_no_second_bot_and_tells_no_token_twice(world: World) -> None:
    ada = await world.register("ada")
    key = {"Idempotency-Key": "once"}
    bot = await a_bot(world, ada, **key)
    assert await a_bot(world, ada, **key) == bot
    response = await world.http.post(BOTS, json={"username": "another"}, headers={**ada.auth, **key})
    assert (await problem_of(response, 409))["code"] == "op_id_reused"
    path, body = f"{BOTS}/{bot['userId']}/tokens", {"name": "ci", "scopes": ["read"]}
    responses = [await world.http.post(path, json=body, headers={**ada.auth, "Idempotency-Key": "t"}) for _ in range(2)]
    assert responses[0].status == 201
    await problem_of(responses[1], 409)
    assert len(await (await world.http.get(path, headers=ada.auth)).json()) == 1


async def test_scopes_and_projects_hold(world: World) -> None:
    ada = await world.register("ada")
    mine, other = await world.project(ada, "Apollo"), await world.project(ada, "Zeus")
    bot = await a_bot(world, ada)
    for project in (mine, other):
        await world.send(ada, project["id"], AddMember(user_id=bot["userId"], role="admin"))
    reading = bearer(await a_token(world, ada, bot["userId"], scopes=["read"]))
    writing = bearer(await a_token(world, ada, bot["userId"], scopes=["write"]))
    limited = bearer(await a_token(world, ada, bot["userId"], projectIds=[mine["id"]]))
    for headers, method, path, status in (
        (reading, "GET", f"/v1/projects/{mine['id']}", 200),
        (reading, "PUT", f"/v1/projects/{mine['id']}", 403),
        (writing, "PUT", f"/v1/projects/{mine['id']}", 200),
        (writing, "GET", f"/v1/users/{ada.id}", 200),
        (limited, "GET", f"/v1/links/{mine['key']}", 200),
        (limited, "GET", f"/v1/links/{other['key']}", 404),
        (limited, "GET", f"/v1/projects/{mine['id']}", 200),
        (limited, "GET", f"/v1/projects/{other['id']}", 403),
        (limited, "PUT", f"/v1/projects/{other['id']}", 403),
        (limited, "GET", "/v1/projects", 403),
        (limited, "GET", f"/v1/users/{ada.id}", 200),
    ):
        body = {"name": "New"} if method == "PUT" else None
        response = await world.http.request(method, path, json=body, headers=headers)
        assert response.status == status, (method, path, await response.text())


async def test_a_revoked_token_opens_nothing_at_once(world: World) -> None:
    ada = await world.register("ada")
    bot = await a_bot(world, ada)
    first, second = await a_token(world, ada, bot["userId"]), await a_token(world, ada, bot["userId"])
    for token in (first, second):
        assert (await world.http.get("/v1/projects", headers=bearer(token))).status == 200
    path = f"{BOTS}/{bot['userId']}/tokens/{first['tokenId']}"
    assert (await world.http.delete(path, headers=ada.auth)).status == 204
    await problem_of(await world.http.get("/v1/projects", headers=bearer(first)), 401)
    assert (await world.http.get("/v1/projects", headers=bearer(second))).status == 200
    await problem_of(await world.http.delete(path, headers=ada.auth), 404)


async def test_a_token_ends_when_it_was_said_to(world: World) -> None:
    ada = await world.register("ada")
    bot = await a_bot(world, ada)
    token = await a_token(world, ada, bot["userId"], expiresAt="2027-01-15T09:00:00Z")
    assert (await world.http.get("/v1/projects", headers=bearer(token))).status == 200
    world.clock.now_s += 3600
    assert (await problem_of(await world.http.get("/v1/projects", headers=bearer(token)), 401))[
        "code"
    ] == "token_expired"
    body = {"name": "ci", "scopes": ["read"], "expiresAt": "2020-01-01T00:00:00Z"}
    fresh = {"Authorization": f"Bearer {await fresh_token(world)}"}
    await problem_of(await world.http.post(f"{BOTS}/{bot['userId']}/tokens", json=body, headers=fresh), 422)


async def fresh_token(world: World) -> str:
    response = await world.http.post("/v1/users/login", json={"username": "ada", "password": PASSWORD})
    return str((await response.json())["accessToken"])


async def test_bots_are_their_owner_s_and_make_no_bots(world: World) -> None:
    ada, eve = await world.register("ada"), await world.register("eve")
    bot = await a_bot(world, ada)
    token = await a_token(world, ada, bot["userId"])
    tokens = f"{BOTS}/{bot['userId']}/tokens"
    body = {"name": "ci", "scopes": ["read"]}
    operator = {"Authorization": f"Bearer {world.admin_token}"}
    for headers, method, path, status in (
        (eve.auth, "GET", tokens, 404),
        (eve.auth, "POST", tokens, 404),
        (eve.auth, "DELETE", f"{tokens}/{token['tokenId']}", 404),
        (ada.auth, "GET", f"{BOTS}/{eve.id}/tokens", 404),
        (ada.auth, "POST", f"{BOTS}/{ada.id}/tokens", 404),
        (bearer(token), "GET", BOTS, 403),
        (bearer(token), "POST", tokens, 403),
        (bearer(token), "DELETE", f"{tokens}/{token['tokenId']}", 403),
        (bearer(token), "POST", "/v1/users/logout", 403),
        (operator, "GET", tokens, 200),
        (operator, "GET", BOTS, 403),
        ({}, "GET", tokens, 401),
    ):
        sent = body if method == "POST" and "tokens" in path else None
        response = await world.http.request(method, path, json=sent, headers=headers)
        assert response.status == status, (method, path, await response.text())
    response = await world.http.post(BOTS, json={"username": "another"}, headers=bearer(token))
    await problem_of(response, 403)


async def test_the_operator_looks_after_everybodys_bots_and_people_after_their_own(world: World) -> None:
    ada, eve = await world.register("ada"), await world.register("eve")
    operator = {"Authorization": f"Bearer {world.admin_token}"}
    wanted = {"username": "builder", "ownerId": ada.id}
    response = await world.http.post(BOTS, json=wanted, headers={**operator, "Idempotency-Key": "once"})
    bot = await response.json()
    assert (response.status, bot["ownerId"]) == (201, ada.id)
    again = await world.http.post(BOTS, json=wanted, headers={**operator, "Idempotency-Key": "once"})
    assert await again.json() == bot
    of_ada = f"{BOTS}?ownerId={ada.id}"
    for headers in (operator, ada.auth):
        assert await (await world.http.get(of_ada, headers=headers)).json() == [bot]
    token = await a_token(world, ada, bot["userId"])
    for headers, owner_id, status in (
        (operator, world.new_id(), 404),
        (operator, bot["userId"], 403),
        (eve.auth, ada.id, 403),
        (bearer(token), ada.id, 403),
    ):
        await problem_of(await world.http.get(f"{BOTS}?ownerId={owner_id}", headers=headers), status)
        body = {"username": "other", "ownerId": owner_id}
        await problem_of(await world.http.post(BOTS, json=body, headers=headers), status)


async def test_no_password_opens_a_bot(world: World) -> None:
    ada = await world.register("ada")
    await a_bot(world, ada)
    for password in ("", "!", PASSWORD):
        response = await world.http.post("/v1/users/login", json={"username": "builder", "password": password})
        await problem_of(response, 401)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ci", "scopes": []},
        {"name": "ci", "scopes": ["admin"]},
        {"name": "ci", "scopes": ["read", "read"]},
        {"name": "", "scopes": ["read"]},
        {"scopes": ["read"]},
        {"name": "ci", "scopes": ["read"], "projectIds": []},
        {"name": "ci", "scopes": ["read"], "projectIds": ["x"]},
        {"name": "ci", "scopes": ["read"], "expiresAt": "tomorrow"},
        {"name": "ci", "scopes": ["read"], "token": "mine"},
    ],
)
async def test_what_is_no_token_request_answers_400(world: World, body: dict[str, Any]) -> None:
    ada = await world.register("ada")
    bot = await a_bot(world, ada)
    await problem_of(await world.http.post(f"{BOTS}/{bot['userId']}/tokens", json=body, headers=ada.auth), 400)


async def test_wrong_tokens_are_refused_and_count_as_tries(world: World) -> None:
    async with a_world(rate_limits=RateLimits(logins_per_address_max=5)) as limited:
        ada = await limited.register("ada")
        bot = await a_bot(limited, ada)
        token = await a_token(limited, ada, bot["userId"])
        for _ in range(10):
            assert (await limited.http.get("/v1/projects", headers=bearer(token))).status == 200
        other = await a_token(limited, ada, bot["userId"])
        forged = {"token": other["token"][:-8] + "AAAAAAAA"}
        statuses = [(await limited.http.get("/v1/projects", headers=bearer(forged))).status for _ in range(6)]
        assert statuses == [401] * 4 + [429] * 2, "registering was the first"
        assert (await limited.http.get("/v1/projects", headers=bearer(token))).status == 200, "known by heart"


async def test_a_bot_s_tasks_name_it_as_author(world: World) -> None:
    ada = await world.register("ada")
    project = await world.project(ada)
    bot = await a_bot(world, ada)
    await world.send(ada, project["id"], AddMember(user_id=bot["userId"], role="member"))
    builder = User(bot["userId"], "builder", "")
    done = await world.send(builder, project["id"], CreateTask(title="by the bot"))
    entry = (await world.storage.journal.read(f"project/{project['id']}", done.cursor.seq - 1, 1))[0]
    assert entry.author == bot["userId"]


def test_the_secret_shows_in_no_repr() -> None:
    for token in (ApiTokenText.new(BOTS), RefreshToken.new(BOTS)):
        assert "secret" not in repr(token)


async def test_who_is_removed_reads_on_through_no_bot(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob_b")
    project = await world.project(ada)
    bot = await a_bot(world, bob)
    token = await a_token(world, bob, bot["userId"])
    path = f"/v1/projects/{project['id']}"
    for user_id in (bob.id, bot["userId"]):
        await world.send(ada, project["id"], AddMember(user_id=user_id, role="member"))
    assert (await world.http.get(path, headers=bearer(token))).status == 200
    removal = {"type": "RemoveMember", "data": {"userId": bob.id}}
    assert (await world.http.post(f"{path}/commands", json=removal, headers=ada.auth)).status == 200
    await problem_of(await world.http.get(path, headers=bearer(token)), 404)
