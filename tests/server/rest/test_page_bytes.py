"""Pages end by their bytes as well, and a walk through them finds everything once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from protocol.comments import AddComment
from protocol.log import shard_of
from protocol.milestones import CreateMilestone
from protocol.projects import EditProject
from protocol.tasks import CreateTask
from protocol.watchers import WatchTask
from server.rest.pages import PageSizes, encoded_bytes
from tests.server.world import CHEAP, User, World, a_world, next_of

BYTES_MAX = 8000
TEXTS = ["a" * 3000, "b" * 3000, "c" * 20_000, "d" * 3000, "e" * 3000, "f" * 3000, "g"]
"""By number: two fit on a page, one has a page of its own, then two and two."""


async def _walk(world: World, user: User, first: str, key: str | None = None) -> list[list[dict[str, Any]]]:
    """The pages of a list."""
    found: list[list[dict[str, Any]]] = []
    path: str | None = first
    while path is not None:
        response = await world.http.get(path, headers=user.auth)
        assert response.status == 200, await response.text()
        body = await response.json()
        found.append(body if key is None else body[key])
        path = next_of(response)
    return found


async def _filled(world: World, ada: User) -> tuple[str, str, str]:
    """A project with all kinds of things that hold long texts; a task with comments, and one with replies."""
    project = (await world.project(ada))["id"]
    task_id = ""
    for text in TEXTS:
        created = await world.send(ada, project, CreateTask(title="x", description=text, assignee_ids=[ada.id]))
        task_id = created.result["taskId"]
        await world.send(ada, project, WatchTask(task_id=task_id))
        await world.send(ada, project, CreateMilestone(name=text[:1], description=text))
        other = (await world.project(ada))["id"]
        await world.send(ada, other, EditProject(description=text))
        world.clock.now_s += 1
    said = (await world.send(ada, project, AddComment(task_id=task_id, body="x"))).result["commentId"]
    for text in TEXTS:
        await world.send(ada, project, AddComment(task_id=task_id, body=text))
        await world.send(ada, project, AddComment(task_id=task_id, body=text, reply_to=said))
    return project, task_id, said


def _check(pages: Sequence[Sequence[dict[str, Any]]], text: str, id_of: str = "id") -> None:
    items = [item for page in pages for item in page]
    assert len({item[id_of] for item in items}) == len(items) >= len(TEXTS)
    assert {item[text] for item in items} >= set(TEXTS)
    for page in pages:
        assert len(page) == 1 or sum(map(encoded_bytes, page)) <= BYTES_MAX
    for page, behind in pairwise(pages):
        assert sum(map(encoded_bytes, [*page, behind[0]])) > BYTES_MAX, "a page ends before it is full"


@pytest.mark.parametrize("limit", [7, 1000])
async def test_pages_end_by_their_bytes(limit: int) -> None:
    async with a_world(CHEAP, PageSizes(bytes_max=BYTES_MAX)) as world:
        ada = await world.register("ada")
        project, task_id, said = await _filled(world, ada)
        path = f"/v1/projects/{project}"
        for address, text in (
            (f"{path}/tasks", "description"),
            (f"{path}/tasks/{task_id}/comments", "body"),
            (f"{path}/comments/{said}/replies", "body"),
            (f"{path}/milestones", "description"),
            ("/v1/tasks", "description"),
            (f"/v1/users/{ada.id}/watched", "description"),
            ("/v1/projects", "description"),
        ):
            pages = await _walk(world, ada, f"{address}?limit={limit}")
            _check(pages, text)
        since = await _walk(world, ada, f"{path}/tasks?limit={limit}&asOf=24")
        assert [item["description"] for page in since for item in page] == TEXTS
        changes = await _walk(world, ada, f"{path}/diff?from=1&limit={limit}", "changes")
        assert len(changes) > 10
        assert all(len(page) == 1 or sum(map(encoded_bytes, page)) <= BYTES_MAX for page in changes)


async def test_large_rows_that_stand_still_end_no_walk() -> None:
    async with a_world(CHEAP, PageSizes(bytes_max=BYTES_MAX)) as world:
        ada = await world.register("ada")
        await _filled(world, ada)
        every = [one for page in await _walk(world, ada, "/v1/projects") for one in page]
        large = next(one for one in every if len(one["description"]) > BYTES_MAX)
        world.lists.standing = standing = frozenset({shard_of(f"project/{large['id']}")})
        seen = [one for page in await _walk(world, ada, "/v1/projects") for one in page]
        assert seen == [one for one in every if shard_of(f"project/{one['id']}") not in standing]
