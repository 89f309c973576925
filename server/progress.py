"""How far something long is, for the person who watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

LINE_EVERY_S = 0.2
PLAIN_LINE_EVERY_S = 5.0
LINE_WIDTH = 78


class Progress:
    """One line that changes on a terminal, a line every few seconds elsewhere."""

    def __init__(self, total: int, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._out = out
        self._clock = clock
        self._on_terminal = out.isatty()
        self._began_s = clock()
        # When the last line was written; None before the first.
        self._wrote_s: float | None = None

    def __call__(self, done: int) -> None:
        """`done` of the total are settled."""
        now_s = self._clock()
        every_s = LINE_EVERY_S if self._on_terminal else PLAIN_LINE_EVERY_S
        last_s = self._wrote_s if self._wrote_s is not None else self._began_s
        if done < self._total and now_s - last_s < every_s:
            return
        self._wrote_s = now_s
        self._write(self._line(done, now_s - self._began_s), done == self._total)

    def _line(self, done: int, elapsed_s: float) -> str:
        rate = done / elapsed_s if elapsed_s > 0 else 0.0
        line = f"{done}/{self._total} ({100 * done // max(1, self._total)} %), {rate:.0f}/s"
        if done == self._total:
            return f"{line}, {elapsed_s:.1f} s"
        return f"{line}, {(self._total - done) / rate:.0f} s left" if rate > 0 else line

    def _write(self, line: str, is_last: bool) -> None:
        if self._on_terminal:
            self._out.write(f"\r{line:<{LINE_WIDTH}}" + ("\n" if is_last else ""))
        else:
            self._out.write(line + "\n")
        self._out.flush()

    def interrupted(self) -> None:
        """Leaves the changing line."""
        if self._on_terminal and self._wrote_s is not None:
            self._out.write("\n")
