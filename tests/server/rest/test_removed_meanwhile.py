"""Who is removed while an answer is being made does not get it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from actors.runtime.history import History
from protocol.errors import Rejected
from protocol.members import AddMember, RemoveMember
from server.rest.derived import DerivedReads, Listing, Page
from tests.server.world import User, World, problem_of


async def shared_project(world: World) -> tuple[User, User, str]:
    """An owner, a member and their project's id."""
    ada, bob = await world.register("ada"), await world.register("bob")
    project_id = (await world.project(ada))["id"]
    await world.send(ada, project_id, AddMember(user_id=bob.id, role="admin"))
    return ada, bob, project_id


def meanwhile(monkeypatch: pytest.MonkeyPatch, event: Callable[[], Awaitable[Any]]) -> None:
    """Lets something happen once a past state has been replayed."""
    replay = History.state_at

    async def slow(self: History, *arguments: Any, **bounds: Any) -> Any:
        found = await replay(self, *arguments, **bounds)
        await event()
        return found

    monkeypatch.setattr(History, "state_at", slow)


@pytest.mark.parametrize("path", ["", "/tasks", "/members"])
async def test_a_past_state_is_not_given_to_who_was_removed_during_its_replay(
    world: World, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    ada, bob, project_id = await shared_project(world)
    address = f"/v1/projects/{project_id}{path}?asOf=2"
    assert (await world.http.get(address, headers=bob.auth)).status == 200
    meanwhile(monkeypatch, lambda: world.send(ada, project_id, RemoveMember(user_id=bob.id)))
    await problem_of(await world.http.get(address, headers=bob.auth), 404)


async def test_a_retried_change_shows_nothing_to_who_was_removed_since(world: World) -> None:
    ada, bob, project_id = await shared_project(world)
    headers = {**bob.auth, "Idempotency-Key": "once"}

    async def change() -> Any:
        return await world.http.put(f"/v1/projects/{project_id}", json={"name": "Renamed"}, headers=headers)

    assert (await change()).status == 200
    await world.project(ada)
    assert (await change()).status == 200, "the same answer again"
    await world.send(ada, project_id, RemoveMember(user_id=bob.id))
    await problem_of(await change(), 404)


class Clock:
    """Goes on when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> str:
        raise NotImplementedError

    def monotonic_s(self) -> float:
        return self.seconds


class Fresh:
    """Caught up after some seconds."""

    def __init__(self, clock: Clock, after_s: float) -> None:
        self._clock, self._after_s = clock, after_s

    async def caught_up(self, within_s: float) -> frozenset[int]:
        self._clock.seconds += self._after_s
        if self._after_s > within_s:
            raise TimeoutError
        return frozenset()


@pytest.mark.parametrize(
    ("catching_up_s", "reading_s", "is_given"), [(0.4, 0.5, True), (0.6, 0.5, False), (0, 9, False), (9, 0, False)]
)
async def test_a_list_that_took_too_long_is_behind(catching_up_s: float, reading_s: float, is_given: bool) -> None:
    clock = Clock()
    reads = DerivedReads(Fresh(clock, catching_up_s), clock, 1.0)

    async def read(after: tuple[str] | None, limit: int) -> list[str]:
        clock.seconds += reading_s
        return ["the list"]

    listing = Listing(read, lambda row: row, lambda row: (row,))
    if is_given:
        assert await reads.page(listing, None, 10) == Page(["the list"], None, incomplete=False)
        return
    with pytest.raises(Rejected) as caught:
        await reads.page(listing, None, 10)
    assert caught.value.rejection.details["reason"] == "behind"
