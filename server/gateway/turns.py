"""Who sends much at once is read a little at a time, and everybody else has a turn in between.

A loop reads from one connection again and again while more is there, up to megabytes, before it asks the next one.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol


class Reader(Protocol):
    """Somebody of whom more has come than is handled at once."""

    def read_piece(self) -> bool:
        """Handles a piece of it; whether another one can follow. Raises nothing."""
        ...


class Turns:
    """One slice of time in each turn of the loop, for all together who send much; a piece of each in rotation."""

    def __init__(self, slice_s: float, now_s: Callable[[], float] = time.perf_counter) -> None:
        self._slice_s = slice_s
        self._now_s = now_s
        # Who has to wait for the next turn, the next one first.
        self._waiting: deque[Reader] = deque()
        # When the slice of this turn ends; None before it begins. Then the next turn is on the loop's list.
        self._ends_s: float | None = None

    def take(self, reader: Reader) -> None:
        """Handles what has come of it; what there is no time for waits for the next turn, behind who waits already."""
        if self._waiting or not self._has_time() or self._read(reader):
            self.add(reader)

    def add(self, reader: Reader) -> None:
        """Lets it go on in the next turn."""
        self._waiting.append(reader)
        if self._ends_s is None:
            self._begin()

    def _has_time(self) -> bool:
        if self._ends_s is None:
            self._begin()
            return True
        return self._now_s() < self._ends_s

    def _begin(self) -> None:
        self._ends_s = self._now_s() + self._slice_s
        asyncio.get_running_loop().call_soon(self._next)

    def _read(self, reader: Reader) -> bool:
        """Whether it has more when the slice is over."""
        while reader.read_piece():
            if not self._has_time():
                return True
        return False

    def _next(self) -> None:
        """The next turn of the loop."""
        self._ends_s = None
        waiting = self._waiting
        if not waiting:
            return
        self._begin()
        while waiting:
            reader = waiting.popleft()
            if reader.read_piece():
                waiting.append(reader)
            if not self._has_time():
                break

    def __len__(self) -> int:
        return len(self._waiting)
