"""Reactions over REST."""

from __future__ import annotations

from typing import Any

import pytest
from yarl import URL

from tests.server.rest.test_threads import NOBODY, Room, a_room, say
from tests.server.world import User, World, problem_of


async def a_comment(world: World) -> tuple[Room, str]:
    """A room, and the path of a comment in it."""
    room = await a_room(world)
    said = await say(world, room, room.ada, body="Landed")
    return room, f"{room.project}/comments/{said['id']}"


async def change(world: World, method: str, path: str, user: User) -> dict[str, Any]:
    response = await world.http.request(method, path, headers=user.auth)
    answer: dict[str, Any] = await response.json()
    assert response.status == 200, answer
    return answer


async def test_a_reaction_is_put_and_removed_as_often_as_one_likes(world: World) -> None:
    room, comment = await a_comment(world)
    for _ in range(2):
        liked = await change(world, "PUT", f"{comment}/reactions/👍", room.bob)
        assert liked["reactions"] == [{"emoji": "👍", "userIds": [room.bob.id]}]
    both = await change(world, "PUT", f"{comment}/reactions/👍", room.ada)
    assert both["reactions"] == [{"emoji": "👍", "userIds": [room.bob.id, room.ada.id]}]
    for _ in range(2):
        left = await change(world, "DELETE", f"{comment}/reactions/👍", room.bob)
        assert left["reactions"] == [{"emoji": "👍", "userIds": [room.ada.id]}]


@pytest.mark.parametrize("emoji", ["x", "%00", "%FF", "%F0%9F", "👍👍", "%F0%9F%91%8D%EF%B8%8E", "a" * 5000])
async def test_what_is_no_emoji_is_400(world: World, emoji: str) -> None:
    room, comment = await a_comment(world)
    path = URL(f"{comment}/reactions/{emoji}", encoded="%" in emoji)
    await problem_of(await world.http.put(path, headers=room.bob.auth), 400)


async def test_strangers_react_to_nothing(world: World) -> None:
    room, comment = await a_comment(world)
    await problem_of(await world.http.put(f"{comment}/reactions/👍", headers=room.eve.auth), 404)
    nowhere = f"{room.project}/comments/{NOBODY}/reactions/👍"
    await problem_of(await world.http.delete(nowhere, headers=room.bob.auth), 404)


async def test_a_deleted_comment_shows_nothing_and_comes_back(world: World) -> None:
    room, comment = await a_comment(world)
    before = await change(world, "PUT", f"{comment}/reactions/👍", room.bob)
    gone = await change(world, "DELETE", comment, room.ada)
    assert (gone["body"], gone["reactions"], gone["deletedBy"]) == ("", [], room.ada.id)
    assert await change(world, "GET", comment, room.bob) == gone
    await problem_of(await world.http.put(f"{comment}/reactions/👍", headers=room.bob.auth), 422)
    await problem_of(await world.http.post(f"{comment}/restore", headers=room.bob.auth), 403)
    back = await change(world, "POST", f"{comment}/restore", room.ada)
    assert back == {**before, "updatedAt": back["updatedAt"]}
