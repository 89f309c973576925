"""The way back over REST: a project and a task as of a seq or a time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from aiohttp import ClientResponse

from protocol.comments import AddComment
from protocol.cursors import Cursor
from protocol.milestones import CreateMilestone, DeleteMilestone
from protocol.projects import DeleteProject, RestoreProject
from protocol.tasks import CreateTask, DeleteTask, EditTask
from tests.server.rest.test_tasks import pages
from tests.server.world import User, World, problem_of

NOBODY = "018f0000-0000-7000-8000-0000000000ff"


async def a_history(world: World, user: User) -> tuple[str, list[str], int]:
    """The address of a project, its tasks, and the seq before much was changed."""
    project = (await world.project(user))["id"]
    made = [await world.send(user, project, CreateTask(title=title)) for title in ("one", "two", "three")]
    tasks = [accepted.result["taskId"] for accepted in made]
    world.clock.now_s += 60
    await world.send(user, project, EditTask(task_id=tasks[0], title="changed", add_labels=["new"]))
    await world.send(user, project, DeleteTask(task_id=tasks[1]))
    await world.send(user, project, CreateTask(title="four"))
    return f"/v1/projects/{project}", tasks, made[-1].cursor.seq


async def titles(world: World, user: User, path: str) -> list[str]:
    return [task["title"] for task in await pages(world, user, f"{path}/tasks")]


async def test_a_time_knows_the_members_and_the_deletion_of_that_time(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    path, _, _ = await a_history(world, ada)
    project_id = path.rpartition("/")[2]
    alone = world.clock.now()
    world.clock.now_s += 60
    await world.add(ada, project_id, bob)
    together = world.clock.now()
    world.clock.now_s += 60
    await world.send(ada, project_id, DeleteProject())
    deleted = world.clock.now()
    world.clock.now_s += 60
    await world.send(ada, project_id, RestoreProject())

    async def is_deleted(at: str) -> bool:
        response = await world.http.get(f"{path}?asOf={at}&deleted=true", headers=ada.auth)
        return (await response.json())["deletedAt"] is not None

    assert [len(await pages(world, ada, f"{path}/members?asOf={at}")) for at in (alone, together)] == [1, 2]
    assert [await is_deleted(at) for at in (together, deleted, world.clock.now())] == [False, True, False]


async def test_a_project_goes_back_and_forth(world: World) -> None:
    ada = await world.register("ada")
    path, _, point = await a_history(world, ada)
    headers = {**ada.auth, "Idempotency-Key": "back-1"}
    back = await world.http.post(f"{path}/restore-to", json={"asOf": point}, headers=headers)
    assert back.status == 200, await back.text()
    first: dict[str, Any] = await back.json()
    assert first["result"] == {"seq": point, "remaining": 0, "left": []}
    assert await titles(world, ada, path) == ["one", "two", "three"]
    undone = await world.http.post(f"{path}/undo", json={"opId": back.headers["Op-Id"]}, headers=ada.auth)
    assert undone.status == 200, await undone.text()
    assert await titles(world, ada, path) == ["changed", "three", "four"]
    again = await world.http.post(f"{path}/restore-to", json={"asOf": point}, headers=headers)
    assert await again.json() == first, "a retry gets its first answer"
    assert await titles(world, ada, path) == ["changed", "three", "four"]
    activity = await (await world.http.get(f"{path}/activity?limit=2", headers=ada.auth)).json()
    assert [item["events"][0]["kind"] for item in activity] == ["CommandUndone", "ProjectRestoredTo"]


async def test_a_time_is_a_point_too(world: World) -> None:
    ada = await world.register("ada")
    path, _, point = await a_history(world, ada)
    then = (await pages(world, ada, f"{path}/tasks?asOf={point}"))[-1]["createdAt"]
    back = await world.http.post(f"{path}/restore-to", json={"asOf": then}, headers=ada.auth)
    assert (await back.json())["result"] == {"seq": point, "remaining": 0, "left": []}


async def test_a_day_is_its_first_moment_as_in_a_query(world: World) -> None:
    ada = await world.register("ada")
    path, _, _ = await a_history(world, ada)
    now = await world.http.get(path, headers=ada.auth)
    today = date.fromisoformat((await now.json())["createdAt"][:10])

    async def back_to(day: date) -> ClientResponse:
        seen = await world.http.get(f"{path}?asOf={day}", headers=ada.auth)
        back = await world.http.post(f"{path}/restore-to", json={"asOf": str(day)}, headers=ada.auth)
        assert back.status == seen.status, await back.text()
        return back

    await problem_of(await back_to(today), 404)
    head = Cursor.parse(now.headers["ETag"].strip('"').partition("-")[0])
    assert (await (await back_to(today + timedelta(days=1))).json())["result"]["seq"] == head.seq


async def test_a_task_goes_back_alone(world: World) -> None:
    ada = await world.register("ada")
    path, tasks, point = await a_history(world, ada)
    project = path.split("/")[3]
    milestone = (await world.send(ada, project, CreateMilestone(name="One"))).result["milestoneId"]
    planned = await world.send(ada, project, EditTask(task_id=tasks[0], milestone_id=milestone))
    await world.send(ada, project, AddComment(task_id=tasks[0], body="said since"))
    await world.send(ada, project, DeleteMilestone(milestone_id=milestone))
    one = f"{path}/tasks/{tasks[0]}"
    back = await world.http.post(f"{one}/restore-to", json={"asOf": point}, headers=ada.auth)
    assert (await back.json())["result"] == {"seq": point, "left": []}
    assert await titles(world, ada, path) == ["one", "three", "four"]
    assert len(await pages(world, ada, f"{one}/comments")) == 1
    back = await world.http.post(f"{one}/restore-to", json={"asOf": planned.cursor.seq}, headers=ada.auth)
    assert (await back.json())["result"]["left"] == ["milestoneId"]
    task = await (await world.http.get(one, headers=ada.auth)).json()
    assert (task["title"], task["labels"], task["milestoneId"]) == ("changed", ["new"], None)


async def test_what_does_not_fit_is_refused(world: World) -> None:
    ada, bob, eve = await world.register("ada"), await world.register("bob"), await world.register("eve")
    path, tasks, point = await a_history(world, ada)
    await world.add(ada, path.split("/")[3], bob)
    for address in (f"{path}/restore-to", f"{path}/tasks/{tasks[0]}/restore-to"):
        for wrong in (
            {},
            {"asOf": None},
            {"asOf": -1},
            {"asOf": "yesterday"},
            {"asOf": "2019-02-30"},
            {"asOf": 1.5},
            {"asOf": point, "x": 1},
        ):
            await problem_of(await world.http.post(address, json=wrong, headers=ada.auth), 400)
        for nowhere in (0, 10_000, "2001-01-01T00:00:00Z"):
            await problem_of(await world.http.post(address, json={"asOf": nowhere}, headers=ada.auth), 404)
        await problem_of(await world.http.post(address, json={"asOf": point}), 401)
        await problem_of(await world.http.post(address, json={"asOf": point}, headers=eve.auth), 404)
    await problem_of(await world.http.post(f"{path}/restore-to", json={"asOf": point}, headers=bob.auth), 403)
    missing = f"{path}/tasks/{NOBODY}/restore-to"
    await problem_of(await world.http.post(missing, json={"asOf": point}, headers=ada.auth), 404)
