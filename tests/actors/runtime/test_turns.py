"""The turns of the cells: in a row, one slice of time for all of them, and a defect in one is only its own."""

from __future__ import annotations

import asyncio
from functools import partial
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
    await settle()
    assert taken == [0, 1, 2]


async def test_what_comes_in_a_long_turn_is_read_and_answered_before_the_next_one() -> None:
    """Also when the long one is handled as it comes, outside of the row."""
    clock, done, loop = StandingClock(), list[str](), asyncio.get_running_loop()
    turns = Turns(clock, 0.005)

    def long(name: str) -> None:
        done.append(name)
        clock.advance(0.006)
        loop.call_soon(read)  # where the loop puts what its sockets bring

    def read() -> None:
        done.append("read")
        loop.call_soon(done.append, "answered")

    assert turns.has_room(clock.monotonic_s())
    turns.ask(lambda: long("two"))
    turns.ask(lambda: done.append("three"))
    long("one")
    await settle()
    assert done == ["one", "read", "answered", "two", "read", "answered", "three"]


async def test_whose_messages_take_long_comes_when_the_others_had_their_turns() -> None:
    clock, taken = StandingClock(), list[str]()
    turns = Turns(clock, 0.005)

    def long(name: str) -> None:
        taken.append(name)
        clock.advance(0.01)

    for name in ("long 1", "long 2"):
        turns.ask(partial(long, name), costly=True)
    for name in ("short 1", "short 2"):
        turns.ask(partial(taken.append, name))
    turns.ask(lambda: turns.ask(partial(taken.append, "short 3")))
    await settle()
    assert taken == ["short 1", "short 2", "long 1", "short 3", "long 2"]


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
