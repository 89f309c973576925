"""The end of a turn: once for all that it brought, at once where nothing more comes, and never a danger to others."""

from __future__ import annotations

import asyncio

from server.gateway.tick import Tick


async def test_a_turn_that_is_ended_at_once_is_not_ended_again() -> None:
    brought: list[str] = []

    def bring() -> bool:
        brought.append("all")
        return False

    tick = Tick(bring)
    tick.end()
    assert brought == []
    tick.call()
    tick.call()
    tick.end()
    assert brought == ["all"]
    await asyncio.sleep(0)
    assert brought == ["all"]
    tick.call()
    await asyncio.sleep(0)
    assert brought == ["all", "all"]


async def test_what_is_left_is_brought_by_the_turns_that_follow() -> None:
    left = [3, 2, 1]

    def bring() -> bool:
        left.pop()
        return bool(left)

    tick = Tick(bring)
    tick.call()
    for still in (2, 1, 0, 0):
        await asyncio.sleep(0)
        assert len(left) == still


async def test_a_defect_is_not_who_ended_the_turn_s_business() -> None:
    def fail() -> bool:
        raise RuntimeError("a defect")

    tick = Tick(fail)
    tick.call()
    tick.end()
