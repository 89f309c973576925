"""Who is removed while an answer is being made does not get it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from actors.runtime.history import History
from actors.runtime.log_reads import LogReads
from protocol.errors import Rejected
from protocol.event import OPERATOR
from protocol.members import AddMember, RemoveMember
from server.entry_json import entry_size
from server.rest.derived import Derivation, DerivedReads, Listing, Page
from server.rest.min_seq import Asked
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
        return "2026-03-01T12:00:00.000Z"

    def monotonic_s(self) -> float:
        return self.seconds


class Fresh:
    """Caught up after some seconds."""

    def __init__(self, clock: Clock, after_s: float) -> None:
        self._clock, self._after_s = clock, after_s
        self.next_step = asyncio.Event()

    def as_of(self, now: str, but: frozenset[int] = frozenset()) -> str | None:
        return now

    async def reached(self, positions: Mapping[int, int], within_s: float) -> frozenset[int]:
        raise NotImplementedError

    async def caught_up(self, within_s: float, positions: Mapping[int, int] | None = None) -> frozenset[int]:
        self._clock.seconds += self._after_s
        if self._after_s > within_s:
            raise TimeoutError
        return frozenset()


@pytest.mark.parametrize(
    ("catching_up_s", "reading_s", "is_given"), [(0.4, 0.5, True), (0.6, 0.5, False), (0, 9, False), (9, 0, False)]
)
async def test_a_list_that_took_too_long_is_behind(
    world: World, catching_up_s: float, reading_s: float, is_given: bool
) -> None:
    clock, asked = Clock(), Asked(OPERATOR)
    log = LogReads(world.feeds, entry_size, clock, 10)
    reads = DerivedReads(Fresh(clock, catching_up_s), log, clock, 1.0)

    async def read(after: tuple[str] | None, limit: int, bytes_max: int) -> list[str]:
        clock.seconds += reading_s
        return ["the list"]

    listing = Listing(read, lambda row: row, lambda row: (row,), lambda row: row)
    if is_given:
        assert await reads.page(listing, None, 10, asked) == Page(["the list"], None, Derivation(clock.now()))
        return
    with pytest.raises(Rejected) as caught:
        await reads.page(listing, None, 10, asked)
    assert caught.value.rejection.details["reason"] == "behind"
