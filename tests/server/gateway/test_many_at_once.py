"""What is done for every connection at the same time leaves others their turns in between. Both loops."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import pytest

from server.farewells import SLICE_S, Farewells
from server.gateway.app import HEADS_SLICE_S
from server.gateway.engine_socket import EngineSocket
from server.gateway.places import Places
from server.gateway.session import Session
from tests.server.gateway.hive import LONG_PINGS, Hive, a_hive, eventually
from tests.server.gateway.raw import RawClient, masked
from tests.server.gateway.sleepers import Scenario, a_sleeper

_CLIENTS = 6
_MANY = 60
_LITTLE_IN_A_TURN_MAX = 34
"""With no time at all: what is handled between three looks at the clock, and what has waited for its turn."""


class Turns:
    """Counts the turns of the loop, and notes the ones in which something happened."""

    def __init__(self) -> None:
        self.noted: list[int] = []
        self._now = 0

    @asynccontextmanager
    async def counted(self) -> AsyncIterator[None]:
        """They are counted as long as this is open."""
        async with asyncio.TaskGroup() as tasks:
            counting = tasks.create_task(self._count())
            yield
            counting.cancel()

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(0)
            self._now += 1

    def note(self) -> None:
        self.noted.append(self._now)

    def note_calls(self, monkeypatch: pytest.MonkeyPatch, owner: type, method: str) -> None:
        """Every call of the method is noted from now on."""
        call = getattr(owner, method)

        def noted(*arguments: Any) -> Any:
            self.note()
            return call(*arguments)

        monkeypatch.setattr(owner, method, noted)


async def sleepers(hive: Hive, number: int) -> list[RawClient]:
    """So many clients that follow nothing."""
    return [(await a_sleeper(hive, None))[0] for _ in range(number)]


def a_slice_each_time() -> Callable[[], float]:
    """A clock that is a slice later whenever it is looked at."""
    return partial(next, count(0.0, SLICE_S))


def test_heads_are_told_to_a_few_in_one_turn(run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        turns = Turns()
        async with a_hive(replace(LONG_PINGS, heads_interval_s=0.05)) as hive:
            for _ in range(_CLIENTS):
                await hive.client()

            def slow(_: Places) -> None:
                turns.note()
                until_s = time.monotonic() + HEADS_SLICE_S
                while time.monotonic() < until_s:
                    pass

            monkeypatch.setattr(Places, "tell_heads", slow)
            async with turns.counted():
                await eventually(lambda: len(turns.noted) >= _CLIENTS)
        beat = turns.noted[:_CLIENTS]
        assert len(set(beat)) == _CLIENTS

    run(scenario)


def test_who_is_lost_while_others_are_told_heads_costs_them_nothing(
    run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with a_hive(replace(LONG_PINGS, heads_interval_s=0.05)) as hive:
            for _ in range(3):
                await hive.client()
            told: list[Places] = []

            def losing(places: Places) -> None:
                told.append(places)
                for session in list(hive.gateway._entered):
                    if len(told) == 1 and session.places is not places:
                        session.lost()

            monkeypatch.setattr(Places, "tell_heads", losing)
            await eventually(lambda: len(told) == 3)
            assert set(told) == {told[0]}

    run(scenario)


def test_what_fails_for_one_who_is_told_heads_is_the_end_of_that_one_alone(
    run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with a_hive(replace(LONG_PINGS, heads_interval_s=0.05)) as hive:
            for _ in range(3):
                await hive.client()
            failed: list[Places] = []
            told: list[Places] = []

            def failing(places: Places) -> None:
                if not failed:
                    failed.append(places)
                    raise RuntimeError("a defect")
                told.append(places)

            monkeypatch.setattr(Places, "tell_heads", failing)
            await eventually(lambda: len(told) >= 4)
            assert hive.gateway.connections == 2
            assert failed[0] not in told

    run(scenario)


def say_goodbye(raw: RawClient) -> None:
    """As Engine.IO says it."""
    raw.raw.send(masked(b"1"))


@pytest.mark.parametrize(
    ("part", "noted"), [(RawClient.close, "lost"), (say_goodbye, "_part")], ids=["hang up", "say goodbye"]
)
def test_a_few_of_those_who_part_are_let_go_in_one_turn(
    run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch, part: Callable[[RawClient], None], noted: str
) -> None:
    """They part at once in the same process, so one turn brings the ends of all. Who says goodbye gets an answer."""

    async def scenario() -> None:
        turns = Turns()
        turns.note_calls(monkeypatch, EngineSocket, noted)
        async with a_hive() as hive:
            for engine in hive.engines:
                engine.farewells = Farewells(a_slice_each_time())
            clients = await sleepers(hive, _CLIENTS)
            async with turns.counted():
                for raw in clients:
                    part(raw)
                await eventually(lambda: not hive.left())
            for raw in clients:
                raw.close()
        assert len(set(turns.noted)) == _CLIENTS

    run(scenario)


@pytest.mark.parametrize(
    "sent",
    [masked(b"1"), masked(b"41"), masked(b'42["leave",{"stream":"x"}]'), masked(b"\x03\xe8", 8)],
    ids=["close", "disconnect", "leave", "close frame"],
)
def test_a_few_of_those_who_send_something_are_handled_in_one_turn(
    run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """They send in one call, so one turn brings what all have sent."""

    async def scenario() -> None:
        turns = Turns()
        async with a_hive(replace(LONG_PINGS, read_slice_s=0)) as hive:
            clients = await sleepers(hive, _MANY)
            turns.note_calls(monkeypatch, EngineSocket, "_handle")
            async with turns.counted():
                for raw in clients:
                    raw.raw.send(sent)
                await eventually(lambda: len(turns.noted) == _MANY)
            for raw in clients:
                raw.reset()
        assert max(Counter(turns.noted).values()) <= _LITTLE_IN_A_TURN_MAX

    run(scenario)


def test_a_few_of_those_whose_tokens_end_in_one_second_are_let_go_in_one_turn(
    run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop stands still until all of them are over."""

    async def scenario() -> None:
        turns = Turns()
        async with a_hive() as hive:
            ada, _ = await hive.user("ada")
            hive.gateway.farewells._now_s = a_slice_each_time()
            turns.note_calls(monkeypatch, Session, "end")
            clients = [await hive.client(hive.token(ada, ends_in_s=1)) for _ in range(_CLIENTS)]
            async with turns.counted():
                until_s = time.monotonic() + 1.1
                while time.monotonic() < until_s:
                    pass
                for client in clients:
                    await client.until_end()
        assert len(set(turns.noted)) == len(turns.noted) == _CLIENTS

    run(scenario)
