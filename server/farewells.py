"""The ends of connections, a few milliseconds at a time: when thousands are lost at once, everybody else goes on."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

SLICE_S: Final = 0.001
"""How long ends are handled before everybody else gets a turn; what they set off in tasks takes seven times as long."""

log = structlog.get_logger("pantherahive.http")


class Farewells:
    """Calls in their order. One that fails costs the others nothing."""

    def __init__(self, now_s: Callable[[], float] = time.perf_counter) -> None:
        self._now_s = now_s
        # What is still to be called; while it is not empty, a slice is on the loop's list.
        self._waiting: deque[Callable[[], None]] = deque()

    def add(self, farewell: Callable[[], None]) -> None:
        """Calls it soon."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._slice)
        self._waiting.append(farewell)

    def _slice(self) -> None:
        ends_s = self._now_s() + SLICE_S
        while self._waiting:
            try:
                self._waiting.popleft()()
            except Exception:
                log.exception("the end of a connection failed")
            if self._now_s() >= ends_s:
                break
        if self._waiting:
            asyncio.get_running_loop().call_later(0, self._slice)

    def __len__(self) -> int:
        return len(self._waiting)
