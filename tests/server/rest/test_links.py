"""Links, tombstones and parents over REST."""

from __future__ import annotations

from typing import Any

from protocol.members import AddMember, RemoveMember
from protocol.tasks import CreateTask, DeleteTask, EditTask
from server.rest.pages import PageSizes
from tests.server.rest.test_tasks import NOBODY, pages
from tests.server.world import CHEAP, User, World, a_world, problem_of

LINK = "018f0000-0000-7000-8000-0000000000aa"


async def two_tasks(world: World, user: User, count: int = 2) -> tuple[str, list[str]]:
    """A project's path and its tasks."""
    project = (await world.project(user))["id"]
    made = [await world.send(user, project, CreateTask(title=f"Task {number}")) for number in range(count)]
    return f"/v1/projects/{project}", [one.result["taskId"] for one in made]


async def post(world: World, user: User, path: str, body: Any = None, **headers: str) -> Any:
    return await world.http.post(path, json=body, headers={**user.auth, **headers})


async def test_a_link_is_made_read_listed_and_removed(world: World) -> None:
    ada = await world.register("ada")
    path, [first, other] = await two_tasks(world, ada)
    body = {"type": "blocks", "taskId": first, "otherId": other}
    made = await post(world, ada, path + "/links", body)
    assert made.status == 201
    link = await made.json()
    assert {name: link[name] for name in body} == body
    assert link["createdBy"] == ada.id
    assert made.headers["Location"] == f"{path}/links/{link['id']}"
    read = await world.http.get(made.headers["Location"], headers=ada.auth)
    assert (await read.json(), read.headers["ETag"]) == (link, made.headers["ETag"])
    assert await pages(world, ada, path + "/links") == [link]
    assert await pages(world, ada, f"{path}/links?taskId={other}") == [link]
    gone = await world.http.delete(made.headers["Location"], headers=ada.auth)
    assert (gone.status, await gone.read()) == (204, b"")
    await problem_of(await world.http.get(made.headers["Location"], headers=ada.auth), 404)
    await problem_of(await world.http.delete(made.headers["Location"], headers=ada.auth), 404)
    before = made.headers["ETag"].strip('"').partition(".")[0]
    assert await pages(world, ada, f"{path}/links?asOf={before}") == [link]


async def test_a_retry_with_its_key_gets_the_first_answer(world: World) -> None:
    ada = await world.register("ada")
    path, [first, other] = await two_tasks(world, ada)
    key = {"Idempotency-Key": "one"}
    body = {"type": "relates", "taskId": first, "otherId": other}
    made = await post(world, ada, path + "/links", body, **key)
    link = await made.json()
    await world.http.delete(f"{path}/links/{link['id']}", headers=ada.auth)
    again = await post(world, ada, path + "/links", body, **key)
    assert (again.status, await again.json(), again.headers["ETag"]) == (201, link, made.headers["ETag"])
    assert await pages(world, ada, path + "/links") == []
    await problem_of(await post(world, ada, path + "/links", {**body, "type": "blocks"}, **key), 409)


async def test_a_cycle_is_refused_by_name(world: World) -> None:
    ada = await world.register("ada")
    path, [first, other] = await two_tasks(world, ada)
    await post(world, ada, path + "/links", {"linkId": LINK, "type": "blocks", "taskId": first, "otherId": other})
    back = {"type": "precedes", "taskId": other, "otherId": first}
    problem = await problem_of(await post(world, ada, path + "/links", back), 422)
    assert (problem["code"], problem["details"]["reason"]) == ("rule_broken", "cycle")
    assert problem["details"]["cycle"][1]["linkId"] == LINK
    twice = {"type": "blocks", "taskId": first, "otherId": other}
    problem = await problem_of(await post(world, ada, path + "/links", twice), 409)
    assert problem["details"]["linkId"] == LINK
    await problem_of(await post(world, ada, path + "/links", {**twice, "type": "hates"}), 400)
    await problem_of(await post(world, ada, path + "/links", {**twice, "otherId": NOBODY}), 404)
    await problem_of(await post(world, ada, path + "/links", {**twice, "otherId": first}), 422)
    for query in ("taskId=x", "after=x", "limit=0", "type=blocks"):
        await problem_of(await world.http.get(f"{path}/links?{query}", headers=ada.auth), 400)


async def test_strangers_see_and_change_nothing(world: World) -> None:
    ada, bob, eve = [await world.register(name) for name in ("ada", "bob", "eve")]
    path, [first, other] = await two_tasks(world, ada)
    project = path.rpartition("/")[2]
    body = {"linkId": LINK, "type": "blocks", "taskId": first, "otherId": other}
    await post(world, ada, path + "/links", body)
    await world.send(ada, project, AddMember(user_id=bob.id, role="viewer"))
    for user, status in ((eve, 404), (bob, 403)):
        await problem_of(await post(world, user, path + "/links", body), status)
        await problem_of(await world.http.delete(f"{path}/links/{LINK}", headers=user.auth), status)
        await problem_of(await world.http.delete(f"{path}/tasks/{first}", headers=user.auth), status)
        await problem_of(await post(world, user, f"{path}/tasks/{first}/restore"), status)
    await problem_of(await world.http.get(f"{path}/links", headers=eve.auth), 404)
    await problem_of(await world.http.get(f"{path}/links/{LINK}", headers=eve.auth), 404)
    await problem_of(await world.http.get(f"{path}/tasks/{first}", headers=eve.auth), 404)
    assert len(await pages(world, bob, path + "/links")) == 1
    await problem_of(await world.http.get(f"{path}/links/{LINK}"), 401)


async def test_a_retry_of_somebody_who_was_removed_gets_nothing(world: World) -> None:
    ada, bob = [await world.register(name) for name in ("ada", "bob")]
    path, [first, other] = await two_tasks(world, ada)
    project = path.rpartition("/")[2]
    await world.send(ada, project, AddMember(user_id=bob.id, role="member"))
    body, key = {"type": "blocks", "taskId": first, "otherId": other}, {"Idempotency-Key": "one"}
    assert (await post(world, bob, path + "/links", body, **key)).status == 201
    await world.send(ada, project, RemoveMember(user_id=bob.id))
    await problem_of(await post(world, bob, path + "/links", body, **key), 404)


async def test_a_deleted_task_is_a_tombstone_until_it_is_restored(world: World) -> None:
    ada = await world.register("ada")
    path, [first, other] = await two_tasks(world, ada)
    project, one = path.rpartition("/")[2], f"{path}/tasks/{first}"
    await world.send(ada, project, EditTask(task_id=first, add_assignees=[ada.id]))
    link = {"linkId": LINK, "type": "blocks", "taskId": first, "otherId": other}
    await post(world, ada, path + "/links", link)
    living = await (await world.http.get(one, headers=ada.auth)).json()
    assert (living["id"], living["deletedAt"]) == (first, None)
    assert (await world.http.delete(one, headers=ada.auth)).status == 204
    tombstone = await (await world.http.get(one, headers=ada.auth)).json()
    assert tombstone["title"] == living["title"]
    assert tombstone["deletedAt"] is not None
    assert [task["id"] for task in await pages(world, ada, path + "/tasks")] == [other]
    assert await pages(world, ada, "/v1/tasks") == await pages(world, ada, path + "/links") == []
    await problem_of(await world.http.get(one + "/comments", headers=ada.auth), 404)
    problem = await problem_of(await world.http.delete(one, headers=ada.auth), 422)
    assert problem["details"]["reason"] == "task_deleted"
    restored = await world.http.post(one + "/restore", headers=ada.auth)
    assert restored.status == 200
    assert (await restored.json())["deletedAt"] is None
    assert [task["id"] for task in await pages(world, ada, "/v1/tasks")] == [first]
    assert [link["id"] for link in await pages(world, ada, path + "/links")] == [LINK]
    problem = await problem_of(await world.http.post(one + "/restore", headers=ada.auth), 422)
    assert problem["details"]["reason"] == "task_not_deleted"
    await problem_of(await world.http.get(f"{path}/tasks/{NOBODY}", headers=ada.auth), 404)
    await problem_of(await world.http.get(f"{path}/tasks/x", headers=ada.auth), 400)
    await problem_of(await world.http.delete(f"{path}/tasks/{NOBODY}", headers=ada.auth), 404)


async def test_a_deletion_is_repeated_under_its_key_without_effect(world: World) -> None:
    ada = await world.register("ada")
    path, [first, _] = await two_tasks(world, ada)
    one, key = f"{path}/tasks/{first}", {"Idempotency-Key": "one"}
    assert (await world.http.delete(one, headers={**ada.auth, **key})).status == 204
    await world.http.post(one + "/restore", headers=ada.auth)
    assert (await world.http.delete(one, headers={**ada.auth, **key})).status == 204
    assert (await (await world.http.get(one, headers=ada.auth)).json())["deletedAt"] is None
    stale = {**ada.auth, "If-Match": '"1.1"'}
    await problem_of(await world.http.delete(one, headers=stale), 412)


async def test_subtasks_are_listed_by_their_parent() -> None:
    async with a_world(CHEAP, PageSizes(default=2, largest=5)) as world:
        ada = await world.register("ada")
        path, [parent] = await two_tasks(world, ada, 1)
        project = path.rpartition("/")[2]
        for number in range(3):
            await world.send(ada, project, CreateTask(title=f"Subtask {number}", parent_id=parent))
        under = await pages(world, ada, f"{path}/tasks?parent={parent}")
        assert [task["title"] for task in under] == ["Subtask 0", "Subtask 1", "Subtask 2"]
        assert [task["id"] for task in await pages(world, ada, path + "/tasks?parent=none")] == [parent]
        await world.send(ada, project, DeleteTask(task_id=parent))
        assert await pages(world, ada, path + "/tasks?parent=none") == under
        await problem_of(await world.http.get(f"{path}/tasks?parent={parent}", headers=ada.auth), 404)
        await problem_of(await world.http.get(f"{path}/tasks?parent=nobody", headers=ada.auth), 400)
