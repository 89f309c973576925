"""A shard that the projection cannot go on with takes its own projects out of the lists, and nobody else's."""

from __future__ import annotations

import pytest

from protocol.log import shard_of
from protocol.members import AddMember, RemoveMember
from protocol.tasks import CreateTask
from tests.server.world import ADMIN_TOKEN, World, next_of, problem_of


def shard(project_id: str) -> int:
    return shard_of(f"project/{project_id}")


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_lists_leave_out_the_projects_of_a_standing_shard_and_say_so(world: World, size: int) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    ids = [(await world.project(ada, f"Apollo {number}"))["id"] for number in range(7)]
    for project_id in ids:
        await world.send(ada, project_id, AddMember(user_id=bob.id, role="member"))
        await world.send(ada, project_id, CreateTask(title="Bob's", assignee_ids=[bob.id]))
    world.lists.standing = frozenset(shard(project_id) for project_id in ids[2:4])
    shown = {project_id for project_id in ids if shard(project_id) not in world.lists.standing}
    assert 0 < len(shown) < len(ids)
    operator = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    for path, auth, field in (
        ("/v1/projects", bob.auth, "id"),
        ("/v1/tasks", bob.auth, "projectId"),
        ("/v1/projects", operator, "id"),
    ):
        found: list[str] = []
        place: str | None = f"{path}?limit={size}"
        while place is not None:
            answer = await world.http.get(place, headers=auth)
            page = await answer.json()
            assert (answer.status, answer.headers["Derived-State"]) == (200, "incomplete")
            found += [one[field] for one in page]
            place = next_of(answer)
            assert len(page) == size or place is None, "what is left out makes no page shorter"
        assert len(found) == len(shown)
        assert set(found) == shown


async def test_a_removal_that_was_not_projected_gives_nothing_away(world: World) -> None:
    """The projection stands before the removal: whoever was removed must not read on from the old rows."""
    ada, bob = await world.register("ada"), await world.register("bob")
    project_id = (await world.project(ada))["id"]
    await world.send(ada, project_id, AddMember(user_id=bob.id, role="member"))
    rows = dict(world.lists._states)
    await world.send(ada, project_id, RemoveMember(user_id=bob.id))
    world.lists._states = rows
    world.lists.standing = frozenset({shard(project_id)})
    for path in ("/v1/projects", "/v1/tasks"):
        answer = await world.http.get(path, headers=bob.auth)
        assert (answer.status, await answer.json()) == (200, [])
        assert answer.headers["Derived-State"] == "incomplete"


async def test_whole_lists_say_nothing_and_late_ones_are_still_refused(world: World) -> None:
    ada = await world.register("ada")
    await world.project(ada)
    answer = await world.http.get("/v1/projects", headers=ada.auth)
    assert (answer.status, "Derived-State" in answer.headers) == (200, False)
    world.lists.fresh = False
    problem = await problem_of(await world.http.get("/v1/projects", headers=ada.auth), 503)
    assert problem["details"]["reason"] == "behind"
