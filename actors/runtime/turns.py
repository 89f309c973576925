"""The turns of the cells: all of them together have one slice of time in a round of the loop, however many they are."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from actors.ports import Clock

_ROUNDS_FOR_OTHERS: Final = 2
"""So many rounds the loop is somebody else's when a slice is over: one to read what has come, one to answer it."""


class Turns:
    """The cells that wait for a turn, in a row. When the slice is over the loop is somebody else's for some rounds.

    A turn that is begun is not broken off: it takes at least one message, and looks at `ends_s` between two.
    """

    __slots__ = ("_clock", "_is_scheduled", "_row", "_slice_s", "ends_s")

    def __init__(self, clock: Clock, slice_s: float) -> None:
        self._clock = clock
        self._slice_s = slice_s
        # What waits, each cell once, first come first served.
        self._row: deque[Callable[[], None]] = deque()
        # Whether the next turns are already on the loop's list.
        self._is_scheduled = False
        # When the slice of this round is over.
        self.ends_s = 0.0

    def has_room(self, now_s: float) -> bool:
        """Whether there is still time in this round for what has just come; the first to ask begins the slice."""
        if not self._is_scheduled:
            self.ends_s = now_s + self._slice_s
        return now_s < self.ends_s

    def ask(self, turn: Callable[[], None]) -> None:
        """Runs the turn in a coming round of the loop."""
        self._row.append(turn)
        if not self._is_scheduled:
            self._schedule()

    def _schedule(self, rounds: int = 0) -> None:
        """So many rounds of the loop are left to others before."""
        self._is_scheduled = True
        loop = asyncio.get_running_loop()
        if rounds:
            loop.call_soon(self._schedule, rounds - 1)
        else:
            loop.call_soon(self._run)

    def _run(self) -> None:
        """Who asks again meanwhile waits for the next round. A defect in one turn takes nobody else's."""
        is_over = False
        self.ends_s = self._clock.monotonic_s() + self._slice_s
        try:
            for _ in range(len(self._row)):
                self._row.popleft()()
                is_over = self._clock.monotonic_s() >= self.ends_s
                if is_over:
                    break
        finally:
            self._is_scheduled = False
            if self._row:
                self._schedule(_ROUNDS_FOR_OTHERS if is_over else 0)
