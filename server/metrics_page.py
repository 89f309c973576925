"""The text of `/metrics`, which is made once for all who ask in the same quarter of a second."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final

PAGE_AGE_MAX_S: Final = 0.25
"""How old the figures may be: making them takes the loop tens of milliseconds, and anybody may ask, without a token."""


class MetricsPage:
    """Made when somebody asks, at most once in `PAGE_AGE_MAX_S`."""

    def __init__(self, make: Callable[[], bytes], monotonic_s: Callable[[], float]) -> None:
        self._make = make
        self._monotonic_s = monotonic_s
        # The newest text, and when its making began.
        self._text = b""
        self._made_at_s = -inf

    def text(self) -> bytes:
        """The same for everybody, until it is too old."""
        now_s = self._monotonic_s()
        if now_s - self._made_at_s >= PAGE_AGE_MAX_S:
            self._text, self._made_at_s = self._make(), now_s
        return self._text
