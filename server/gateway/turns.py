"""Who sends much at once is read a little at a time, and everybody else has a turn in between.

A loop reads from one connection again and again while more is there, up to megabytes, before it asks the next one. And
it asks all of them before it does anything else: ten thousand that send one little frame each are much as well.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

_LOOK_BYTES: Final = 4096
"""So much of what comes a little at a time is handled between two looks at the clock: most turns bring less."""

_READ_BYTES: Final = 256
"""What counts for each time at least: the smallest frame costs as much as some hundred bytes of a long one."""


class Reader(Protocol):
    """Somebody of whom more has come than is handled at once."""

    def read_piece(self) -> bool:
        """Handles a piece of it; whether another one can follow. Raises nothing."""
        ...


class Turns:
    """One slice of time in each turn of the loop, for all together who send much; a piece of each in rotation.

    And one for all together who send little, ahead of those who wait: so long ones keep nobody's short one waiting.
    """

    def __init__(
        self, slice_s: float, now_s: Callable[[], float] = time.perf_counter, pieces_max: int | None = None
    ) -> None:
        """`pieces_max`: so many pieces in each turn at most, where what they begin costs more than to read them."""
        self._slice_s = slice_s
        self._pieces_max = pieces_max
        # How many may still be read in this turn; None: any number.
        self._pieces_left = pieces_max
        self._now_s = now_s
        # Who has to wait for the next turn, the next one first.
        self._waiting: deque[Reader] = deque()
        # Who has sent little and waits for the first time: they go before those who had a turn already.
        self._new: deque[Reader] = deque()
        # When the slice of this turn ends; None before it begins. Then the next turn is on the loop's list.
        self._ends_s: float | None = None
        # When that of little frames does; None before the clock was looked at. Then the next turn is on the list, too.
        self._little_ends_s: float | None = None
        # What came a little at a time since that last look.
        self._unclocked_bytes = 0

    def has_time_for(self, little_bytes: int) -> bool:
        """Whether what has just come is handled at once; else `add` whom it came for."""
        self._unclocked_bytes = unclocked_bytes = self._unclocked_bytes + little_bytes + _READ_BYTES
        return unclocked_bytes < _LOOK_BYTES or self._has_time_for_little()

    def _has_time_for_little(self) -> bool:
        if self._little_ends_s is None:
            if self._ends_s is None:
                self._begin()
            self._little_ends_s = self._now_s() + self._slice_s
        elif self._now_s() >= self._little_ends_s:
            return False
        self._unclocked_bytes = 0
        return True

    def take(self, reader: Reader, *, is_little: bool = False) -> None:
        """Handles what has come of it; what there is no time for waits for the next turn, behind who waits already.

        `is_little`: before those who had a turn and have sent more.
        """
        if self._new or (self._waiting and not is_little) or not self._has_time():
            self._line_up(reader, self._new if is_little else self._waiting)
        elif self._read(reader):
            self.add(reader)

    def add(self, reader: Reader) -> None:
        """Lets it go on in the next turn."""
        self._line_up(reader, self._waiting)

    def _line_up(self, reader: Reader, line: deque[Reader]) -> None:
        line.append(reader)
        if self._ends_s is None:
            self._begin()

    def _has_time(self) -> bool:
        if self._ends_s is None:
            self._begin()
            return True
        return self._pieces_left != 0 and self._now_s() < self._ends_s

    def _begin(self) -> None:
        self._pieces_left = self._pieces_max
        self._ends_s = self._now_s() + self._slice_s
        asyncio.get_running_loop().call_soon(self._next)

    def _read(self, reader: Reader) -> bool:
        """Whether it has more when the slice is over."""
        while self._read_piece(reader):
            if not self._has_time():
                return True
        return False

    def _read_piece(self, reader: Reader) -> bool:
        if self._pieces_left is not None:
            self._pieces_left -= 1
        return reader.read_piece()

    def _next(self) -> None:
        """The next turn of the loop."""
        self._ends_s = self._little_ends_s = None
        self._unclocked_bytes = 0
        if not len(self):
            return
        self._begin()
        is_news_turn = True
        while len(self):
            # Alternately, so that neither of the lines stands still.
            line = self._new if self._new and (is_news_turn or not self._waiting) else self._waiting
            is_news_turn = not is_news_turn
            reader = line.popleft()
            if self._read_piece(reader):
                self._waiting.append(reader)
            if not self._has_time():
                break

    def __len__(self) -> int:
        return len(self._new) + len(self._waiting)
