"""A change over REST is answered with what it left, taken in its own turn: no past is read for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from actors.runtime.history import History
from protocol.members import RemoveMember
from protocol.tasks import CreateTask, DeleteTask
from server.streams import Streams
from tests.server.rest.test_removed_meanwhile import shared_project
from tests.server.world import World, problem_of


@pytest.fixture
def no_past(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*arguments: Any, **bounds: Any) -> Any:
        raise AssertionError("a past was read")

    monkeypatch.setattr(History, "state_at", none)


def right_after(monkeypatch: pytest.MonkeyPatch, event: Callable[[Any], Awaitable[Any]]) -> None:
    """Lets something happen between the next command and its answer."""
    command = Streams.command

    async def followed(self: Streams, *arguments: Any) -> Any:
        monkeypatch.setattr(Streams, "command", command)
        outcome = await command(self, *arguments)
        await event(outcome)
        return outcome

    monkeypatch.setattr(Streams, "command", followed)


@pytest.mark.usefixtures("no_past")
async def test_changes_at_the_same_moment_are_each_answered_as_of_their_own_entry(world: World) -> None:
    ada = await world.register("ada")
    path = f"/v1/projects/{(await world.project(ada))['id']}/tasks"
    posts = (world.http.post(path, json={"title": f"t{n}"}, headers=ada.auth) for n in range(30))
    made = await asyncio.gather(*posts)
    assert {response.status for response in made} == {201}
    tasks = [await response.json() for response in made]
    assert sorted(task["title"] for task in tasks) == sorted(f"t{n}" for n in range(30))
    assert [response.headers["Location"] for response in made] == [f"{path}/{task['id']}" for task in tasks]
    seqs = [int(response.headers["ETag"].strip('"').partition(".")[0]) for response in made]
    assert sorted(seqs) == list(range(min(seqs), min(seqs) + 30))
    one = f"{path}/{tasks[0]['id']}"
    edits = (world.http.put(one, json={"title": f"e{n}"}, headers=ada.auth) for n in range(10))
    edited = await asyncio.gather(*edits)
    assert sorted([(await response.json())["title"] for response in edited]) == [f"e{n}" for n in range(10)]


@pytest.mark.usefixtures("no_past")
async def test_the_tag_of_an_answer_is_that_of_what_it_shows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await world.register("ada")
    project = (await world.project(ada))["id"]
    path = f"/v1/projects/{project}/tasks"
    right_after(monkeypatch, lambda _: world.send(ada, project, CreateTask(title="another")))
    made = await world.http.post(path, json={"title": "one"}, headers=ada.auth)
    one, tag = f"{path}/{(await made.json())['id']}", made.headers["ETag"]
    assert (await world.http.get(one, headers={**ada.auth, "If-None-Match": tag})).status == 304
    edit = await world.http.put(one, json={"title": "two"}, headers={**ada.auth, "If-Match": tag})
    assert edit.status == 200, "others' changes do not touch the record"
    late = await world.http.put(one, json={"title": "three"}, headers={**ada.auth, "If-Match": tag})
    await problem_of(late, 412)


@pytest.mark.usefixtures("no_past")
async def test_what_is_deleted_right_after_is_shown_as_it_was_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.register("ada")
    project = (await world.project(ada))["id"]
    right_after(monkeypatch, lambda made: world.send(ada, project, DeleteTask(task_id=made.result["taskId"])))
    made = await world.http.post(f"/v1/projects/{project}/tasks", json={"title": "one"}, headers=ada.auth)
    assert (made.status, (await made.json())["deletedAt"]) == (201, None)


@pytest.mark.usefixtures("no_past")
async def test_who_is_removed_right_after_learns_what_they_did_and_nothing_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob, project = await shared_project(world)
    headers = {**bob.auth, "Idempotency-Key": "once"}
    right_after(monkeypatch, lambda _: world.send(ada, project, RemoveMember(user_id=bob.id)))

    async def post() -> Any:
        return await world.http.post(f"/v1/projects/{project}/tasks", json={"title": "one"}, headers=headers)

    made = await post()
    assert (made.status, (await made.json())["title"]) == (201, "one")
    await problem_of(await post(), 404)
