"""What is read from a halted stream says that it is incomplete."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from protocol.tasks import CreateTask
from tests.server.world import World, problem_of


def damaged(world: World, stream: str, seq: int) -> Any:
    """Makes an entry unreadable and lets the actor go; the result repairs it."""
    entries: Any = world.storage.journal._streams[stream]
    good = entries[seq - 1]
    entries[seq - 1] = replace(good, payload=b"\xc1")
    assert world.region.passivate(stream)

    def repair() -> None:
        entries[seq - 1] = good
        assert world.region.passivate(stream)

    return repair


@pytest.mark.parametrize("part", ["", "/tasks", "/members"])
async def test_an_answer_of_a_halted_project_says_so_until_it_is_repaired(world: World, part: str) -> None:
    ada = await world.register("ada")
    project_id = (await world.project(ada))["id"]
    for title in ("first", "second"):
        await world.send(ada, project_id, CreateTask(title=title))
    address = f"/v1/projects/{project_id}{part}"
    repair = damaged(world, f"project/{project_id}", 3)
    halted = await world.http.get(address, headers=ada.auth)
    assert (halted.status, halted.headers["Stream-State"]) == (200, "halted")
    assert halted.headers["ETag"].startswith('"2.')
    unchanged = await world.http.get(address, headers={**ada.auth, "If-None-Match": halted.headers["ETag"]})
    assert (unchanged.status, unchanged.headers["Stream-State"]) == (304, "halted")
    past = await world.http.get(address + "?asOf=2", headers=ada.auth)
    assert (past.status, "Stream-State" in past.headers) == (200, False), "the past is complete"
    await problem_of(await world.http.get(address + "?asOf=3", headers=ada.auth), 503)
    repair()
    whole = await world.http.get(address, headers=ada.auth)
    assert (whole.status, "Stream-State" in whole.headers) == (200, False)
    assert whole.headers["ETag"].startswith('"3.')


async def test_a_halted_profile_says_so_too(world: World) -> None:
    ada = await world.register("ada")
    assert (await world.http.put(f"/v1/users/{ada.id}", json={"bio": "sails"}, headers=ada.auth)).status == 200
    damaged(world, f"profile/{ada.id}", 2)
    answer = await world.http.get(f"/v1/users/{ada.id}", headers=ada.auth)
    assert (answer.status, answer.headers["Stream-State"]) == (200, "halted")
