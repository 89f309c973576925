"""What a person did, across the projects that the reader may look at now."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.comments import AddComment
from protocol.log import shard_of
from protocol.members import RemoveMember
from protocol.projects import DeleteProject, EditProject
from protocol.tasks import CreateTask, EditTask
from server.rest.pages import PageSizes, pack_place
from tests.server.rest.test_tasks import NOBODY, pages
from tests.server.world import ADMIN_TOKEN, CHEAP, User, World, a_world, problem_of


async def busy(world: World, owner: User, worker: User, name: str, tasks: int) -> str:
    """A project in which the worker made so many tasks."""
    project: str = (await world.project(owner, name))["id"]
    await world.add(owner, project, worker)
    for number in range(tasks):
        world.clock.now_s += 1
        await world.send(worker, project, CreateTask(title=f"{name} {number}"))
    return project


def titles(items: list[dict[str, Any]]) -> list[str]:
    return [event["data"]["task"]["title"] for item in items for event in item["events"]]


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_everything_comes_once_the_newest_first_whatever_the_pages(size: int) -> None:
    async with a_world(CHEAP, PageSizes(default=size)) as world:
        ada, bob = await world.register("ada"), await world.register("bob")
        first = await busy(world, ada, bob, "First", 2)
        second = await busy(world, ada, bob, "Second", 3)
        await world.send(bob, first, CreateTask(title="First 2"))
        items = await pages(world, ada, f"/v1/users/{bob.id}/activity")
        assert sorted(titles(items)) == ["First 0", "First 1", "First 2", "Second 0", "Second 1", "Second 2"]
        assert titles(items)[2:] == ["Second 1", "Second 0", "First 1", "First 0"]
        assert {item["projectId"] for item in items} == {first, second}
        assert {item["author"] for item in items} == {bob.id}


async def test_readers_see_what_they_may_look_at_now(world: World) -> None:
    ada, bob, eve = [await world.register(name) for name in ("ada", "bob", "eve")]
    private = await busy(world, ada, bob, "Private", 1)
    public = await busy(world, ada, bob, "Public", 1)
    deleted = await busy(world, ada, bob, "Deleted", 1)
    await world.send(ada, public, EditProject(visibility="public"))
    await world.send(ada, deleted, DeleteProject())
    path = f"/v1/users/{bob.id}/activity"
    assert titles(await pages(world, eve, path)) == ["Public 0"]
    assert titles(await pages(world, ada, path)) == ["Public 0", "Private 0"]
    assert titles(await pages(world, bob, path)) == ["Public 0", "Private 0"]
    await world.send(ada, private, RemoveMember(user_id=bob.id))
    assert titles(await pages(world, bob, path)) == ["Public 0"], "not even one's own, where one was removed"
    operator = User("", "", ADMIN_TOKEN)
    assert titles(await pages(world, operator, path)) == ["Public 0", "Private 0"]
    await problem_of(await world.http.get(f"/v1/users/{NOBODY}/activity", headers=ada.auth), 404)


async def test_runs_are_one_item_and_end_where_another_project_begins(world: World) -> None:
    ada = await world.register("ada")
    projects = [(await world.project(ada, name))["id"] for name in ("One", "Two")]
    tasks = [(await world.send(ada, project, CreateTask(title="x"))).result["taskId"] for project in projects]
    for at in (0, 0, 1, 0, 0, 0):
        world.clock.now_s += 1
        await world.send(ada, projects[at], EditTask(task_id=tasks[at], title=f"at {world.clock.now_s}"))
    items = await pages(world, ada, f"/v1/users/{ada.id}/activity?limit=2")
    assert [(projects.index(item["projectId"]), item["entries"]) for item in items[:3]] == [(0, 3), (1, 1), (0, 2)]


async def test_a_standing_shard_is_left_out_and_lateness_is_said(world: World) -> None:
    ada = await world.register("ada")
    projects = [(await world.project(ada, name))["id"] for name in ("One", "Two")]
    for project in projects:
        await world.send(ada, project, CreateTask(title=project))
    world.lists.standing = frozenset({shard_of(f"project/{projects[0]}")})
    answer = await world.http.get(f"/v1/users/{ada.id}/activity", headers=ada.auth)
    assert {item["projectId"] for item in await answer.json()} == {projects[1]}
    assert answer.headers["Derived-State"] == "incomplete"
    world.lists.fresh = False
    await problem_of(await world.http.get(f"/v1/users/{ada.id}/activity", headers=ada.auth), 503)


async def test_a_page_ends_when_it_is_full_of_bytes(world: World) -> None:
    ada = await world.register("ada")
    project = (await world.project(ada))["id"]
    task = (await world.send(ada, project, CreateTask(title="x"))).result["taskId"]
    for number in range(60):
        await world.send(ada, project, AddComment(task_id=task, body=f"{number}" + "x" * 90_000))
    answer = await world.http.get(f"/v1/users/{ada.id}/activity", headers=ada.auth)
    assert 1 < len(await answer.json()) < 60
    assert len(await answer.read()) < 5 << 20
    for path in (f"/v1/users/{ada.id}/activity", f"/v1/projects/{project}/tasks/{task}/activity"):
        assert len(await pages(world, ada, path)) >= 61


@pytest.mark.parametrize(
    "after", ["x", pack_place("1", "2"), pack_place("now", NOBODY, "1"), pack_place("2026-01-01T00:00:00Z", "x", "1")]
)
async def test_a_place_that_is_none_is_400(world: World, after: str) -> None:
    ada = await world.register("ada")
    await problem_of(await world.http.get(f"/v1/users/{ada.id}/activity?after={after}", headers=ada.auth), 400)
