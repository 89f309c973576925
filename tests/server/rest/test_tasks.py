"""Tasks, members and comments over REST."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.comments import AddComment
from protocol.links import AddLink
from protocol.members import AddMember
from protocol.tasks import CreateTask, EditTask
from server.rest.pages import PageSizes
from tests.server.world import CHEAP, User, World, a_world, next_of, problem_of

NOBODY = "018f0000-0000-7000-8000-0000000000ff"


async def pages(world: World, user: User, first: str) -> list[Any]:
    """All items of a list, page by page."""
    items: list[Any] = []
    path: str | None = first
    while path is not None:
        response = await world.http.get(path, headers=user.auth)
        assert response.status == 200, await response.text()
        items += await response.json()
        path = next_of(response)
    return items


async def test_tasks_members_and_comments_come_in_pages() -> None:
    async with a_world(CHEAP, PageSizes(default=2, largest=5)) as world:
        ada = await world.register("ada")
        path = f"/v1/projects/{(project := (await world.project(ada))['id'])}"
        assert await pages(world, ada, path + "/tasks") == []
        for number in range(5):
            await world.send(ada, project, CreateTask(title=f"Task {number}"))
            other = await world.register(f"user{number}")
            await world.send(ada, project, AddMember(user_id=other.id, role="member"))
        tasks = await pages(world, ada, path + "/tasks")
        assert [(task["number"], task["title"]) for task in tasks] == [(n + 1, f"Task {n}") for n in range(5)]
        for number in range(5):
            await world.send(ada, project, AddComment(task_id=tasks[0]["id"], body=f"Comment {number}"))
        members = await pages(world, ada, path + "/members?limit=4")
        assert len({member["userId"] for member in members}) == len(members) == 6
        comments = await pages(world, ada, f"{path}/tasks/{tasks[0]['id']}/comments")
        assert [comment["body"] for comment in comments] == [f"Comment {number}" for number in range(5)]
        assert await pages(world, ada, f"{path}/tasks/{tasks[1]['id']}/comments") == []
        await problem_of(await world.http.get(f"{path}/tasks/{NOBODY}/comments", headers=ada.auth), 404)


async def test_deleted_tasks_are_listed_on_demand_and_alone() -> None:
    async with a_world(CHEAP, PageSizes(default=2, largest=5)) as world:
        ada, eve = await world.register("ada"), await world.register("eve")
        path = f"/v1/projects/{(project := await world.project(ada))['id']}"
        ids = [
            (await world.send(ada, project["id"], CreateTask(title=f"Task {number}"))).result["taskId"]
            for number in range(7)
        ]
        for task_id in ids[1:6]:
            assert (await world.http.delete(f"{path}/tasks/{task_id}", headers=ada.auth)).status == 204
        found = await pages(world, ada, path + "/tasks?isDeleted=true")
        assert [task["id"] for task in found] == ids[1:6]
        assert [(task["key"], task["title"], task["deletedAt"] is None) for task in found] == [
            (f"{project['key']}-{number + 1}", f"Task {number}", False) for number in range(1, 6)
        ]
        assert [task["id"] for task in await pages(world, ada, path + "/tasks")] == [ids[0], ids[6]]
        assert await pages(world, ada, path + "/tasks?isDeleted=true&asOf=8") == []
        await problem_of(await world.http.get(path + "/tasks?isDeleted=yes", headers=ada.auth), 400)
        await problem_of(await world.http.get(path + "/tasks?isDeleted=true", headers=eve.auth), 404)


async def test_all_pages_of_the_past_are_of_one_state() -> None:
    async with a_world(CHEAP, PageSizes(default=2, largest=5)) as world:
        ada = await world.register("ada")
        project = (await world.project(ada))["id"]
        path = f"/v1/projects/{project}/tasks"
        for number in range(3):
            world.clock.now_s += 60
            await world.send(ada, project, CreateTask(title=f"Task {number}"))
        then = world.clock.now()
        world.clock.now_s += 60
        task = (await pages(world, ada, path))[2]
        await world.send(ada, project, EditTask(task_id=task["id"], title="Changed"))
        await world.send(ada, project, CreateTask(title="Later"))
        assert [task["title"] for task in await pages(world, ada, f"{path}?asOf={then}")] == [
            "Task 0",
            "Task 1",
            "Task 2",
        ]
        assert [task["title"] for task in await pages(world, ada, path)] == ["Task 0", "Task 1", "Changed", "Later"]


async def test_tasks_have_an_etag_and_answer_304(world: World) -> None:
    ada = await world.register("ada")
    project = (await world.project(ada))["id"]
    path = f"/v1/projects/{project}/tasks"
    tag = (await world.http.get(path, headers=ada.auth)).headers["ETag"]
    assert (await world.http.get(path, headers={**ada.auth, "If-None-Match": tag})).status == 304
    await world.send(ada, project, CreateTask(title="New"))
    assert (await world.http.get(path, headers={**ada.auth, "If-None-Match": tag})).status == 200


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1.5", "limit=5000", "sort=title", "asOf="])
async def test_a_query_that_does_not_fit_is_400(world: World, query: str) -> None:
    ada = await world.register("ada")
    path = f"/v1/projects/{(await world.project(ada))['id']}/tasks"
    await problem_of(await world.http.get(f"{path}?{query}", headers=ada.auth), 400)


async def test_own_tasks_can_be_asked_for_by_whether_an_open_task_blocks_them(world: World) -> None:
    ada = await world.register("ada")
    project = (await world.project(ada))["id"]
    made = [await world.send(ada, project, CreateTask(title=f"T{n}", assignee_ids=[ada.id])) for n in range(3)]
    first, second, _ = (task.result["taskId"] for task in made)
    await world.send(ada, project, AddLink(type="blocks", task_id=first, other_id=second))

    async def titles(query: str) -> list[str]:
        return sorted(task["title"] for task in await pages(world, ada, f"/v1/tasks?limit=1&{query}"))

    assert await titles("blocked=true") == ["T1"]
    assert await titles("blocked=false&open=true") == ["T0", "T2"]
    await world.send(ada, project, EditTask(task_id=first, state_id="done"))
    assert await titles("blocked=true") == []


async def test_own_tasks_are_gathered_across_projects() -> None:
    async with a_world(CHEAP, PageSizes(default=2, largest=5)) as world:
        ada = await world.register("ada")
        projects = [(await world.project(ada, name))["id"] for name in ("One", "Two")]
        for number, project in enumerate(projects * 2):
            world.clock.now_s += 1
            await world.send(ada, project, CreateTask(title=f"Task {number}", assignee_ids=[ada.id]))
            await world.send(ada, project, CreateTask(title="Nobody's"))
        mine = await pages(world, ada, "/v1/tasks?assignee=me")
        assert [(task["title"], task["projectId"]) for task in mine] == [
            (f"Task {number}", (projects * 2)[number]) for number in (3, 2, 1, 0)
        ]
        await world.send(ada, projects[0], EditTask(task_id=mine[1]["id"], state_id="done"))
        is_open = await pages(world, ada, "/v1/tasks?open=true&limit=1")
        assert {task["title"] for task in is_open} == {"Task 0", "Task 1", "Task 3"}
        closed = await pages(world, ada, "/v1/tasks?open=false")
        assert [task["title"] for task in closed] == ["Task 2"]
        await problem_of(await world.http.get(f"/v1/tasks?assignee={NOBODY}", headers=ada.auth), 400)
