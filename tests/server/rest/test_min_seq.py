"""`minSeq`: derived reads show what their reader knows of, or say that they are behind; and how far they are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protocol.log import shard_of
from protocol.members import RemoveMember
from protocol.projects import EditProject
from protocol.tasks import CreateTask
from server.rest.derived import DERIVED_AS_OF, DERIVED_SEQ
from tests.server.rest.test_tasks import NOBODY
from tests.server.world import User, World, next_of, problem_of


def derived(user: User) -> list[str]:
    """The addresses of all derived reads."""
    own = f"/v1/users/{user.id}"
    lists = ["/v1/projects", "/v1/projects?visibility=public", "/v1/tasks", "/v1/invitations"]
    return [*lists, f"{own}/watched", f"{own}/activity", f"{own}/notifications", f"{own}/export"]


def with_query(path: str, query: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{query}"


async def a_project(world: World) -> tuple[User, str, str]:
    """Its owner, its id, and its newest entry as `minSeq`."""
    ada = await world.register("ada")
    project = (await world.project(ada))["id"]
    accepted = await world.send(ada, project, CreateTask(title="x", assignee_ids=[ada.id]))
    return ada, project, f"project/{project}:{accepted.cursor}"


async def test_every_derived_read_says_how_far_it_is(world: World) -> None:
    ada, _, newest = await a_project(world)
    for path in derived(ada):
        answer = await world.http.get(path, headers=ada.auth)
        assert (answer.status, answer.headers.get(DERIVED_AS_OF)) == (200, world.clock.now()), path
        assert DERIVED_SEQ not in answer.headers
        answer = await world.http.get(with_query(path, f"minSeq={newest}"), headers=ada.auth)
        assert (answer.status, answer.headers[DERIVED_SEQ]) == (200, newest.rpartition(".")[0]), path


async def test_a_read_waits_for_an_entry_that_is_still_to_come(world: World) -> None:
    ada, project, _ = await a_project(world)
    for path in derived(ada):
        head = world.lists._states[f"project/{project}"][1]
        wanted = with_query(path, f"minSeq=project/{project}:{head + 1}")
        waiting = asyncio.ensure_future(world.http.get(wanted, headers=ada.auth))
        await world.http.get("/healthz")
        assert not waiting.done()
        await world.send(ada, project, EditProject(name=f"Apollo {head}"))
        answer = await waiting
        assert answer.status == 200, path
        await answer.release()


async def test_what_does_not_come_is_a_conflict_that_says_where_the_stream_stands(world: World) -> None:
    ada, project, newest = await a_project(world)
    refusals = await asyncio.gather(
        *(
            world.http.get(with_query(path, f"minSeq={newest},project/{project}:99"), headers=ada.auth)
            for path in derived(ada)
        )
    )
    for answer in refusals:
        problem = await problem_of(answer, 409)
        assert (problem["details"]["reason"], problem["details"]["cursor"]) == ("ahead", newest.rpartition(":")[2])


async def test_what_stands_still_is_behind(world: World) -> None:
    ada, project, newest = await a_project(world)
    world.lists.standing = frozenset({shard_of(f"project/{project}")})
    await problem_of(await world.http.get(f"/v1/tasks?minSeq={newest}", headers=ada.auth), 503)


async def test_strangers_learn_nothing_of_a_stream_from_waiting_for_it(world: World) -> None:
    ada, project, newest = await a_project(world)
    eve = await world.register("eve")
    for wanted in (newest, f"project/{project}:99", f"project/{NOBODY}:1", f"user/{ada.id}:1"):
        answer = await world.http.get(f"/v1/tasks?minSeq={wanted}", headers=eve.auth)
        assert (answer.status, await answer.json(), DERIVED_SEQ in answer.headers) == (200, [], False)
    await world.add(ada, project, eve)
    left = await world.send(eve, project, RemoveMember(user_id=eve.id))
    answer = await world.http.get(f"/v1/projects?minSeq=project/{project}:{left.cursor}", headers=eve.auth)
    assert (answer.status, await answer.json()) == (200, [])


async def test_a_cursor_of_a_lost_future_is_a_conflict(world: World) -> None:
    ada, _, newest = await a_project(world)
    lost = f"{newest.rpartition('.')[0]}.999"
    problem = await problem_of(await world.http.get(f"/v1/tasks?minSeq={lost}", headers=ada.auth), 409)
    assert problem["details"]["reason"] == "epoch"


async def test_the_next_page_waits_for_the_same(world: World) -> None:
    ada, project, newest = await a_project(world)
    await world.send(ada, project, CreateTask(title="y", assignee_ids=[ada.id]))
    answer = await world.http.get(f"/v1/tasks?limit=1&minSeq={newest}", headers=ada.auth)
    following: Any = next_of(answer)
    assert newest.partition(":")[2] in following
    assert (await world.http.get(following, headers=ada.auth)).headers[DERIVED_SEQ]


@pytest.mark.parametrize(
    "wanted",
    ["x", "1", f"project/{NOBODY}", f"project/{NOBODY}:0", f"project/{NOBODY}:1,", f"circle/{NOBODY}:1", "project/x:1"],
)
async def test_what_is_no_place_is_400(world: World, wanted: str) -> None:
    ada = await world.register("ada")
    await problem_of(await world.http.get(f"/v1/tasks?minSeq={wanted}", headers=ada.auth), 400)


async def test_there_is_an_end_to_what_can_be_asked_for(world: World) -> None:
    ada, _, newest = await a_project(world)
    many = ",".join([newest] * 21)
    await problem_of(await world.http.get(f"/v1/tasks?minSeq={many}", headers=ada.auth), 400)
    assert (await world.http.get(f"/v1/tasks?minSeq={many.rpartition(',')[0]}", headers=ada.auth)).status == 200
