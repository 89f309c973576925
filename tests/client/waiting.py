"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

DEADLINE_S = 10.0
LOOK_EVERY_S = 0.005


async def until(reached: Callable[[], bool], within_s: float = DEADLINE_S) -> None:
    """Returns when `reached()` is true. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not reached():  # noqa: ASYNC110 - what is waited for knows nothing of events
            await asyncio.sleep(LOOK_EVERY_S)
