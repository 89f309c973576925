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

    A turn that is begun is not broken off: it takes at least one message, and looks at `ends_s` between two. Cells of
    which single messages take more than a slice have a row of their own: one has its turn when the others had theirs.
    """

    __slots__ = ("_clock", "_costly", "_is_scheduled", "_row", "ends_s", "slice_s")

    def __init__(self, clock: Clock, slice_s: float) -> None:
        self._clock = clock
        self.slice_s = slice_s
        # What waits, each cell once, first come first served.
        self._row: deque[Callable[[], None]] = deque()
        self._costly: deque[Callable[[], None]] = deque()
        # Whether the next turns are already on the loop's list.
        self._is_scheduled = False
        # When the slice of this round is over.
        self.ends_s = 0.0

    def has_room(self, now_s: float) -> bool:
        """Whether there is still time in this round for what has just come; the first to ask begins the slice."""
        if not self._is_scheduled:
            self.ends_s = now_s + self.slice_s
        return now_s < self.ends_s

    def ask(self, turn: Callable[[], None], *, costly: bool = False) -> None:
        """Runs the turn in a coming round of the loop."""
        (self._costly if costly else self._row).append(turn)
        if not self._is_scheduled:
            self._is_scheduled = True
            self.ends_s = self._clock.monotonic_s() + self.slice_s
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        """What was handled as it came may have used up the slice."""
        if self._clock.monotonic_s() < self.ends_s:
            self._run()
        else:
            self._rest(_ROUNDS_FOR_OTHERS)

    def _rest(self, rounds: int) -> None:
        """Called in the first of them."""
        loop = asyncio.get_running_loop()
        if rounds > 1:
            loop.call_soon(self._rest, rounds - 1)
        else:
            loop.call_soon(self._run)

    def _run(self) -> None:
        """Who asks again meanwhile waits for the next round. A defect in one turn takes nobody else's."""
        self.ends_s = self._clock.monotonic_s() + self.slice_s
        try:
            for _ in range(len(self._row)):
                self._row.popleft()()
                if self._clock.monotonic_s() >= self.ends_s:
                    break
            if self._costly:
                self._costly.popleft()()
        finally:
            if self._row or self._costly:
                asyncio.get_running_loop().call_soon(self._begin)
            else:
                self._is_scheduled = False
