"""The end of a turn: once for all that it brought, at once where nothing more comes, and never a danger to others."""

from __future__ import annotations

import asyncio

from server.gateway.tick import Tick


async def test_a_turn_that_is_ended_at_once_is_not_ended_again() -> None:
    brought: list[str] = []
    tick = Tick(lambda: brought.append("all"))
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


async def test_a_defect_is_not_who_ended_the_turn_s_business() -> None:
    def fail() -> None:
        raise RuntimeError("a defect")

    tick = Tick(fail)
    tick.call()
    tick.end()
