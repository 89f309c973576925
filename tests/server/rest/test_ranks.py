"""Moving tasks over REST."""

from __future__ import annotations

from typing import Any

from protocol.tasks import CreateTask, EditTask
from tests.server.world import User, World, problem_of

NOBODY = "018f0000-0000-7000-8000-0000000000ff"


async def a_board(world: World, user: User) -> tuple[str, list[str]]:
    """The address of the tasks of a new project, and the ids of three."""
    project = (await world.project(user))["id"]
    made = [await world.send(user, project, CreateTask(title=title)) for title in "abc"]
    return f"/v1/projects/{project}/tasks", [accepted.result["taskId"] for accepted in made]


async def order(world: World, user: User, path: str) -> list[str]:
    tasks: list[dict[str, Any]] = await (await world.http.get(path, headers=user.auth)).json()
    return [task["id"] for task in sorted(tasks, key=lambda task: task["rank"])]


async def test_a_task_is_moved_and_a_retry_gets_the_same_answer(world: World) -> None:
    ada = await world.register("ada")
    path, (a, b, c) = await a_board(world, ada)
    headers = {**ada.auth, "Idempotency-Key": "move-1"}
    moved = await world.http.post(f"{path}/{c}/move", json={"after": a}, headers=headers)
    assert moved.status == 200, await moved.text()
    task = await moved.json()
    assert (task["id"], task["stateId"]) == (c, "backlog")
    assert await order(world, ada, path) == [a, c, b]
    await world.send(ada, path.split("/")[3], EditTask(task_id=c, title="changed"))
    again = await world.http.post(f"{path}/{c}/move", json={"after": a}, headers=headers)
    assert (await again.json(), again.headers["ETag"]) == (task, moved.headers["ETag"])
    await problem_of(await world.http.post(f"{path}/{c}/move", json={"after": b}, headers=headers), 409)
    assert await order(world, ada, path) == [a, c, b]


async def test_what_does_not_fit_is_refused(world: World) -> None:
    ada, grace = await world.register("ada"), await world.register("grace")
    path, (a, b, _) = await a_board(world, ada)
    for body in ({"after": "x"}, {"taskId": a}, {"stateId": None}, {"rank": "a1"}):
        await problem_of(await world.http.post(f"{path}/{a}/move", json=body, headers=ada.auth), 400)
    await problem_of(await world.http.post(f"{path}/{NOBODY}/move", json={}, headers=ada.auth), 404)
    await problem_of(await world.http.post(f"{path}/{a}/move", json={}, headers=grace.auth), 404)
    await problem_of(await world.http.post(f"{path}/{a}/move", json={}), 401)
    elsewhere = await world.http.post(f"{path}/{a}/move", json={"stateId": "done", "after": b}, headers=ada.auth)
    document = await problem_of(elsewhere, 409)
    assert (document["code"], document["details"]) == ("conflict", {"reason": "neighbours_moved", "taskId": b})
