"""Comments over REST: threads, replies, mentions, corrections."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from protocol.members import AddMember, RemoveMember
from protocol.tasks import CreateTask
from server.rest.pages import PageSizes
from tests.server.rest.test_tasks import pages
from tests.server.world import CHEAP, User, World, a_world, problem_of

NOBODY = "018f0000-0000-7000-8000-0000000000ff"


class Room(NamedTuple):
    """A project with a task, its owner, a commenter and a stranger."""

    ada: User
    bob: User
    eve: User
    project: str
    task_id: str

    @property
    def comments(self) -> str:
        return f"{self.project}/tasks/{self.task_id}/comments"


async def a_room(world: World) -> Room:
    ada, bob, eve = [await world.register(name) for name in ("ada", "bob", "eve")]
    project_id = (await world.project(ada))["id"]
    await world.send(ada, project_id, AddMember(user_id=bob.id, role="commenter"))
    made = await world.send(ada, project_id, CreateTask(title="Land"))
    return Room(ada, bob, eve, f"/v1/projects/{project_id}", made.result["taskId"])


async def say(world: World, room: Room, user: User, status: int = 201, **body: Any) -> dict[str, Any]:
    response = await world.http.post(room.comments, json=body, headers=user.auth)
    answer: dict[str, Any] = await response.json()
    assert response.status == status, answer
    return answer


async def test_a_thread_is_said_answered_and_read_in_pages() -> None:
    async with a_world(CHEAP, PageSizes(default=2, largest=5)) as world:
        room = await a_room(world)
        first = await say(world, room, room.ada, body="Ready, @bob and @eve?")
        assert (first["threadId"], first["mentions"]) == (None, [room.bob.id])
        replies = [await say(world, room, room.bob, body=f"Yes {n}", replyTo=first["id"]) for n in range(3)]
        assert {reply["threadId"] for reply in replies} == {first["id"]}
        deep = await say(world, room, room.ada, body="Good", replyTo=replies[2]["id"])
        assert (deep["threadId"], deep["replyTo"]) == (first["id"], replies[2]["id"])
        other = await say(world, room, room.ada, body="Next")
        assert await pages(world, room.ada, room.comments) == [
            {**first, "replyCount": 4},
            {**other, "replyCount": 0},
        ]
        one = f"{room.project}/comments/{first['id']}"
        assert await pages(world, room.bob, f"{one}/replies") == [*replies, deep]
        response = await world.http.get(one, headers=room.bob.auth)
        assert await response.json() == first
        again = await world.http.get(one, headers={**room.bob.auth, "If-None-Match": response.headers["ETag"]})
        assert again.status == 304


async def test_a_correction_mentions_anew_and_keeps_what_was_said(world: World) -> None:
    room = await a_room(world)
    said = await say(world, room, room.bob, body="Hello @ada")
    one = f"{room.project}/comments/{said['id']}"
    response = await world.http.put(one, json={"body": "Hello `@ada`"}, headers=room.bob.auth)
    corrected = await response.json()
    assert (response.status, corrected["mentions"]) == (200, [])
    assert [edit["body"] for edit in corrected["edits"]] == ["Hello @ada"]
    assert (await (await world.http.get(f"{one}?asOf=4", headers=room.bob.auth)).json())["body"] == "Hello @ada"


async def test_a_retry_gets_the_first_answer_and_another_text_a_conflict(world: World) -> None:
    room = await a_room(world)
    headers = {**room.bob.auth, "Idempotency-Key": "once"}
    first = await world.http.post(room.comments, json={"body": "Hello @ada"}, headers=headers)
    said = await first.json()
    one = f"{room.project}/comments/{said['id']}"
    assert first.headers["Location"] == one
    assert (await world.http.put(one, json={"body": "Bye"}, headers=room.bob.auth)).status == 200
    again = await world.http.post(room.comments, json={"body": "Hello @ada"}, headers=headers)
    assert (again.status, await again.json()) == (201, said)
    other = await world.http.post(room.comments, json={"body": "Other"}, headers=headers)
    assert (await problem_of(other, 409))["code"] == "op_id_reused"
    project_id = room.project.rpartition("/")[2]
    await world.send(room.ada, project_id, RemoveMember(user_id=room.bob.id))
    await problem_of(await world.http.post(room.comments, json={"body": "Hello @ada"}, headers=headers), 404)


@pytest.mark.parametrize(
    "body",
    [{}, {"body": ""}, {"body": " \n"}, {"body": 1}, {"body": "x", "replyTo": "1"}, {"body": "x", "taskId": NOBODY}],
)
async def test_what_is_no_comment_is_400(world: World, body: dict[str, Any]) -> None:
    room = await a_room(world)
    await problem_of(await world.http.post(room.comments, json=body, headers=room.ada.auth), 400)


async def test_strangers_and_wrong_ids_find_nothing(world: World) -> None:
    room = await a_room(world)
    said = await say(world, room, room.ada, body="Hello")
    one = f"{room.project}/comments/{said['id']}"
    for path in (room.comments, one, f"{one}/replies"):
        await problem_of(await world.http.get(path, headers=room.eve.auth), 404)
    await problem_of(await world.http.post(room.comments, json={"body": "x"}, headers=room.eve.auth), 404)
    await problem_of(await world.http.put(one, json={"body": "x"}, headers=room.eve.auth), 404)
    await problem_of(await world.http.put(one, json={"body": "x"}, headers=room.bob.auth), 403)
    await problem_of(await world.http.get(f"{room.project}/comments/{NOBODY}", headers=room.ada.auth), 404)
    await problem_of(await world.http.get(f"{room.project}/comments/1", headers=room.ada.auth), 400)
    nowhere = f"{room.project}/tasks/{NOBODY}/comments"
    await problem_of(await world.http.post(nowhere, json={"body": "x"}, headers=room.ada.auth), 404)
    await say(world, room, room.ada, 404, body="x", replyTo=NOBODY)
