"""`/v1/projects/{id}/roles`."""

from __future__ import annotations

from protocol.members import AddMember
from protocol.roles import DefineRole
from tests.server.rest.test_tasks import pages
from tests.server.world import World, problem_of


async def test_roles_are_listed_to_members_alone(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    project_id = (await world.project(ada))["id"]
    path = f"/v1/projects/{project_id}/roles"
    made = await world.send(ada, project_id, DefineRole(name="Cook", permissions=["task.add"]))
    await problem_of(await world.http.get(path, headers=bob.auth), 404)
    await problem_of(await world.http.get(path), 401)
    await world.send(ada, project_id, AddMember(user_id=bob.id, role=made.result["roleId"]))
    response = await world.http.get(path, headers=bob.auth)
    listed = await response.json()
    assert [role["id"] for role in listed if role["builtIn"]] == ["owner", "admin", "member", "commenter", "viewer"]
    assert [role["name"] for role in listed if not role["builtIn"]] == ["Cook"]
    assert "task.add" in listed[-1]["permissions"]
    then = await world.http.get(f"{path}?asOf=1", headers=bob.auth)
    assert all(role["builtIn"] for role in await then.json())
    assert await pages(world, bob, f"{path}?limit=2") == listed
    await problem_of(await world.http.get(f"{path}?after=nobody", headers=bob.auth), 400)
