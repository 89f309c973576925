"""The turns of the cells: in a row, one slice of time for all of them, and a defect in one is only its own."""

from __future__ import annotations

import asyncio
from typing import Any

from actors.runtime.turns import Turns
from tests.actors.runtime.world import StandingClock, settle


async def test_the_slice_begins_with_who_asks_first_and_again_in_the_next_round() -> None:
    clock = StandingClock()
    turns = Turns(clock, 0.005)
    assert turns.has_room(clock.monotonic_s())
    turns.ask(lambda: None)
    clock.advance(0.004)
    assert turns.has_room(clock.monotonic_s())
    clock.advance(0.001)
    assert not turns.has_room(clock.monotonic_s())
    await settle()
    assert turns.has_room(clock.monotonic_s())


async def test_a_turn_takes_place_even_when_there_is_no_time_at_all() -> None:
    turns, taken = Turns(StandingClock(), 0.0), list[int]()
    for number in range(3):
        turns.ask(lambda number=number: taken.append(number))  # type: ignore[misc]
    await asyncio.sleep(0)
    assert taken == [0]
    await settle()
    assert taken == [0, 1, 2]


async def test_what_comes_in_a_long_turn_is_read_and_answered_before_the_next_one() -> None:
    turns, done, loop = Turns(StandingClock(), 0.0), list[str](), asyncio.get_running_loop()

    def read() -> None:
        done.append("read")
        loop.call_soon(done.append, "answered")

    turns.ask(lambda: done.append("one"))
    turns.ask(lambda: done.append("another"))
    await asyncio.sleep(0)
    loop.call_soon(read)  # where the loop puts what its sockets bring
    await settle()
    assert done == ["one", "read", "answered", "another"]


async def test_a_defect_in_one_turn_takes_nobody_elses() -> None:
    turns, taken, told = Turns(StandingClock(), 0.005), list[str](), list[Any]()

    def fail() -> None:
        raise ValueError("a defect")

    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    turns.ask(fail)
    turns.ask(lambda: taken.append("another"))
    await settle()
    assert taken == ["another"]
    assert [type(one) for one in told] == [ValueError]
