"""The ends of thousands of connections leave room for everybody else, and none is forgotten."""

from __future__ import annotations

import asyncio

from server.farewells import SLICE_S, Farewells


async def test_others_get_their_turn_between_slices() -> None:
    now_s = 0.0
    order: list[str] = []
    done = asyncio.Event()

    def farewell(number: int) -> None:
        nonlocal now_s
        now_s += SLICE_S / 4
        order.append(f"end {number}")
        if number == 9:
            done.set()

    def other() -> None:
        order.append("other")
        if not done.is_set():
            asyncio.get_running_loop().call_soon(other)

    farewells = Farewells(lambda: now_s)
    for number in range(10):
        farewells.add(lambda number=number: farewell(number))  # type: ignore[misc]
    asyncio.get_running_loop().call_soon(other)
    async with asyncio.timeout(10):
        await done.wait()
    ends = [one for one in order if one != "other"]
    assert ends == [f"end {number}" for number in range(10)]
    assert "other" in order[order.index("end 0") : order.index("end 9")]
    assert len(farewells) == 0


async def test_an_end_that_fails_costs_the_others_nothing() -> None:
    farewells, ended = Farewells(), asyncio.Event()

    def fails() -> None:
        raise RuntimeError("a defect")

    farewells.add(fails)
    farewells.add(ended.set)
    async with asyncio.timeout(10):
        await ended.wait()
