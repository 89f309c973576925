"""Projects: every answer of the Project API."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protocol.derived_ids import derived_id
from protocol.members import AddMember, RemoveMember
from protocol.projects import EditProject
from server.rest.pages import PageSizes
from tests.server.rest.test_tasks import pages
from tests.server.world import ADMIN_TOKEN, CHEAP, User, World, a_world, next_of, problem_of

NOBODY = "018f0000-0000-7000-8000-0000000000ff"


async def test_a_created_project_can_be_read_listed_changed_and_deleted(world: World) -> None:
    ada = await world.register("ada")
    response = await world.http.post("/v1/projects", json={"name": "Apollo"}, headers=ada.auth)
    created = await response.json()
    assert response.status == 201
    assert (created["name"], created["status"], created["key"]) == ("Apollo", "Active", "APOLLO")
    path = response.headers["Location"]
    assert path == f"/v1/projects/{created['id']}"
    read = await world.http.get(path, headers=ada.auth)
    assert (read.status, await read.json(), read.headers["ETag"]) == (200, created, response.headers["ETag"])
    assert await (await world.http.get("/v1/projects", headers=ada.auth)).json() == [created]
    changed = await world.http.put(path, json={"status": "Completed"}, headers=ada.auth)
    assert (changed.status, (await changed.json())["status"]) == (200, "Completed")
    deleted = await world.http.delete(path, headers=ada.auth)
    assert (deleted.status, await deleted.json()) == (200, {"message": "Project deleted successfully"})
    await problem_of(await world.http.get(path, headers=ada.auth), 404)
    await problem_of(await world.http.get(path + "/tasks", headers=ada.auth), 404)
    assert await (await world.http.get("/v1/projects", headers=ada.auth)).json() == []
    restorable = await (await world.http.get(path + "?deleted=true", headers=ada.auth)).json()
    assert restorable["deletedAt"] is not None
    restored = await world.http.post(path + "/restore", headers=ada.auth)
    assert (restored.status, (await restored.json())["deletedAt"]) == (200, None)
    early = await problem_of(await world.http.post(path + "/purge", headers=ada.auth), 422)
    assert early["details"]["reason"] == "project_not_deleted"
    await world.http.delete(path, headers=ada.auth)
    assert (await world.http.post(path + "/purge", headers=ada.auth)).status == 204
    await problem_of(await world.http.get(path + "?deleted=true", headers=ada.auth), 404)


async def test_owners_find_their_deleted_projects_page_by_page(world: World) -> None:
    ada, bob, eve = [await world.register(name) for name in ("ada", "bob", "eve")]
    gone = [(await world.project(ada, f"Gone {number}"))["id"] for number in range(3)]
    kept, shared = (await world.project(ada, "Kept"))["id"], (await world.project(bob, "Shared"))["id"]
    await world.send(ada, gone[0], AddMember(user_id=bob.id, role="admin"))
    await world.send(bob, shared, AddMember(user_id=ada.id, role="owner"))
    for project_id, owner in (*((one, ada) for one in gone), (shared, bob)):
        world.clock.now_s += 1
        await world.http.delete(f"/v1/projects/{project_id}", headers=owner.auth)

    async def deleted(user: User) -> list[str]:
        return [one["id"] for one in await pages(world, user, "/v1/projects?deleted=true&limit=2")]

    assert await deleted(ada) == [shared, *reversed(gone)]
    assert (await deleted(bob), await deleted(eve)) == ([shared], [])
    assert await deleted(User("", "operator", world.admin_token)) == [shared, *reversed(gone)]
    assert [one["id"] for one in await (await world.http.get("/v1/projects", headers=ada.auth)).json()] == [kept]
    both = "/v1/projects?deleted=true&visibility=public"
    await problem_of(await world.http.get(both, headers=ada.auth), 400)
    await world.http.post(f"/v1/projects/{gone[0]}/restore", headers=ada.auth)
    await world.http.post(f"/v1/projects/{gone[1]}/purge", headers=ada.auth)
    assert await deleted(ada) == [shared, gone[2]]


async def test_a_project_is_made_from_one_that_its_author_may_look_at(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    template = await world.project(ada, "Template")
    made = {"title": "First", "description": "things first"}
    await world.http.post(f"/v1/projects/{template['id']}/tasks", json=made, headers=ada.auth)
    body = {"name": "Copy", "templateId": template["id"]}
    await problem_of(await world.http.post("/v1/projects", json=body, headers=bob.auth), 404)
    key = {**ada.auth, "Idempotency-Key": "copy"}
    copies = [await (await world.http.post("/v1/projects", json=body, headers=key)).json() for _ in range(2)]
    assert copies[0] == copies[1]
    [task] = await (await world.http.get(f"/v1/projects/{copies[0]['id']}/tasks", headers=ada.auth)).json()
    assert (task["title"], task["description"], task["key"]) == ("First", "things first", f"{copies[0]['key']}-1")
    await world.http.delete(f"/v1/projects/{template['id']}", headers=ada.auth)
    again = await world.http.post("/v1/projects", json=body, headers=key)
    assert (again.status, (await again.json())["id"]) == (201, copies[0]["id"])


async def test_public_projects_are_listed_to_everybody_page_by_page(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    for name in ("One", "Two", "Three", "Hidden"):
        project = await world.project(ada, name)
        world.clock.now_s += 1
        if name != "Hidden":
            await world.send(ada, project["id"], EditProject(visibility="public"))
    listed: list[str] = []
    path: str | None = "/v1/projects?visibility=public&limit=2"
    while path is not None:
        response = await world.http.get(path, headers=bob.auth)
        listed += [project["name"] for project in await response.json()]
        path = next_of(response)
    assert listed == ["Three", "Two", "One"]
    assert await (await world.http.get("/v1/projects", headers=bob.auth)).json() == []
    operator = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    operators = await world.http.get("/v1/projects?visibility=public", headers=operator)
    assert len(await operators.json()) == 3
    await problem_of(await world.http.get("/v1/projects?visibility=private", headers=bob.auth), 400)
    await problem_of(await world.http.get("/v1/projects?visibility=public"), 401)


async def test_a_visitor_reads_a_public_project_and_gets_403_for_changes(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    project = await world.project(ada)
    path = f"/v1/projects/{project['id']}"
    await problem_of(await world.http.get(path, headers=bob.auth), 404)
    changed = await world.http.put(path, json={"visibility": "public"}, headers=ada.auth)
    assert (await changed.json())["visibility"] == "public"
    for suffix in ("", "/tasks", "/members", "/roles", "?asOf=1"):
        assert (await world.http.get(path + suffix, headers=bob.auth)).status == 200
    await problem_of(await world.http.put(path, json={"name": "Mine"}, headers=bob.auth), 403)
    await problem_of(await world.http.delete(path, headers=bob.auth), 403)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/projects"),
        ("POST", "/v1/projects"),
        ("GET", f"/v1/projects/{NOBODY}"),
        ("PUT", f"/v1/projects/{NOBODY}"),
        ("DELETE", f"/v1/projects/{NOBODY}"),
        ("GET", f"/v1/projects/{NOBODY}/tasks"),
        ("GET", f"/v1/projects/{NOBODY}/members"),
        ("GET", f"/v1/projects/{NOBODY}/roles"),
        ("GET", f"/v1/projects/{NOBODY}/invitations"),
        ("GET", "/v1/invitations"),
        ("GET", f"/v1/projects/{NOBODY}/tasks/{NOBODY}/comments"),
        ("GET", "/v1/tasks"),
    ],
)
async def test_without_a_token_everything_is_401(world: World, method: str, path: str) -> None:
    await problem_of(await world.http.request(method, path), 401)


@pytest.mark.parametrize(
    ("method", "suffix"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("GET", "/tasks"),
        ("GET", "/members"),
        ("GET", "?asOf=1"),
        ("GET", f"/tasks/{NOBODY}/comments"),
    ],
)
async def test_strangers_get_404_as_if_there_were_nothing(world: World, method: str, suffix: str) -> None:
    ada, eve = await world.register("ada"), await world.register("eve")
    project = await world.project(ada)
    bodies: list[dict[str, Any]] = []
    arguments: dict[str, Any] = {"json": {"name": "x"}} if method == "PUT" else {}
    for project_id in (project["id"], NOBODY):
        path = f"/v1/projects/{project_id}{suffix}"
        bodies.append(await problem_of(await world.http.request(method, path, headers=eve.auth, **arguments), 404))
    assert bodies[0] == bodies[1]


async def test_a_member_without_the_permission_gets_403_and_after_removal_404(world: World) -> None:
    ada, eve = await world.register("ada"), await world.register("eve")
    project = await world.project(ada)
    await world.send(ada, project["id"], AddMember(user_id=eve.id, role="viewer"))
    path = f"/v1/projects/{project['id']}"
    assert (await world.http.get(path, headers=eve.auth)).status == 200
    await problem_of(await world.http.put(path, json={"name": "Mine"}, headers=eve.auth), 403)
    await problem_of(await world.http.delete(path, headers=eve.auth), 403)
    await world.send(ada, project["id"], RemoveMember(user_id=eve.id))
    for suffix in ("", "?asOf=2", "/tasks", "/members"):
        await problem_of(await world.http.get(path + suffix, headers=eve.auth), 404)
    assert await (await world.http.get("/v1/projects", headers=eve.auth)).json() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": None},
        {"name": "x" * 201},
        {"name": "a\nb"},
        {"name": "x", "key": "apollo"},
        {"name": "x", "status": "Completed"},
        {"name": "x", "id": NOBODY},
        {"name": "x", "states": []},
        {"name": "x", "description": "\0"},
    ],
)
async def test_what_does_not_fit_is_400(world: World, body: dict[str, Any]) -> None:
    ada = await world.register("ada")
    problem = await problem_of(await world.http.post("/v1/projects", json=body, headers=ada.auth), 400)
    assert problem["code"] == "invalid"


@pytest.mark.parametrize("status", ["active", "Done", None, 1])
async def test_a_status_is_one_of_four(world: World, status: Any) -> None:
    ada = await world.register("ada")
    path = f"/v1/projects/{(await world.project(ada))['id']}"
    await problem_of(await world.http.put(path, json={"status": status}, headers=ada.auth), 400)
    for good in ("Completed", "OnHold", "Archived", "Active"):
        response = await world.http.put(path, json={"status": good}, headers=ada.auth)
        assert (await response.json())["status"] == good


@pytest.mark.parametrize("path", ["/v1/projects/proj-123", "/v1/projects/1/tasks", "/v1/projects/%00"])
async def test_an_id_that_is_no_uuid_is_400(world: World, path: str) -> None:
    ada = await world.register("ada")
    await problem_of(await world.http.get(path, headers=ada.auth), 400)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=1&limit=2", "after=!", "after=WzFd", "asof=1", "offset=1"]
)
async def test_a_query_that_does_not_fit_is_400(world: World, query: str) -> None:
    ada = await world.register("ada")
    await problem_of(await world.http.get(f"/v1/projects?{query}", headers=ada.auth), 400)


@pytest.mark.parametrize("limit", ["1001", "99999", "9" * 30])
async def test_a_limit_that_is_too_large_is_told_the_bound_that_holds(world: World, limit: str) -> None:
    ada = await world.register("ada")
    project = await world.project(ada)
    for path in ("/v1/projects", "/v1/tasks", f"/v1/projects/{project['id']}/events"):
        problem = await problem_of(await world.http.get(f"{path}?limit={limit}", headers=ada.auth), 400)
        assert problem["detail"] == "limit: at most 1000"


async def test_lists_come_in_pages_without_gap_or_repetition() -> None:
    async with a_world(CHEAP, PageSizes(default=2, largest=3)) as world:
        ada = await world.register("ada")
        admin = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        made = set()
        for number in range(5):
            world.clock.now_s += number % 2
            made.add((await world.project(ada, f"Project {number}"))["id"])
        for headers in (ada.auth, admin):
            for first in ("/v1/projects", "/v1/projects?limit=3"):
                seen: list[str] = []
                path: str | None = first
                while path is not None:
                    response = await world.http.get(path, headers=headers)
                    seen += [project["id"] for project in await response.json()]
                    path = next_of(response)
                assert len(seen) == 5
                assert set(seen) == made


async def test_a_key_is_given_or_made_and_belongs_to_one_project(world: World) -> None:
    ada = await world.register("ada")
    keys = [(await world.project(ada, name))["key"] for name in ("Apollo", "apollo!", "My new project", "42", "火")]
    assert keys == ["APOLLO", "APOLLO2", "MNP", "PROJ", "PROJ2"]
    body = {"name": "Other", "key": "APOLLO"}
    problem = await problem_of(await world.http.post("/v1/projects", json=body, headers=ada.auth), 409)
    assert (problem["code"], problem["details"]["field"]) == ("already_exists", "key")


async def test_a_retried_creation_reaches_the_same_project_and_gets_the_first_answer(world: World) -> None:
    ada = await world.register("ada")
    headers = {**ada.auth, "Idempotency-Key": "wish 1"}
    body = {"name": "Apollo", "key": "APO"}
    first = await world.http.post("/v1/projects", json=body, headers=headers)
    project = await first.json()
    await world.send(ada, project["id"], EditProject(name="Later"))
    retry = await world.http.post("/v1/projects", json=body, headers=headers)
    assert (retry.status, await retry.json(), retry.headers["ETag"]) == (201, project, first.headers["ETag"])
    for other in ({"name": "Gemini"}, {"name": "Apollo", "key": "GEM"}):
        response = await world.http.post("/v1/projects", json=other, headers=headers)
        assert (await problem_of(response, 409))["code"] == "op_id_reused"
    assert len(await (await world.http.get("/v1/projects", headers=ada.auth)).json()) == 1


async def test_retries_at_the_same_moment_make_one_project(world: World) -> None:
    ada = await world.register("ada")
    headers = {**ada.auth, "Idempotency-Key": "wish"}
    posts = (world.http.post("/v1/projects", json={"name": "Apollo"}, headers=headers) for _ in range(10))
    answers = [await response.json() for response in await asyncio.gather(*posts)]
    assert len({answer["id"] for answer in answers}) == 1, answers


async def test_two_users_may_use_the_same_idempotency_key(world: World) -> None:
    ada, eve = await world.register("ada"), await world.register("eve")
    header = {"Idempotency-Key": "1"}
    assert (await world.project(ada, "A1", **header))["id"] != (await world.project(eve, "A1", **header))["id"]


async def test_nobody_takes_what_another_s_idempotency_key_stands_for(world: World) -> None:
    """Who knows the key foresees the project's id and the opId, and is refused with both."""
    ada, eve = await world.register("ada"), await world.register("eve")
    foreseen = derived_id(ada.id, "project", op_id_of(ada, "first"))
    create = {"type": "CreateProject", "data": {"name": "Mine"}}
    response = await world.http.post(f"/v1/projects/{foreseen}/commands", json=create, headers=eve.auth)
    problem = await problem_of(response, 400)
    assert [error["field"] for error in problem["details"]["errors"]] == ["stream"]
    project_id = (await world.project(ada, **{"Idempotency-Key": "first"}))["id"]
    assert project_id == foreseen

    await world.add(ada, project_id, eve, "member")
    task = {"type": "CreateTask", "opId": op_id_of(ada, "task"), "data": {"title": "Mine"}}
    response = await world.http.post(f"/v1/projects/{project_id}/commands", json=task, headers=eve.auth)
    assert [error["field"] for error in (await problem_of(response, 400))["details"]["errors"]] == ["opId"]
    headers = {**ada.auth, "Idempotency-Key": "task"}
    response = await world.http.post(f"/v1/projects/{project_id}/tasks", json={"title": "Hers"}, headers=headers)
    assert response.status == 201


def op_id_of(user: User, key: str) -> str:
    """What a user's Idempotency-Key stands for."""
    return derived_id(user.id, "opId", "user", key)


async def test_a_retried_update_or_deletion_takes_effect_once(world: World) -> None:
    ada = await world.register("ada")
    path = f"/v1/projects/{(await world.project(ada))['id']}"
    headers = {**ada.auth, "Idempotency-Key": "2"}
    first = await world.http.put(path, json={"name": "B"}, headers=headers)
    await world.http.put(path, json={"name": "C"}, headers=ada.auth)
    retry = await world.http.put(path, json={"name": "B"}, headers=headers)
    assert await first.json() == await retry.json()
    assert (await (await world.http.get(path, headers=ada.auth)).json())["name"] == "C"
    response = await world.http.put(path, json={"name": "D"}, headers=headers)
    assert (await problem_of(response, 409))["code"] == "op_id_reused"
    gone = {**ada.auth, "Idempotency-Key": "3"}
    assert [(await world.http.delete(path, headers=gone)).status for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "ä"])
async def test_an_idempotency_key_is_printable_ascii(world: World, key: str) -> None:
    ada = await world.register("ada")
    headers = {**ada.auth, "Idempotency-Key": key}
    await problem_of(await world.http.post("/v1/projects", json={"name": "x"}, headers=headers), 400)


async def test_what_is_unchanged_is_not_sent_again(world: World) -> None:
    ada = await world.register("ada")
    path = f"/v1/projects/{(await world.project(ada))['id']}"
    tag = (await world.http.get(path, headers=ada.auth)).headers["ETag"]
    for value in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        response = await world.http.get(path, headers={**ada.auth, "If-None-Match": value})
        assert (response.status, response.headers["ETag"], await response.read()) == (304, tag, b"")
    await world.http.put(path, json={"name": "B"}, headers=ada.auth)
    assert (await world.http.get(path, headers={**ada.auth, "If-None-Match": tag})).status == 200


async def test_the_past_can_be_asked_for_by_seq_and_by_time(world: World) -> None:
    ada = await world.register("ada")
    project = await world.project(ada, "One")
    path = f"/v1/projects/{project['id']}"
    for name in ("Two", "Three"):
        world.clock.now_s += 60
        await world.http.put(path, json={"name": name}, headers=ada.auth)
    now = await world.http.get(path, headers=ada.auth)
    between = (await now.json())["updatedAt"].replace(":00.000Z", ":30Z")
    seq_now = int(now.headers["ETag"].strip('"').split(".")[0])
    for as_of, name in (
        (str(seq_now), "Three"),
        (str(seq_now - 1), "Two"),
        (str(seq_now - 2), "One"),
        (between, "Three"),
    ):
        response = await world.http.get(path, params={"asOf": as_of}, headers=ada.auth)
        assert (response.status, (await response.json())["name"]) == (200, name)
        address = response.headers["Content-Location"]
        assert address.startswith(f"{path}?asOf=")
        again = await world.http.get(address, headers=ada.auth)
        assert await again.json() == await response.json()
    for as_of, words in (
        ("0", "there was no such project yet"),
        (str(seq_now + 1), f"the project has not come to entry {seq_now + 1} yet"),
        ("1999-01-01T00:00:00Z", "there was no such project yet"),
        ("1999-01-01", "there was no such project yet"),
    ):
        problem = await problem_of(await world.http.get(path, params={"asOf": as_of}, headers=ada.auth), 404)
        assert problem["detail"] == words
    for as_of in ("x", "-1", "2017-01-01T00:00:00", "9" * 17, "2017-13-01", ""):
        await problem_of(await world.http.get(path, params={"asOf": as_of}, headers=ada.auth), 400)


async def test_a_list_that_is_behind_says_so(world: World) -> None:
    ada = await world.register("ada")
    world.lists.fresh = False
    for path in ("/v1/projects", "/v1/tasks"):
        response = await world.http.get(path, headers=ada.auth)
        problem = await problem_of(response, 503)
        assert (problem["code"], problem["details"]["reason"]) == ("unavailable", "behind")
        assert response.headers["Retry-After"] == "1"
