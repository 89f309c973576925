"""Invitations over REST: by user, by e-mail with a token, and the lists of both sides."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.derived_ids import derived_id
from protocol.invitations import InviteMember
from protocol.members import AddMember, RemoveMember
from protocol.projects import EditProject
from server.rest.pages import PageSizes
from storage.memory.invitations import MemoryInvitationSecrets
from tests.server.world import CHEAP, User, World, a_world, next_of, problem_of

TOKEN, OTHER_TOKEN = "t" * 43, "o" * 43
MAIL = {"email": "eve@example.org", "token": TOKEN, "role": "member"}


async def command(world: World, user: User, project_id: str, type_: str, data: Any, **headers: str) -> Any:
    return await world.http.post(
        f"/v1/projects/{project_id}/commands", json={"type": type_, "data": data}, headers={**user.auth, **headers}
    )


async def invited(world: World, by: User, project_id: str, data: Any, **headers: str) -> str:
    response = await command(world, by, project_id, "InviteMember", data, **headers)
    answer = await response.json()
    assert response.status == 200, answer
    invitation_id: str = answer["result"]["invitationId"]
    return invitation_id


async def test_an_invited_user_sees_it_accepts_and_is_in(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    project_id = (await world.project(ada))["id"]
    invitation_id = await invited(world, ada, project_id, {"userId": bob.id, "role": "member"})
    await problem_of(await world.http.get(f"/v1/projects/{project_id}", headers=bob.auth), 404)
    await problem_of(await world.http.get(f"/v1/projects/{project_id}/invitations", headers=bob.auth), 404)
    pending = await (await world.http.get(f"/v1/projects/{project_id}/invitations", headers=ada.auth)).json()
    assert [(one["id"], one["userId"], one["role"]) for one in pending] == [(invitation_id, bob.id, "member")]
    [own] = await (await world.http.get("/v1/invitations", headers=bob.auth)).json()
    assert (own["id"], own["projectId"], own["projectName"]) == (invitation_id, project_id, "Apollo")
    assert await (await world.http.get("/v1/invitations", headers=ada.auth)).json() == []
    accepted = await command(world, bob, project_id, "AcceptInvitation", {"invitationId": invitation_id})
    assert accepted.status == 200
    assert (await world.http.get(f"/v1/projects/{project_id}", headers=bob.auth)).status == 200
    assert await (await world.http.get("/v1/invitations", headers=bob.auth)).json() == []


async def test_the_past_knows_who_was_invited_then(world: World) -> None:
    ada, bob, cyd = [await world.register(name) for name in ("ada", "bob", "cyd")]
    project_id = (await world.project(ada))["id"]
    for user in (bob, cyd):
        await invited(world, ada, project_id, {"userId": user.id, "role": "viewer"})
    path = f"/v1/projects/{project_id}/invitations"
    counts = []
    for seq in (1, 2, 3):
        response = await world.http.get(f"{path}?asOf={seq}&limit=1", headers=ada.auth)
        link = next_of(response)
        rest = await (await world.http.get(link, headers=ada.auth)).json() if link else []
        counts.append(len(await response.json()) + len(rest))
    assert counts == [0, 1, 2]


async def test_a_removed_person_does_not_come_back_by_an_old_invitation(world: World) -> None:
    ada, cyd = await world.register("ada"), await world.register("cyd")
    project_id = (await world.project(ada))["id"]
    invitation_id = await invited(world, ada, project_id, {"userId": cyd.id, "role": "admin"})
    await world.send(ada, project_id, AddMember(user_id=cyd.id, role="viewer"))
    assert await (await world.http.get("/v1/invitations", headers=cyd.auth)).json() == []
    await world.send(ada, project_id, RemoveMember(user_id=cyd.id))
    again = await command(world, cyd, project_id, "AcceptInvitation", {"invitationId": invitation_id})
    await problem_of(again, 404)


async def test_a_token_makes_a_member_once_and_a_wrong_one_tells_nothing(world: World) -> None:
    ada, eve, mallory = [await world.register(name) for name in ("ada", "eve", "mallory")]
    project_id = (await world.project(ada))["id"]
    invitation_id = await invited(world, ada, project_id, MAIL, **{"Idempotency-Key": "once"})
    assert await invited(world, ada, project_id, MAIL, **{"Idempotency-Key": "once"}) == invitation_id
    wrong = {"invitationId": invitation_id, "token": OTHER_TOKEN}
    for data in (wrong, {"invitationId": invitation_id}, {"invitationId": ada.id, "token": TOKEN}):
        problem = await problem_of(await command(world, mallory, project_id, "AcceptInvitation", data), 404)
        assert problem["detail"] == "no such project"
    shown = {"invitationId": invitation_id, "token": TOKEN}
    assert (await command(world, eve, project_id, "AcceptInvitation", shown)).status == 200
    await problem_of(await command(world, mallory, project_id, "AcceptInvitation", shown), 404)


async def test_an_address_is_kept_for_who_may_invite_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, mallory = await world.register("ada"), await world.register("mallory")
    project_id = (await world.project(ada))["id"]
    kept: list[str] = []
    keep = MemoryInvitationSecrets.keep

    async def counted(self: MemoryInvitationSecrets, secret: Any, forget_before: str) -> bool:
        kept.append(secret.invitation_id)
        return await keep(self, secret, forget_before)

    monkeypatch.setattr(MemoryInvitationSecrets, "keep", counted)
    await problem_of(await command(world, mallory, project_id, "InviteMember", MAIL), 404)
    assert kept == []
    first = await invited(world, ada, project_id, MAIL)
    taken = {**MAIL, "invitationId": first, "token": OTHER_TOKEN}
    await problem_of(await command(world, ada, project_id, "InviteMember", taken), 409)
    assert kept == [first, first]


async def test_who_foresees_the_id_of_an_invitation_by_mail_cannot_use_it_up(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    project_id = (await world.project(ada))["id"]
    await world.add(ada, project_id, bob, "admin")
    foreseen = {**MAIL, "invitationId": derived_id(ada.id, "invitation of the day")}
    problem = await problem_of(
        await command(world, bob, project_id, "InviteMember", {**foreseen, "token": OTHER_TOKEN}), 400
    )
    assert [error["field"] for error in problem["details"]["errors"]] == ["invitationId"]
    assert await invited(world, ada, project_id, foreseen) == foreseen["invitationId"]


async def test_both_lists_come_page_by_page() -> None:
    async with a_world(CHEAP, PageSizes(2, 2)) as world:
        ada, bob = await world.register("ada"), await world.register("bob")
        projects = [await world.project(ada, f"Project {number}") for number in range(3)]
        for project in projects:
            await world.send(ada, project["id"], InviteMember(user_id=bob.id, role="viewer"))
        last = projects[-1]["id"]
        for name in ("carol", "dave"):
            guest = await world.register(name)
            await world.send(ada, last, InviteMember(user_id=guest.id, role="viewer"))
        for user, start in ((bob, "/v1/invitations"), (ada, f"/v1/projects/{last}/invitations")):
            found: list[str] = []
            path: str | None = start
            while path is not None:
                response = await world.http.get(path, headers=user.auth)
                found += [one["id"] for one in await response.json()]
                path = next_of(response)
            assert len(set(found)) == len(found) == 3


async def test_every_way_to_read_shows_invitations_to_the_same_people(world: World) -> None:
    ada, bob, cyd = [await world.register(name) for name in ("ada", "bob", "cyd")]
    project_id = (await world.project(ada))["id"]
    invitation_id = await invited(world, ada, project_id, {"userId": cyd.id, "role": "admin"})
    await invited(world, ada, project_id, MAIL)
    path = f"/v1/projects/{project_id}"
    ways = ("/invitations", "/activity", "/events", "/export", "/diff?from=1")
    for way in ways:
        await problem_of(await world.http.get(path + way, headers=bob.auth), 404)
    await world.send(ada, project_id, EditProject(visibility="public"))
    for way in ways:
        response = await world.http.get(path + way, headers=bob.auth)
        text = await response.text()
        assert (response.status, invitation_id in text, cyd.id in text) == (200, True, True), way
        assert TOKEN not in text
        assert MAIL["email"] not in text
