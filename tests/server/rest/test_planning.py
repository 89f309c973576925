"""Milestones, fields of a project's own and watched tasks over REST."""

from __future__ import annotations

from protocol.custom_fields import DefineField, RemoveField
from protocol.members import AddMember, RemoveMember
from protocol.milestones import CreateMilestone, DeleteMilestone, EditMilestone
from protocol.projects import DeleteProject
from protocol.tasks import CreateTask, EditTask
from protocol.watchers import UnwatchTask, WatchTask
from server.rest.pages import PageSizes
from tests.server.rest.test_tasks import NOBODY, pages
from tests.server.world import CHEAP, World, a_world, problem_of


async def test_milestones_come_in_pages_and_one_by_one() -> None:
    async with a_world(CHEAP, PageSizes(default=2, largest=5)) as world:
        ada = await world.register("ada")
        project = (await world.project(ada))["id"]
        path = f"/v1/projects/{project}/milestones"
        assert await pages(world, ada, path) == []
        for number in range(5):
            await world.send(ada, project, CreateMilestone(name=f"Version {number}"))
        listed = await pages(world, ada, path)
        assert [milestone["name"] for milestone in listed] == [f"Version {number}" for number in range(5)]
        one = f"{path}/{listed[0]['id']}"
        response = await world.http.get(one, headers=ada.auth)
        assert await response.json() == listed[0]
        tag = response.headers["ETag"]
        assert (await world.http.get(one, headers={**ada.auth, "If-None-Match": tag})).status == 304
        await problem_of(await world.http.get(f"{path}/{NOBODY}", headers=ada.auth), 404)
        await problem_of(await world.http.get(f"{path}/x", headers=ada.auth), 400)
        await problem_of(await world.http.get(f"{path}?after={NOBODY}", headers=ada.auth), 400)
        stranger = await world.register("eve")
        for address in (path, one):
            await problem_of(await world.http.get(address, headers=stranger.auth), 404)


async def test_milestones_are_read_as_of_a_point_of_the_past(world: World) -> None:
    ada = await world.register("ada")
    project = (await world.project(ada))["id"]
    path = f"/v1/projects/{project}/milestones"
    made = await world.send(ada, project, CreateMilestone(name="Beta"))
    milestone_id = made.result["milestoneId"]
    await world.send(ada, project, EditMilestone(milestone_id=milestone_id, status="Closed"))
    await world.send(ada, project, DeleteMilestone(milestone_id=milestone_id))
    assert await pages(world, ada, path) == []
    [then] = await pages(world, ada, f"{path}?asOf={made.cursor.seq}")
    assert (then["status"], then["closedAt"]) == ("Open", None)
    one = await world.http.get(f"{path}/{milestone_id}?asOf={made.cursor.seq + 1}", headers=ada.auth)
    assert (await one.json())["status"] == "Closed"


async def test_fields_come_whole_and_their_values_with_the_tasks(world: World) -> None:
    ada = await world.register("ada")
    project = (await world.project(ada))["id"]
    path = f"/v1/projects/{project}"
    field_id = (await world.send(ada, project, DefineField(name="Weight", type="number"))).result["fieldId"]
    await world.send(ada, project, CreateTask(title="x", fields={field_id: 2.5}))
    [field] = await pages(world, ada, f"{path}/fields")
    assert (field["id"], field["name"], field["type"], field["choices"]) == (field_id, "Weight", "number", [])
    [task] = await pages(world, ada, f"{path}/tasks")
    assert task["fields"] == {field_id: 2.5}
    removed = await world.send(ada, project, RemoveField(field_id=field_id))
    assert await pages(world, ada, f"{path}/fields") == []
    [task] = await pages(world, ada, f"{path}/tasks")
    assert task["fields"] == {}
    [then] = await pages(world, ada, f"{path}/tasks?asOf={removed.cursor.seq - 1}")
    assert then["fields"] == {field_id: 2.5}
    assert len(await pages(world, ada, f"{path}/fields?limit=1")) == len(await pages(world, ada, f"{path}/fields"))
    await problem_of(await world.http.get(f"{path}/fields?after={NOBODY}", headers=ada.auth), 400)
    stranger = await world.register("eve")
    await problem_of(await world.http.get(f"{path}/fields", headers=stranger.auth), 404)


async def test_what_one_watches_comes_from_all_projects_that_one_is_in() -> None:
    async with a_world(CHEAP, PageSizes(default=2, largest=5)) as world:
        ada, bob = await world.register("ada"), await world.register("bob")
        path = f"/v1/users/{bob.id}/watched"
        made: list[tuple[str, str]] = []
        for number in range(4):
            world.clock.now_s += 1
            project = (await world.project(ada, f"Project {number}"))["id"]
            await world.send(ada, project, AddMember(user_id=bob.id, role="viewer"))
            task_id = (await world.send(ada, project, CreateTask(title=f"Task {number}"))).result["taskId"]
            await world.send(bob, project, WatchTask(task_id=task_id))
            made.append((project, task_id))
        watched = await pages(world, bob, path)
        assert [task["title"] for task in watched] == ["Task 3", "Task 2", "Task 1", "Task 0"]
        assert watched[0]["projectId"] == made[3][0]
        await world.send(ada, made[0][0], EditTask(task_id=made[0][1], state_id="done"))
        assert [task["title"] for task in await pages(world, bob, path + "?open=false")] == ["Task 0"]
        assert len(await pages(world, bob, path + "?open=true")) == 3
        await world.send(ada, made[1][0], RemoveMember(user_id=bob.id))
        await world.send(ada, made[2][0], DeleteProject())
        await world.send(bob, made[3][0], UnwatchTask(task_id=made[3][1]))
        assert [task["title"] for task in await pages(world, bob, path)] == ["Task 0"]


async def test_what_one_watches_is_nobody_elses_business(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    path = f"/v1/users/{bob.id}/watched"
    await problem_of(await world.http.get(path, headers=ada.auth), 403)
    await problem_of(await world.http.get(path), 401)
    await problem_of(await world.http.get(path + "?after=x", headers=bob.auth), 400)
    await problem_of(await world.http.get("/v1/users/x/watched", headers=bob.auth), 400)
    operator = {"Authorization": f"Bearer {world.admin_token}"}
    assert await (await world.http.get(path, headers=operator)).json() == []
    world.lists.fresh = False
    problem = await problem_of(await world.http.get(path, headers=bob.auth), 503)
    assert problem["details"]["reason"] == "behind"
