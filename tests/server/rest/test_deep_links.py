"""Deep links lead those who may see it to the same thing for ever, and everybody else nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.projects import DeleteProject
from protocol.tasks import CreateTask
from tests.server.rest.test_threads import NOBODY, a_room, say
from tests.server.world import User, World, problem_of


async def resolved(world: World, user: User, link: str) -> dict[str, Any]:
    response = await world.http.get(f"/v1/links/{link}", headers=user.auth)
    answer: dict[str, Any] = await response.json()
    assert response.status == 200, answer
    return answer


async def test_a_link_leads_to_a_project_a_task_or_a_comment(world: World) -> None:
    room = await a_room(world)
    project_id = room.project.rpartition("/")[2]
    said = await say(world, room, room.ada, body="Ready?")
    reply = await say(world, room, room.bob, body="Yes", replyTo=said["id"])
    nothing = {"taskId": None, "commentId": None, "threadId": None}
    project = {**nothing, "path": "/p/APOLLO", "projectId": project_id}
    assert await resolved(world, room.bob, "APOLLO") == project
    assert await resolved(world, room.bob, "apollo") == project
    task = {**project, "path": "/p/APOLLO/1", "taskId": room.task_id}
    assert await resolved(world, room.bob, "APOLLO-1") == task
    assert await resolved(world, room.bob, f"APOLLO-1?comment={reply['id']}") == {
        **task,
        "path": f"/p/APOLLO/1#comment-{reply['id']}",
        "commentId": reply["id"],
        "threadId": said["id"],
    }


async def test_who_may_not_see_it_is_led_nowhere(world: World) -> None:
    room = await a_room(world)
    hidden = await problem_of(await world.http.get("/v1/links/APOLLO-1", headers=room.eve.auth), 404)
    nothing = await problem_of(await world.http.get("/v1/links/NOWHERE-1", headers=room.eve.auth), 404)
    assert (hidden["detail"], hidden["details"]) == (nothing["detail"], nothing["details"])
    assert (await world.http.get("/v1/links/APOLLO")).status == 401
    await world.send(room.ada, room.project.rpartition("/")[2], DeleteProject())
    await problem_of(await world.http.get("/v1/links/APOLLO-1", headers=room.bob.auth), 404)


async def test_what_is_not_there_is_not_found(world: World) -> None:
    room = await a_room(world)
    said = await say(world, room, room.ada, body="Ready?")
    await world.send(room.ada, room.project.rpartition("/")[2], CreateTask(title="Second"))
    for link in ("APOLLO-3", "APOLLO-999999999", f"APOLLO-1?comment={NOBODY}", f"APOLLO-2?comment={said['id']}"):
        await problem_of(await world.http.get(f"/v1/links/{link}", headers=room.ada.auth), 404)


@pytest.mark.parametrize(
    "link", ["A", "1", "APOLLO-0", "APOLLO-", "APOLLO-01", "APOLLO-1?comment=x", f"APOLLO?comment={NOBODY}"]
)
async def test_what_is_no_link_is_400(world: World, link: str) -> None:
    ada = await world.register("ada")
    await problem_of(await world.http.get(f"/v1/links/{link}", headers=ada.auth), 400)
