"""Exports: everything, as of one point, whole or visibly not."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest

from actors.project.decider import ProjectActor
from actors.runtime.actor import EntryMeta
from actors.runtime.log_reads import LogReads
from protocol.comments import AddComment, EditComment
from protocol.members import AddMember, RemoveMember
from protocol.messages import decode_event
from protocol.tasks import CreateTask, EditTask
from server.rest.export_places import ExportLimits
from server.rest.personal_data import own_words
from tests.actors.given import uuid
from tests.server.rest.test_bots import a_bot, a_token
from tests.server.rest.test_events import a_log
from tests.server.rest.test_tasks import pages
from tests.server.world import User, World, a_world, problem_of


async def exported(world: World, user: User, path: str) -> list[Any]:
    response = await world.http.get(path, headers=user.auth)
    assert response.status == 200, await response.text()
    assert response.content_type == "application/x-ndjson"
    return [orjson.loads(line) for line in (await response.text()).splitlines()]


async def test_the_entries_lead_to_the_objects(world: World) -> None:
    ada, project, _ = await a_log(world, 400)
    task = (await pages(world, ada, f"/v1/projects/{project}/tasks"))[0]
    await world.send(ada, project, EditTask(task_id=task["id"], title="New"))
    lines = await exported(world, ada, f"/v1/projects/{project}/export")
    assert (lines[0]["export"], lines[-1]["end"]) == (f"project/{project}",) * 2
    entries = [line["entry"] for line in lines if "entry" in line]
    objects = [line for line in lines if "object" in line]
    assert [entry["seq"] for entry in entries] == list(range(1, 403))
    assert (lines[-1]["objects"], lines[-1]["entries"]) == (len(objects), len(entries))
    assert lines[0]["cursor"] == lines[-1]["cursor"] == f"402.{entries[-1]['epoch']}"
    actor = ProjectActor()
    state = actor.initial(f"project/{project}")
    for entry in entries:
        meta = EntryMeta(entry["seq"], entry["opId"], entry["author"], entry["at"], entry["recordedAt"])
        for event in entry["events"]:
            decoded: Any = decode_event(event)
            actor.evolve(state, decoded, meta)
    assert [line["data"] for line in objects if line["object"] == "tasks"] == list(state.tasks.values())
    assert [line["data"] for line in objects if line["object"] == "project"] == [state.project]


async def test_an_export_of_the_past_is_what_was_there_then(world: World) -> None:
    ada, project, _ = await a_log(world, 5)
    task = (await pages(world, ada, f"/v1/projects/{project}/tasks"))[0]
    then = await exported(world, ada, f"/v1/projects/{project}/export")
    await world.send(ada, project, EditTask(task_id=task["id"], title="New"))
    path = f"/v1/projects/{project}/export?asOf={then[0]['cursor'].partition('.')[0]}"
    again = await exported(world, ada, path)
    assert again[1:] == then[1:]
    assert again[0]["cursor"] == then[0]["cursor"]
    records = await exported(world, ada, f"{path}&entries=false")
    assert records[1:-1] == [line for line in then if "object" in line]
    assert records[-1] == {**then[-1], "entries": 0}
    await problem_of(await world.http.get(f"/v1/projects/{project}/export?asOf=99", headers=ada.auth), 404)


async def test_nothing_is_exported_again_to_who_has_the_newest(world: World) -> None:
    ada, project, _ = await a_log(world, 5)
    path = f"/v1/projects/{project}/export"
    first = await world.http.get(path, headers=ada.auth)
    tag = first.headers["ETag"]
    assert tag == f'W/"{orjson.loads((await first.text()).splitlines()[0])["cursor"]}"'
    known = {**ada.auth, "If-None-Match": tag}
    for query in ("", "?entries=false", "?asOf=6"):
        unchanged = await world.http.get(path + query, headers=known)
        assert (unchanged.status, await unchanged.read(), unchanged.headers["ETag"]) == (304, b"", tag)
    eve = await world.register("eve")
    await problem_of(await world.http.get(path, headers={**known, **eve.auth}), 404)
    await world.send(ada, project, CreateTask(title="later"))
    again = await world.http.get(path, headers=known)
    assert (again.status, again.headers["ETag"] != tag) == (200, True)
    past = await world.http.get(f"{path}?asOf=5", headers=known)
    assert (past.status, past.headers["Content-Location"]) == (200, f"{path}?asOf=5")


async def test_what_comes_after_the_point_is_not_in_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, project, _ = await a_log(world, 5)
    honest = LogReads.after

    async def busy(self: LogReads, *arguments: Any) -> Any:
        await world.send(ada, project, CreateTask(title="later"))
        return await honest(self, *arguments)

    monkeypatch.setattr(LogReads, "after", busy)
    lines = await exported(world, ada, f"/v1/projects/{project}/export")
    assert lines[-1]["entries"] == 6


async def test_who_is_removed_meanwhile_gets_no_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, project, _ = await a_log(world, 600)
    bob, eve = await world.register("bob"), await world.register("eve")
    await world.send(ada, project, AddMember(user_id=bob.id, role="viewer"))
    path = f"/v1/projects/{project}/export"
    await problem_of(await world.http.get(path, headers=eve.auth), 404)
    honest = LogReads.after

    async def removing(self: LogReads, principal: Any, stream: str, place: Any, stretch: Any) -> Any:
        if place.seq:
            await world.send(ada, project, RemoveMember(user_id=bob.id))
        return await honest(self, principal, stream, place, stretch)

    monkeypatch.setattr(LogReads, "after", removing)
    with pytest.raises(aiohttp.ClientError):
        await (await world.http.get(path, headers=bob.auth)).text()


async def test_a_user_takes_their_own_data_and_nobody_elses(world: World) -> None:
    ada, project, _ = await a_log(world, 0)
    bob = await world.register("bob", email="bob@example.org", firstName="Bob")
    await world.send(ada, project, AddMember(user_id=bob.id, role="member"))
    await world.send(ada, project, CreateTask(title="Bob's", assignee_ids=[bob.id]))
    lines = await exported(world, bob, f"/v1/users/{bob.id}/export")
    found = {line["object"]: line["data"] for line in lines if "object" in line}
    assert found["account"]["email"] == "bob@example.org"
    assert "password" not in str(found["account"]).lower()
    assert found["project"]["id"] == project
    assert (found["task"]["title"], found["profile"]["firstName"]) == ("Bob's", "Bob")
    assert lines[-1]["end"] == f"profile/{bob.id}"
    await problem_of(await world.http.get(f"/v1/users/{bob.id}/export", headers=ada.auth), 403)


async def test_a_deleted_project_is_in_the_data_of_its_owners_while_it_can_be_restored(world: World) -> None:
    ada, kept, _ = await a_log(world, 0)
    bob = await world.register("bob")
    gone = (await world.project(ada, "Gone"))["id"]
    await world.send(ada, gone, AddMember(user_id=bob.id, role="member"))
    await world.http.delete(f"/v1/projects/{gone}", headers=ada.auth)
    [listed] = await (await world.http.get("/v1/projects?deleted=true", headers=ada.auth)).json()
    living, deleted = (await objects_of(world, ada))["project"]
    assert (living["id"], deleted) == (kept, listed)
    assert deleted["deletedAt"] is not None
    assert "project" not in await objects_of(world, bob)
    await world.http.post(f"/v1/projects/{gone}/purge", headers=ada.auth)
    assert [one["id"] for one in (await objects_of(world, ada))["project"]] == [kept]


async def test_what_a_person_wrote_is_theirs_also_after_they_were_removed(world: World) -> None:
    ada, project, _ = await a_log(world, 0)
    bob = await world.register("bob")
    await world.send(ada, project, AddMember(user_id=bob.id, role="member"))
    kept, changed, others, comment = (uuid(0xE000 + number) for number in range(4))
    await world.send(bob, project, CreateTask(task_id=kept, title="Kept"))
    await world.send(bob, project, CreateTask(task_id=changed, title="Mine"))
    await world.send(ada, project, CreateTask(task_id=others, title="Ada's", assignee_ids=[bob.id]))
    await world.send(bob, project, AddComment(comment_id=comment, task_id=others, body="I wrote this"))
    await world.send(ada, project, AddComment(task_id=others, body="Ada's own"))
    bot = await a_bot(world, bob)
    token = await a_token(world, bob, bot["userId"], scopes=["read"])
    before = await objects_of(world, bob)
    assert [one["title"] for one in before["task"]] == ["Kept", "Mine", "Ada's"]
    assert [one["body"] for one in before["comment"]] == ["I wrote this"]

    world.clock.now_s += 1
    await world.send(ada, project, RemoveMember(user_id=bob.id))
    await world.send(ada, project, EditTask(task_id=changed, title="Ada's secret"))
    await world.send(ada, project, EditComment(comment_id=comment, body="Ada's secret"))
    after = await objects_of(world, bob)
    assert "project" not in after
    assert [(one["projectId"], one["body"]) for one in after["comment"]] == [(project, "I wrote this")]
    assert [(one["id"], one.get("title")) for one in after["task"]] == [(kept, "Kept"), (changed, None)]
    assert after["bot"] == [{**bot, "tokens": [{k: v for k, v in token.items() if k != "token"}]}]
    assert "Ada's" not in str(after)

    await world.http.delete(f"/v1/projects/{project}", headers=ada.auth)
    assert [one["id"] for one in (await objects_of(world, bob))["comment"]] == [comment]
    await world.http.post(f"/v1/projects/{project}/purge", headers=ada.auth)
    assert (await objects_of(world, bob)).keys() == {"account", "bot", "profile"}


async def objects_of(world: World, user: User) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for line in await exported(world, user, f"/v1/users/{user.id}/export"):
        if "object" in line:
            found.setdefault(line["object"], []).append(line["data"])
    return found


def test_only_the_authors_versions_of_a_comment_are_their_words() -> None:
    edits = [
        {"body": "one", "replacedAt": "", "replacedBy": "ada"},
        {"body": "two", "replacedAt": "", "replacedBy": "bob"},
        {"body": "ada's", "replacedAt": "", "replacedBy": "ada"},
    ]
    named = dict.fromkeys(("id", "taskId", "threadId", "replyTo", "createdAt", "updatedAt"))
    said = own_words({**named, "authorId": "ada", "body": "three", "edits": edits, "reactions": ["+1"]})
    assert said == {**named, "authorId": "ada", "body": "three", "formerBodies": ["one", "two"]}


async def test_an_export_more_than_a_user_may_have_at_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_world(exports=ExportLimits(per_user_max=1)) as world:
        ada, project, _ = await a_log(world, 1)
        bob = await world.register("bob")
        begun, goes_on = asyncio.Event(), asyncio.Event()
        honest = LogReads.after

        async def held(self: LogReads, principal: Any, *arguments: Any) -> Any:
            if principal.id == ada.id:
                begun.set()
                await goes_on.wait()
            return await honest(self, principal, *arguments)

        monkeypatch.setattr(LogReads, "after", held)
        path = f"/v1/projects/{project}/export"
        first = asyncio.create_task(exported(world, ada, path))
        await begun.wait()
        for refused in (path, f"/v1/users/{ada.id}/export"):
            response = await world.http.get(refused, headers=ada.auth)
            problem = await problem_of(response, 503)
            assert (problem["code"], problem["details"]["limit"]) == ("overloaded", "exports-per-user")
            assert response.headers["Retry-After"] == "5"
        assert (await exported(world, bob, f"/v1/users/{bob.id}/export"))[-1]["end"] == f"profile/{bob.id}"
        goes_on.set()
        assert (await first)[-1]["end"] == f"project/{project}"
        assert (await exported(world, ada, path))[-1]["end"] == f"project/{project}"
