"""Notifications and preferences over REST: one's own, and nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from protocol.event import SYSTEM
from protocol.notifications import Notify
from server.streams import Wish, granted
from storage.memory.consumers import MemoryConsumers
from tests.actors.given import PROJECT_ID, uuid
from tests.server.telling import a_project_of_two, log_of, tasks_in, tell
from tests.server.world import ADMIN_TOKEN, User, World, a_world, next_of, problem_of

OPERATOR = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as world:
        yield world


async def told(world: World, user: User, *tasks: int) -> None:
    """The user is told of something about each of these tasks."""
    for number, task in enumerate(tasks, 1):
        command = Notify(
            source={"stream": f"project/{PROJECT_ID}", "seq": number},
            subject={"projectId": PROJECT_ID, "taskId": uuid(task), "commentId": None},
            reasons=["watched"],
            actor_id=uuid(0x999),
        )
        granted(await world.streams.command(Wish(f"user/{user.id}", command, SYSTEM, world.new_id())))


async def test_pages_of_groups_with_the_exact_count(world: World) -> None:
    bob = await world.register("bob_b")
    await told(world, bob, 1, 2, 3, 1)
    address = f"/v1/users/{bob.id}/notifications"
    response = await world.http.get(f"{address}?limit=2", headers=bob.auth)
    first = await response.json()
    assert [one["subject"]["taskId"] for one in first["items"]] == [uuid(1), uuid(3)]
    assert (first["unread"], first["readUpTo"], first["items"][0]["count"]) == (4, 0, 2)
    following = next_of(response)
    assert following is not None
    rest = await (await world.http.get(following, headers=bob.auth)).json()
    assert [one["subject"]["taskId"] for one in rest["items"]] == [uuid(2)]


async def test_a_bulk_edit_is_told_task_by_task_and_explained_as_a_whole_or_for_one(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    tasks = await tasks_in(world, ada, project_id, 3)
    edits = [{"taskId": task_id, "addAssignees": [bob.id]} for task_id in tasks[:2]]
    path = f"/v1/projects/{project_id}/tasks/bulk"
    assert (await world.http.post(path, json={"edits": edits}, headers=ada.auth)).status == 200
    entries = await log_of(world, project_id)
    await tell(world, MemoryConsumers(), entries)
    base = f"/v1/users/{bob.id}/notifications"
    body = await (await world.http.get(base, headers=bob.auth)).json()
    lines = [(one["subject"]["taskId"], one["reasons"], one["unread"]) for one in body["items"]]
    assert (lines, body["unread"]) == ([(one, ["assigned"], 1) for one in (tasks[1], tasks[0])], 2)

    async def why(**about: str) -> dict[str, Any]:
        query = {"stream": f"project/{project_id}", "seq": str(entries[-1].seq), **about}
        answer: dict[str, Any] = await (await world.http.get(f"{base}/explain", params=query, headers=bob.auth)).json()
        return answer

    assert await why() == {
        "source": {"stream": f"project/{project_id}", "seq": entries[-1].seq},
        "why": "told",
        "message": "you were told of it",
        "reasons": ["assigned"],
        "number": 2,
        "channels": ["inbox", "email", "push"],
        "quietUntil": None,
    }
    assert [(await why(taskId=one)).get("number") for one in tasks] == [1, 2, None]
    assert (await why(taskId=tasks[2]))["why"] == "notConcerned"


async def test_reading_moves_the_marker_forward_only(world: World) -> None:
    bob = await world.register("bob_b")
    await told(world, bob, 1, 2, 3)
    address = f"/v1/users/{bob.id}/notifications/read"
    for body, expected in (({"upTo": 2}, (1, 2)), ({"upTo": 1}, (1, 2)), ({}, (0, 3))):
        answer = await (await world.http.post(address, json=body, headers=bob.auth)).json()
        assert (answer["unread"], answer["readUpTo"]) == expected
    for wrong in ({"upTo": 0}, {"upTo": "1"}, {"upTo": 1.5}, {"all": True}):
        assert (await problem_of(await world.http.post(address, json=wrong, headers=bob.auth), 400))[
            "code"
        ] == "invalid"


async def test_nobody_else_sees_or_moves_it(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob_b")
    base = f"/v1/users/{bob.id}"
    assert (await world.http.get(f"{base}/notifications")).status == 401
    for headers in (ada.auth, OPERATOR):
        moved = await world.http.post(f"{base}/notifications/read", json={}, headers=headers)
        assert (await problem_of(moved, 404))["code"] == "not_found"
        muted = await world.http.put(f"{base}/preferences/muted/{PROJECT_ID}", headers=headers)
        assert (await problem_of(muted, 404))["code"] == "not_found"
    for path in ("notifications", "preferences"):
        assert (await world.http.get(f"{base}/{path}", headers=ada.auth)).status == 404
        assert (await world.http.get(f"{base}/{path}", headers=OPERATOR)).status == 200


async def test_preferences_are_changed_in_part(world: World) -> None:
    bob = await world.register("bob_b")
    address = f"/v1/users/{bob.id}/preferences"
    night = {"start": "22:00", "end": "07:00", "timezone": "Europe/Berlin"}
    answer = await world.http.patch(address, json={"channels": {"watched": []}, "quietHours": night}, headers=bob.auth)
    shown = await answer.json()
    assert (shown["channels"]["watched"], shown["quietHours"]) == ([], night)
    assert shown["channels"]["mentioned"] == ["inbox", "email", "push"]
    refused = await world.http.patch(address, json={"channels": {"watched": ["email"]}}, headers=bob.auth)
    assert "inbox" in (await problem_of(refused, 400))["detail"]
    muted = await world.http.put(f"{address}/muted/{PROJECT_ID}", headers=bob.auth)
    assert (await muted.json())["mutedProjectIds"] == [PROJECT_ID]
    unmuted = await world.http.delete(f"{address}/muted/{PROJECT_ID}", headers=bob.auth)
    assert (await unmuted.json())["mutedProjectIds"] == []
