"""A walk through a list goes on whatever is taken away, or comes back, between two pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from protocol.custom_fields import DefineField, RemoveField
from protocol.event import Command
from protocol.links import AddLink, RemoveLink
from protocol.members import AddMember, RemoveMember
from protocol.milestones import CreateMilestone, DeleteMilestone
from protocol.roles import DefineRole, RemoveRole
from protocol.tasks import CreateTask
from tests.server.world import User, World, next_of

COUNT = 6


@dataclass(frozen=True, slots=True)
class Kind:
    """A list of a project: how six are made, and how one is taken away."""

    make: Callable[[World, User, str, int], Awaitable[Command]]
    remove: Callable[[str], Command]
    id_of: str = "id"


async def _milestone(world: World, user: User, project_id: str, number: int) -> Command:
    return CreateMilestone(name=f"Version {number}")


async def _field(world: World, user: User, project_id: str, number: int) -> Command:
    return DefineField(name=f"Field {number}", type="text")


async def _role(world: World, user: User, project_id: str, number: int) -> Command:
    return DefineRole(name=f"Role {number}", permissions=["task.add"])


async def _link(world: World, user: User, project_id: str, number: int) -> Command:
    ends = [(await world.send(user, project_id, CreateTask(title="x"))).result["taskId"] for _ in range(2)]
    return AddLink(task_id=ends[0], other_id=ends[1], type="relates")


async def _member(world: World, user: User, project_id: str, number: int) -> Command:
    return AddMember(user_id=(await world.register(f"bob{number}")).id, role="member")


KINDS: Mapping[str, Kind] = {
    "milestones": Kind(_milestone, lambda one: DeleteMilestone(milestone_id=one)),
    "fields": Kind(_field, lambda one: RemoveField(field_id=one)),
    "roles": Kind(_role, lambda one: RemoveRole(role_id=one)),
    "links": Kind(_link, lambda one: RemoveLink(link_id=one)),
    "members": Kind(_member, lambda one: RemoveMember(user_id=one), "userId"),
}


async def _listed(world: World, user: User, name: str) -> tuple[str, str]:
    """A project with six of them, and the address of their list."""
    project_id = (await world.project(user))["id"]
    for number in range(COUNT):
        world.clock.now_s += 1
        await world.send(user, project_id, await KINDS[name].make(world, user, project_id, number))
    return project_id, f"/v1/projects/{project_id}/{name}"


async def _page(world: World, user: User, path: str) -> tuple[Sequence[dict[str, Any]], str | None]:
    response = await world.http.get(path, headers=user.auth)
    assert response.status == 200, await response.text()
    return await response.json(), next_of(response)


async def _rest(world: World, user: User, path: str | None) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    while path is not None:
        page, path = await _page(world, user, path)
        items += page
    return items


@pytest.mark.parametrize("name", KINDS)
async def test_it_goes_on_behind_what_is_taken_away(world: World, name: str) -> None:
    ada = await world.register("ada")
    project_id, path = await _listed(world, ada, name)
    own, id_of = await _rest(world, ada, path), KINDS[name].id_of
    # Built-in roles and the owner cannot be taken away.
    kept = [one for one in own if one.get("builtIn") or one.get("role") == "owner"]
    size = next(place for place, one in enumerate(own, 1) if one not in kept)
    page, behind = await _page(world, ada, f"{path}?limit={size}")
    await world.send(ada, project_id, KINDS[name].remove(page[-1][id_of]))
    assert [*page, *await _rest(world, ada, behind)] == own


@pytest.mark.parametrize("name", ["milestones", "fields", "links"])
@pytest.mark.parametrize("place", [0, 1])
async def test_what_comes_back_is_neither_told_twice_nor_hides_others(world: World, name: str, place: int) -> None:
    ada = await world.register("ada")
    project_id, path = await _listed(world, ada, name)
    own = await _rest(world, ada, path)
    page, behind = await _page(world, ada, f"{path}?limit=2")
    removal = KINDS[name].remove(page[place]["id"])
    body = {"type": type(removal).__name__, "data": removal.as_json()}
    removed = await world.http.post(f"/v1/projects/{project_id}/commands", json=body, headers=ada.auth)
    assert removed.status == 200, await removed.text()
    undoing = {"opId": removed.headers["Op-Id"]}
    undone = await world.http.post(f"/v1/projects/{project_id}/undo", json=undoing, headers=ada.auth)
    assert undone.status == 200, await undone.text()
    assert [*page, *await _rest(world, ada, behind)] == own
    assert await _rest(world, ada, path) == own


async def test_tokens_are_walked_past_one_that_is_gone(world: World) -> None:
    ada = await world.register("ada")
    bots = [await _made(world, ada, "/v1/bots", {"username": f"bot{number}"}) for number in range(3)]
    assert await _rest(world, ada, "/v1/bots?limit=1") == sorted(bots, key=lambda bot: bot["userId"])
    path = f"/v1/bots/{bots[0]['userId']}/tokens"
    for number in range(4):
        await _made(world, ada, path, {"name": f"token {number}", "scopes": ["read"]})
    tokens = await _rest(world, ada, path)
    page, behind = await _page(world, ada, f"{path}?limit=2")
    gone = await world.http.delete(f"{path}/{page[-1]['tokenId']}", headers=ada.auth)
    assert gone.status == 204
    assert [*page, *await _rest(world, ada, behind)] == tokens


async def _made(world: World, user: User, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = await world.http.post(path, json=body, headers=user.auth)
    answer: dict[str, Any] = await response.json()
    assert response.status == 201, answer
    return answer
