"""Two points of the past compared: what was added, removed and changed, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.members import AddMember, RemoveMember
from protocol.projects import EditProject
from protocol.tasks import CreateTask, EditTask
from server.rest.diff import difference_of
from tests.server.rest.test_events import a_log
from tests.server.rest.test_removed_meanwhile import meanwhile
from tests.server.rest.test_tasks import pages
from tests.server.world import User, World, next_of, problem_of


async def diff(world: World, user: User, project: str, query: str) -> Any:
    response = await world.http.get(f"/v1/projects/{project}/diff?{query}", headers=user.auth)
    assert response.status == 200, await response.text()
    return await response.json()


async def test_what_was_added_removed_and_changed_is_told(world: World) -> None:
    ada, project, _ = await a_log(world, 2)
    bob, cat = await world.register("bob"), await world.register("cat")
    await world.send(ada, project, AddMember(user_id=bob.id, role="viewer"))
    then = 4
    first, _ = await pages(world, ada, f"/v1/projects/{project}/tasks")
    await world.send(ada, project, EditTask(task_id=first["id"], title="New", add_labels=["x"]))
    await world.send(ada, project, EditTask(task_id=first["id"], priority="high"))
    await world.send(ada, project, EditTask(task_id=first["id"], priority="none"))
    await world.send(ada, project, RemoveMember(user_id=bob.id))
    await world.send(ada, project, AddMember(user_id=cat.id, role="member"))
    made = await world.send(ada, project, CreateTask(title="Third"))
    await world.send(ada, project, EditProject(name="Gemini"))
    found = await diff(world, ada, project, f"from={then}")
    changes = {(change["collection"], change["id"]): change for change in found["changes"]}
    task = changes["tasks", first["id"]]
    assert (task["change"], task["fields"]["title"]) == ("changed", {"was": "Task 0", "now": "New"})
    assert task["fields"]["labels"] == {"was": [], "now": ["x"]}
    assert "priority" not in task["fields"]
    assert changes["tasks", made.result["taskId"]]["change"] == "added"
    assert changes["members", bob.id]["change"] == "removed"
    assert changes["members", cat.id]["record"]["role"] == "member"
    assert changes["project", project]["fields"]["name"] == {"was": "Apollo", "now": "Gemini"}
    assert len(changes) == 5
    assert (await diff(world, ada, project, f"from={then}&to={then}"))["changes"] == []
    back = await diff(world, ada, project, f"from=11&to={then}")
    assert {change["change"] for change in back["changes"]} == {"added", "removed", "changed"}
    assert (await diff(world, ada, project, f"from={world.clock.now()}&to=11"))["changes"] == []


async def test_pages_are_of_the_same_two_points(world: World) -> None:
    ada, project, _ = await a_log(world, 30)
    path: str | None = f"/v1/projects/{project}/diff?from=1&limit=7"
    found: list[Any] = []
    while path is not None:
        response = await world.http.get(path, headers=ada.auth)
        found += (await response.json())["changes"]
        path = next_of(response)
        await world.send(ada, project, CreateTask(title="later"))
    assert len(found) == 30
    assert len({(change["collection"], change["id"]) for change in found}) == len(found)


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("from=x", 400), ("from=1&to=x", 400), ("from=99", 404), ("from=1&after=x", 400), ("from=0", 404)],
)
async def test_points_that_are_none_are_refused(world: World, query: str, status: int) -> None:
    ada, project, _ = await a_log(world, 1)
    await problem_of(await world.http.get(f"/v1/projects/{project}/diff?{query}", headers=ada.auth), status)


async def test_it_is_only_for_those_who_may_see_the_project_now(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, project, _ = await a_log(world, 1)
    bob, eve = await world.register("bob"), await world.register("eve")
    await world.send(ada, project, AddMember(user_id=bob.id, role="viewer"))
    path = f"/v1/projects/{project}/diff?from=1&to=2"
    await problem_of(await world.http.get(path, headers=eve.auth), 404)
    assert (await world.http.get(path, headers=bob.auth)).status == 200
    removed: list[Any] = []

    async def remove_once() -> None:
        if not removed:
            removed.append(await world.send(ada, project, RemoveMember(user_id=bob.id)))

    meanwhile(monkeypatch, remove_once)
    await problem_of(await world.http.get(path, headers=bob.auth), 404)


def test_the_same_is_no_difference() -> None:
    assert difference_of(("tasks", "t"), {"id": "t", "a": 1}, {"id": "t", "a": 1}) is None
    assert difference_of(("tasks", "t"), {"id": "t", "labels": ["a", "b"]}, {"id": "t", "labels": ["b", "a"]}) is None
    assert difference_of(("tasks", "t"), {"id": "t", "labels": ["a"]}, {"id": "t", "labels": ["a", "b"]}) is not None
    assert difference_of(("tasks", "t"), {"id": "t"}, {"id": "t", "labels": ["a"]}) is not None
    changed = difference_of(("tasks", "t"), {"id": "t"}, {"id": "t", "a": 1})
    assert changed == {"collection": "tasks", "id": "t", "change": "changed", "fields": {"a": {"was": None, "now": 1}}}


async def test_a_wrong_point_is_called_by_its_own_name(world: World) -> None:
    ada, project, _ = await a_log(world, 1)
    for query, name in (("from=never", "from"), (f"from={'9' * 17}", "from"), ("from=1&to=never", "to")):
        response = await world.http.get(f"/v1/projects/{project}/diff?{query}", headers=ada.auth)
        problem = await problem_of(response, 400)
        assert problem["detail"].startswith(f"{name}: ")
        assert "asOf" not in str(problem)
