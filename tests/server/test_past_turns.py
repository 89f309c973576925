"""Looks into the past take turns: few at once, a share for each user, a bounded wait, and none for who has hung up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from protocol.cursors import Cursor
from protocol.errors import ErrorCode, Rejected
from server.past_turns import PastLimits, PastTurns
from tests.actors.runtime.world import settle

LIMITS = PastLimits(at_once_max=3, at_once_per_user_max=2, waiting_max=6, waiting_per_user_max=4)


class NoHistory:
    """Nothing of it is read here."""

    async def state_at(
        self, stream: str, *, seq: int | None = None, at: str | None = None
    ) -> tuple[Any, Cursor] | None:
        raise NotImplementedError


class Asker:
    """One look into the past, which takes until it is told to end."""

    def __init__(self, turns: PastTurns, user: str, order: list[str], name: str) -> None:
        self._turns, self.user, self._order, self.name = turns, user, order, name
        self.has_hung_up = False
        self.ending = asyncio.Event()
        self.task = asyncio.create_task(self._run(), name=name)

    async def _run(self) -> None:
        async with self._turns.turn(self.user, lambda: self.has_hung_up):
            self._order.append(self.name)
            await self.ending.wait()

    async def refusal(self) -> ErrorCode:
        """The code with which it was refused."""
        with pytest.raises(Rejected) as refused:
            await self.task
        assert self.name not in self._order, "it was never at work"
        return refused.value.rejection.code


class Crowd:
    """Everybody who asks."""

    def __init__(self, limits: PastLimits, wait_max_s: float) -> None:
        self.turns = PastTurns(NoHistory(), limits, wait_max_s)
        # Names in the order in which they began.
        self.begun: list[str] = []
        self.askers: dict[str, Asker] = {}

    async def ask(self, *names: str) -> None:
        """`a1`: the first of user a."""
        for name in names:
            self.askers[name] = Asker(self.turns, name[0], self.begun, name)
            await settle(1)
        await settle()

    async def end(self, *names: str) -> None:
        for name in names:
            self.askers[name].ending.set()
        await settle()


@contextlib.asynccontextmanager
async def a_crowd(limits: PastLimits = LIMITS, wait_max_s: float = 3600) -> AsyncIterator[Crowd]:
    """Nobody is at work or waits when all have ended, however they did."""
    crowd = Crowd(limits, wait_max_s)
    yield crowd
    await crowd.end(*crowd.askers)
    await asyncio.gather(*(asker.task for asker in crowd.askers.values()), return_exceptions=True)
    assert (crowd.turns.at_work, crowd.turns.waiting) == (0, 0)


async def test_as_many_as_there_are_places_are_at_work_and_the_others_wait() -> None:
    async with a_crowd() as crowd:
        await crowd.ask("a1", "b1", "c1", "d1", "e1")
        assert (crowd.begun, crowd.turns.at_work, crowd.turns.waiting) == (["a1", "b1", "c1"], 3, 2)
        await crowd.end("b1")
        assert crowd.begun[3:] == ["d1"]
        await crowd.end("a1", "c1")
        assert crowd.begun[4:] == ["e1"]


async def test_one_user_has_a_share_of_the_places() -> None:
    async with a_crowd() as crowd:
        await crowd.ask("a1", "a2", "a3", "a4")
        assert crowd.begun == ["a1", "a2"]
        await crowd.ask("b1")
        assert crowd.begun == ["a1", "a2", "b1"], "nobody else waits for them"
        await crowd.end("b1")
        assert crowd.turns.at_work == 2
        await crowd.end("a1")
        assert crowd.begun[3:] == ["a3"]


async def test_users_take_turns_whoever_came_first() -> None:
    limits = PastLimits(at_once_max=1, at_once_per_user_max=1, waiting_max=9, waiting_per_user_max=9)
    async with a_crowd(limits) as crowd:
        await crowd.ask("a1", "a2", "a3", "a4", "b1", "b2", "c1")
        for name in ("a1", "a2", "b1", "c1", "a3", "b2"):
            await crowd.end(name)
        assert crowd.begun == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


async def test_beyond_the_bounds_it_is_overloaded_at_once() -> None:
    async with a_crowd() as crowd:
        await crowd.ask("a1", "a2", "a3", "a4", "a5", "a6", "a7")
        with pytest.raises(Rejected) as refused:
            await crowd.askers["a7"].task
        rejection = refused.value.rejection
        assert (rejection.code, rejection.retryable) == (ErrorCode.OVERLOADED, True)
        assert rejection.details == {"limit": "past-waiting-per-user", "retryAfterS": 1}
        await crowd.ask("b1", "c1", "d1", "e1")
        assert crowd.begun == ["a1", "a2", "b1"]
        with pytest.raises(Rejected) as refused:
            await crowd.askers["e1"].task
        assert refused.value.rejection.details == {"limit": "past-waiting", "retryAfterS": 1}


async def test_who_gets_no_turn_in_time_is_told_so() -> None:
    async with a_crowd(wait_max_s=0) as crowd:
        await crowd.ask("a1", "a2", "a3")
        assert await crowd.askers["a3"].refusal() is ErrorCode.TIMEOUT
        assert (crowd.turns.at_work, crowd.turns.waiting) == (2, 0)
        await crowd.end("a1")
        await crowd.ask("a4")
        assert crowd.begun == ["a1", "a2", "a4"], "who has a place is at work for as long as it takes"


async def test_who_has_hung_up_gets_no_turn() -> None:
    async with a_crowd() as crowd:
        await crowd.ask("a1", "a2", "a3", "a4")
        crowd.askers["a3"].has_hung_up = True
        await crowd.end("a1")
        assert crowd.begun == ["a1", "a2", "a4"]
        assert await crowd.askers["a3"].refusal() is ErrorCode.UNAVAILABLE


async def test_who_has_hung_up_keeps_nobody_out() -> None:
    async with a_crowd() as crowd:
        await crowd.ask("a1", "a2", "a3", "a4", "a5", "a6")
        for name in ("a3", "a4", "a5"):
            crowd.askers[name].has_hung_up = True
        await crowd.ask("a7")
        assert crowd.turns.waiting == 2
        await crowd.end("a1", "a2")
        assert crowd.begun == ["a1", "a2", "a6", "a7"]


async def test_who_is_cancelled_leaves_no_trace() -> None:
    async with a_crowd() as crowd:
        await crowd.ask("a1", "a2", "a3", "a4")
        crowd.askers["a3"].task.cancel()
        await settle()
        assert crowd.turns.waiting == 1
        crowd.askers["a1"].task.cancel()
        await settle()
        assert crowd.begun == ["a1", "a2", "a4"]


@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_a_place_that_comes_free_in_the_turn_of_a_cancellation_is_not_lost(cancelled_first: bool) -> None:
    async with a_crowd() as crowd:
        await crowd.ask("a1", "a2", "a3", "a4")
        leaving, waiting = crowd.askers["a1"], crowd.askers["a3"]
        if cancelled_first:
            waiting.task.cancel()
            leaving.ending.set()
        else:
            leaving.ending.set()
            waiting.task.cancel()
        await settle()
        assert "a4" in crowd.begun
        assert crowd.turns.at_work == 2


async def test_a_look_that_fails_gives_its_place_back() -> None:
    turns = PastTurns(NoHistory(), LIMITS, 1)
    with pytest.raises(NotImplementedError):
        async with turns.turn("a") as history:
            await history.state_at("project/1", seq=1)
    assert turns.at_work == 0
