"""The log in pages: complete, in order, with cursors that are judged, and for nobody who may not see it now."""

from __future__ import annotations

from typing import Any

import pytest

from actors.runtime.log_reads import LogReads
from protocol.members import AddMember, RemoveMember
from protocol.tasks import CreateTask
from server.rest.pages import PageSizes
from tests.server.rest.test_tasks import NOBODY
from tests.server.world import CHEAP, User, World, a_world, next_of, problem_of


async def a_log(world: World, tasks: int = 4) -> tuple[User, str, str]:
    """An owner, a project with `tasks` + 1 entries, and the address of its events."""
    ada = await world.register("ada")
    project = (await world.project(ada))["id"]
    for number in range(tasks):
        await world.send(ada, project, CreateTask(title=f"Task {number}"))
    return ada, project, f"/v1/projects/{project}/events"


async def read(world: World, user: User, path: str) -> Any:
    response = await world.http.get(path, headers=user.auth)
    assert response.status == 200, await response.text()
    return await response.json()


async def test_pages_hold_the_whole_log_once() -> None:
    async with a_world(CHEAP, PageSizes(default=3, largest=5)) as world:
        ada, project, path = await a_log(world, 600)
        seqs: list[int] = []
        page: Any = None
        address: str | None = path + "?limit=5"
        while address is not None:
            response = await world.http.get(address, headers=ada.auth)
            page = await response.json()
            assert page["stream"] == f"project/{project}"
            assert page["cursor"].partition(".")[0] == str(page["entries"][-1]["seq"])
            seqs += [entry["seq"] for entry in page["entries"]]
            address = next_of(response)
        assert seqs == list(range(1, 602))
        assert page["cursor"] == page["head"]
        assert page["entries"][-1]["events"][0]["kind"] == "TaskCreated"


async def test_a_cursor_and_a_seq_name_the_same_place(world: World) -> None:
    ada, _, path = await a_log(world)
    page = await read(world, ada, path + "?limit=2")
    rest: Any = None
    for place in (page["cursor"], "2"):
        rest = await read(world, ada, f"{path}?after={place}")
        assert [entry["seq"] for entry in rest["entries"]] == [3, 4, 5]
    assert (await read(world, ada, f"{path}?after={rest['cursor']}"))["entries"] == []
    assert (await read(world, ada, f"{path}?after=0.0"))["entries"][0]["seq"] == 1


@pytest.mark.parametrize(
    ("place", "reason"), [("2.999", "epoch"), ("0.7", "epoch"), ("99.7", "ahead"), ("99", "ahead")]
)
async def test_a_place_that_is_none_says_why_and_where_the_stream_stands(world: World, place: str, reason: str) -> None:
    ada, _, path = await a_log(world)
    problem = await problem_of(await world.http.get(f"{path}?after={place}", headers=ada.auth), 409)
    head = (await read(world, ada, path))["head"]
    assert problem["details"] == {"reason": reason, "cursor": head}


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=1.2.3", "after=" + "9" * 30, "limit=0", "before=1"])
async def test_a_query_that_does_not_fit_is_400(world: World, query: str) -> None:
    ada, _, path = await a_log(world, 0)
    await problem_of(await world.http.get(f"{path}?{query}", headers=ada.auth), 400)


async def test_an_unchanged_log_is_not_sent_again(world: World) -> None:
    ada, project, path = await a_log(world)
    tag = (await world.http.get(path, headers=ada.auth)).headers["ETag"]
    asked = {**ada.auth, "If-None-Match": tag}
    assert (await world.http.get(path, headers=asked)).status == 304
    await world.send(ada, project, CreateTask(title="New"))
    assert (await world.http.get(path, headers=asked)).status == 200


async def test_strangers_get_nothing_and_learn_nothing(world: World) -> None:
    _, _, path = await a_log(world)
    eve = await world.register("eve")
    theirs = await problem_of(await world.http.get(path, headers=eve.auth), 404)
    nobodys = await problem_of(await world.http.get(f"/v1/projects/{NOBODY}/events", headers=eve.auth), 404)
    assert theirs == nobodys
    for query in ("after=99", "after=2.999"):
        await problem_of(await world.http.get(f"{path}?{query}", headers=eve.auth), 404)
    await problem_of(await world.http.get(path), 401)


async def test_who_is_removed_while_the_log_is_read_gets_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, project, path = await a_log(world)
    bob = await world.register("bob")
    await world.send(ada, project, AddMember(user_id=bob.id, role="viewer"))
    assert len((await read(world, bob, path))["entries"]) == 6
    honest = LogReads._read

    async def slow(self: LogReads, *arguments: Any) -> Any:
        found = await honest(self, *arguments)
        await world.send(ada, project, RemoveMember(user_id=bob.id))
        return found

    monkeypatch.setattr(LogReads, "_read", slow)
    await problem_of(await world.http.get(path, headers=bob.auth), 404)


async def test_a_page_ends_where_it_is_large(world: World) -> None:
    ada, project, path = await a_log(world, 0)
    for number in range(60):
        await world.send(ada, project, CreateTask(title=f"Task {number}", description="d" * 100_000))
    response = await world.http.get(path + "?limit=100", headers=ada.auth)
    page = await response.json()
    assert len(await response.read()) <= 4 << 20
    assert 30 < len(page["entries"]) < 61
    rest = await (await world.http.get(str(next_of(response)), headers=ada.auth)).json()
    assert rest["entries"][0]["seq"] == page["entries"][-1]["seq"] + 1


async def test_everybody_may_read_a_profile(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    page = await read(world, bob, f"/v1/users/{ada.id}/profile/events")
    assert [entry["events"][0]["kind"] for entry in page["entries"]] == ["ProfileCreated"]
