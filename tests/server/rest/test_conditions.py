"""`If-Match`: a change is made only while the project is what its sender has read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from multidict import CIMultiDict

from protocol.members import AddMember
from protocol.milestones import CreateMilestone
from protocol.tags import EntityTag
from protocol.tasks import CreateTask
from tests.server.rest.test_tasks import NOBODY
from tests.server.world import User, World, problem_of


async def a_task(world: World) -> tuple[User, str, str]:
    """An owner, the project's address, and the address of a task in it."""
    ada = await world.register("ada")
    project = f"/v1/projects/{(await world.project(ada))['id']}"
    made = await world.http.post(project + "/tasks", json={"title": "Fly"}, headers=ada.auth)
    assert made.status == 201, await made.text()
    assert made.headers["Location"] == f"{project}/tasks/{(await made.json())['id']}"
    return ada, project, made.headers["Location"]


async def tag_of(world: World, user: User, path: str) -> str:
    return (await world.http.get(path, headers=user.auth)).headers["ETag"]


async def test_a_condition_in_the_wrong_place_is_not_ignored(world: World) -> None:
    ada, project, task = await a_task(world)
    body = {"type": "EditTask", "data": {"taskId": task.rpartition("/")[2], "title": "Land"}}
    for response in (
        await world.http.put(f"{task}?base=1", json={"title": "Land"}, headers=ada.auth),
        await world.http.post(f"{project}/commands?base=1", json=body, headers=ada.auth),
        await world.http.delete(f"{task}?foo=1", headers=ada.auth),
        await world.http.get(f"{project}/roles?foo=1", headers=ada.auth),
    ):
        await problem_of(response, 400)
    assert (await (await world.http.get(task, headers=ada.auth)).json())["title"] == "Fly"


async def test_a_task_and_a_comment_are_read_and_written_by_address(world: World) -> None:
    ada, project, task = await a_task(world)
    assert (await (await world.http.get(task, headers=ada.auth)).json())["title"] == "Fly"
    changed = await world.http.put(task, json={"title": "Land", "addLabels": ["x"]}, headers=ada.auth)
    assert ((await changed.json())["title"], changed.headers["ETag"]) == ("Land", await tag_of(world, ada, task))
    said = await world.http.post(task + "/comments", json={"body": "Hm"}, headers=ada.auth)
    comment = said.headers["Location"]
    assert (said.status, (await said.json())["body"]) == (201, "Hm")
    edited = await world.http.put(comment, json={"body": "Oh"}, headers=ada.auth)
    assert [edit["body"] for edit in (await edited.json())["edits"]] == ["Hm"]
    assert await (await world.http.get(comment, headers=ada.auth)).json() == await edited.json()
    then = await (await world.http.get(task + "?asOf=2", headers=ada.auth)).json()
    assert then["title"] == "Fly"
    for path in (f"{project}/tasks/{NOBODY}", f"{project}/comments/{NOBODY}"):
        await problem_of(await world.http.get(path, headers=ada.auth), 404)
        await problem_of(await world.http.put(path, json={"title": "x", "body": "x"}, headers=ada.auth), 400)


@pytest.mark.parametrize("where", ["task", "project", "command"])
async def test_a_change_on_a_condition_that_holds_is_made_and_then_it_holds_no_more(world: World, where: str) -> None:
    ada, project, task = await a_task(world)
    tag = await tag_of(world, ada, task)
    headers = {**ada.auth, "If-Match": tag}
    edit = {"type": "EditTask", "data": {"taskId": task.rpartition("/")[2], "title": "New"}}

    async def change() -> Any:
        match where:
            case "task":
                return await world.http.put(task, json={"title": "New"}, headers=headers)
            case "project":
                return await world.http.put(project, json={"name": "New"}, headers=headers)
            case _:
                return await world.http.post(project + "/commands", json=edit, headers=headers)

    assert (await change()).status == 200
    assert (await problem_of(await change(), 412))["code"] == "precondition_failed"
    headers["If-Match"] = await tag_of(world, ada, task)
    assert (await change()).status == 200


async def test_a_change_elsewhere_is_no_change_of_the_record(world: World) -> None:
    ada, project, task = await a_task(world)
    said = await world.http.post(task + "/comments", json={"body": "Hm"}, headers=ada.auth)
    milestone = await world.send(ada, project.rpartition("/")[2], CreateMilestone(name="Soon"))
    comment, other = said.headers["Location"], f"{project}/milestones/{milestone.result['milestoneId']}"
    tags = {path: await tag_of(world, ada, path) for path in (task, comment, other, project)}
    await world.send(ada, project.rpartition("/")[2], CreateTask(title="Elsewhere"))
    for path, tag in tags.items():
        known = await world.http.get(path, headers={**ada.auth, "If-None-Match": tag})
        assert (known.status, known.headers["ETag"] != tag) == (304, True), "the cursor has moved, the record has not"
    for path, body in ((task, {"title": "New"}), (comment, {"body": "Oh"}), (project, {"name": "New"})):
        headers = {**ada.auth, "If-Match": tags[path]}
        assert (await world.http.put(path, json=body, headers=headers)).status == 200
        await problem_of(await world.http.put(path, json=body, headers=headers), 412)
        again = await world.http.get(path, headers={**ada.auth, "If-None-Match": tags[path]})
        assert again.status == 200


async def test_a_record_that_is_as_it_was_again_is_another_one(world: World) -> None:
    ada, _, task = await a_task(world)
    tag = await tag_of(world, ada, task)
    for title in ("New", "Fly"):
        world.clock.now_s += 1
        await world.http.put(task, json={"title": title}, headers=ada.auth)
    headers = {**ada.auth, "If-Match": tag}
    await problem_of(await world.http.put(task, json={"title": "Newer"}, headers=headers), 412)


async def test_what_is_made_is_made_on_condition_of_the_whole_project(world: World) -> None:
    ada, project, task = await a_task(world)
    headers = {**ada.auth, "If-Match": await tag_of(world, ada, task)}
    await world.send(ada, project.rpartition("/")[2], CreateTask(title="Elsewhere"))
    await problem_of(await world.http.post(project + "/tasks", json={"title": "x"}, headers=headers), 412)
    assert (await world.http.delete(task, headers=headers)).status == 204
    await problem_of(await world.http.post(task + "/restore", headers=headers), 412)


async def test_preferences_are_changed_on_condition_too(world: World) -> None:
    ada = await world.register("ada")
    path = f"/v1/users/{ada.id}/preferences"
    tag = await tag_of(world, ada, path)
    assert (await world.http.get(path, headers={**ada.auth, "If-None-Match": tag})).status == 304
    headers = {**ada.auth, "If-Match": tag}
    project = (await world.project(ada))["id"]
    assert (await world.http.put(f"{path}/muted/{project}", headers=headers)).status == 200
    await problem_of(await world.http.delete(f"{path}/muted/{project}", headers=headers), 412)


async def test_the_tag_of_a_page_is_its_cursor_and_that_of_a_record_begins_with_it(world: World) -> None:
    ada, project, task = await a_task(world)
    page = EntityTag.parse((await tag_of(world, ada, project + "/tasks")).strip('"'))
    assert page.tag is None
    for path in ("/members", "/events", "/activity"):
        assert await tag_of(world, ada, project + path) == f'"{page.cursor}"'
    records = [EntityTag.parse((await tag_of(world, ada, path)).strip('"')) for path in (project, task)]
    assert [one.cursor for one in records] == [page.cursor, page.cursor]
    assert len({one.tag for one in records} - {None}) == 2


@pytest.mark.parametrize("read_as", ["me", "id"])
@pytest.mark.parametrize("body", [{"bio": "new"}, {"locale": "de"}, {"bio": "new", "username": "ada2"}])
async def test_a_person_is_changed_on_condition_of_account_and_profile_together(
    world: World, read_as: str, body: dict[str, str]
) -> None:
    ada = await world.register("ada")
    path = f"/v1/users/{ada.id}"
    tag = await tag_of(world, ada, "/v1/users/me" if read_as == "me" else path)
    assert (await world.http.get(path, headers={**ada.auth, "If-None-Match": tag})).status == 304
    headers = {**ada.auth, "If-Match": tag}
    changed = await world.http.put(path, json=body, headers=headers)
    assert (changed.status, changed.headers["ETag"]) == (200, await tag_of(world, ada, path))
    for late in ({"bio": "late"}, {"locale": "fr"}, {"firstName": "Late", "username": "late"}, {}):
        assert (await problem_of(await world.http.put(path, json=late, headers=headers), 412))["code"] == (
            "precondition_failed"
        )
    found = await world.http.get(path, headers={**ada.auth, "If-None-Match": tag})
    assert (found.status, await found.json()) == (200, await changed.json())


@pytest.mark.parametrize("field", ["bio", "locale", "username"])
async def test_of_many_changes_of_a_person_at_once_one_is_made(world: World, field: str) -> None:
    ada = await world.register("ada")
    path = f"/v1/users/{ada.id}"
    headers = {**ada.auth, "If-Match": await tag_of(world, ada, path)}
    locales = [f"{a}{b}" for a in "de" for b in "abcde"]
    values = locales if field == "locale" else [f"name{n}" for n in range(10)]
    responses = await asyncio.gather(*(world.http.put(path, json={field: one}, headers=headers) for one in values))
    assert sorted(response.status for response in responses) == [200] + [412] * 9


async def test_a_retry_about_a_person_is_not_judged_again(world: World) -> None:
    ada = await world.register("ada")
    path, body = f"/v1/users/{ada.id}", {"bio": "new", "locale": "de"}
    headers = {**ada.auth, "If-Match": await tag_of(world, ada, path), "Idempotency-Key": "once"}
    answers = [await world.http.put(path, json=body, headers=headers) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert await answers[0].json() == await answers[1].json()


async def test_where_the_profile_stands_says_nothing_of_the_account(world: World) -> None:
    ada = await world.register("ada")
    path = f"/v1/users/{ada.id}"
    cursor = (await tag_of(world, ada, path)).partition("-")[0] + '"'
    await problem_of(await world.http.put(path, json={"bio": "x"}, headers={**ada.auth, "If-Match": cursor}), 412)
    assert (await world.http.get(path, headers={**ada.auth, "If-None-Match": cursor})).status == 200
    eve = await world.register("eve")
    await problem_of(await world.http.put(path, json={"bio": "x"}, headers={**eve.auth, "If-Match": cursor}), 403)


async def test_what_belongs_to_no_one_stream_has_a_weak_tag(world: World) -> None:
    ada = await world.register("ada")
    await world.project(ada)
    for path in ("/v1/projects", "/v1/tasks", "/v1/bots"):
        tag = await tag_of(world, ada, path)
        assert tag.startswith('W/"')
        again = await world.http.get(path, headers={**ada.auth, "If-None-Match": f'"x", {tag}'})
        assert (again.status, again.headers["ETag"], await again.read()) == (304, tag, b"")
    await world.project(ada, "Gemini")
    tag = await tag_of(world, ada, "/v1/tasks")
    assert (await world.http.get("/v1/projects", headers={**ada.auth, "If-None-Match": tag})).status == 200


async def test_of_many_at_once_one_is_made(world: World) -> None:
    ada, _, task = await a_task(world)
    headers = {**ada.auth, "If-Match": await tag_of(world, ada, task)}
    changes = [world.http.put(task, json={"title": f"T{n}"}, headers=headers) for n in range(20)]
    statuses = [response.status for response in await asyncio.gather(*changes)]
    assert sorted(statuses) == [200] + [412] * 19


async def test_a_retry_gets_its_first_answer_though_the_condition_holds_no_more(world: World) -> None:
    ada, _, task = await a_task(world)
    headers = {**ada.auth, "If-Match": await tag_of(world, ada, task), "Idempotency-Key": "once"}
    answers = [await world.http.put(task, json={"title": "New"}, headers=headers) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].headers["ETag"] == answers[1].headers["ETag"]


async def test_a_cursor_of_a_lost_future_is_no_condition_that_holds(world: World) -> None:
    ada, _, task = await a_task(world)
    seq = (await tag_of(world, ada, task)).strip('"').partition(".")[0]
    headers = {**ada.auth, "If-Match": f'"{seq}.999999"'}
    await problem_of(await world.http.put(task, json={"title": "New"}, headers=headers), 412)


@pytest.mark.parametrize("tag", ["x", '"x"', 'W/"2.7"', '"2.7", "x"', '"2.7", *', ",", ""])
async def test_what_is_no_tag_is_refused(world: World, tag: str) -> None:
    ada, _, task = await a_task(world)
    headers = {**ada.auth, "If-Match": tag}
    await problem_of(await world.http.put(task, json={"title": "New"}, headers=headers), 400)


async def test_of_several_tags_one_that_holds_is_enough(world: World) -> None:
    ada, _, task = await a_task(world)
    first = await tag_of(world, ada, task)
    for title, named in (("A", '"1.1", {}'), ("B", '{},, "1.1"'), ("C", '"2.1-0123456789abcdef",{}')):
        headers = {**ada.auth, "If-Match": named.format(await tag_of(world, ada, task))}
        assert (await world.http.put(task, json={"title": title}, headers=headers)).status == 200
        await problem_of(await world.http.put(task, json={"title": "x"}, headers=headers), 412)
    lines = CIMultiDict([*ada.auth.items(), ("If-Match", first), ("If-Match", await tag_of(world, ada, task))])
    assert (await world.http.put(task, json={"title": "D"}, headers=lines)).status == 200


async def test_any_state_is_no_condition(world: World) -> None:
    ada, project, task = await a_task(world)
    headers = {**ada.auth, "If-Match": "*"}
    assert (await world.http.put(task, json={"title": "New"}, headers=headers)).status == 200
    assert (await world.http.delete(project, headers=headers)).status == 200


async def test_a_condition_tells_strangers_and_viewers_nothing(world: World) -> None:
    ada, project, task = await a_task(world)
    bob, eve = await world.register("bob"), await world.register("eve")
    await world.send(ada, project.rpartition("/")[2], AddMember(user_id=bob.id, role="viewer"))
    await world.send(ada, project.rpartition("/")[2], CreateTask(title="x"))
    old = {"If-Match": '"1.1"'}
    await problem_of(await world.http.put(task, json={"title": "New"}, headers={**eve.auth, **old}), 404)
    await problem_of(await world.http.put(task, json={"title": "New"}, headers={**bob.auth, **old}), 403)
