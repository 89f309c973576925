"""New identifiers: UUIDv7 (RFC 9562 §5.7), ascending within a process, and the random steps of epochs."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Final

EPOCH_STEP_MAX: Final = 1 << 20
_COUNTER_BITS: Final = 12
_RANDOM_BITS: Final = 62


class SystemIds:
    """Fits `actors.ports.Ids`.

    Ids of one millisecond differ by a counter in `rand_a` (RFC 9562 §6.2, method 1) that starts in its lower half. When
    it is used up, or the clock went back, the last millisecond is carried on: ids never fall.
    """

    def __init__(self, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._now_ms = now_ms
        # The millisecond and the counter of the newest id.
        self._last_ms = -1
        self._counter = 0

    def new_id(self) -> str:
        """A UUIDv7 as lower-case text, greater than all before it."""
        now_ms = self._now_ms()
        if now_ms > self._last_ms:
            self._begin(now_ms)
        elif self._counter + 1 == 1 << _COUNTER_BITS:
            self._begin(self._last_ms + 1)
        else:
            self._counter += 1
        return _text(self._last_ms, self._counter, secrets.randbits(_RANDOM_BITS))

    def epoch_step(self) -> int:
        """1 to 2^20, so that a cursor from a lost future hardly ever meets its epoch again."""
        return secrets.randbelow(EPOCH_STEP_MAX) + 1

    def _begin(self, millisecond: int) -> None:
        self._last_ms = millisecond
        self._counter = secrets.randbits(_COUNTER_BITS - 1)


def _text(millisecond: int, counter: int, random: int) -> str:
    value = (millisecond & ((1 << 48) - 1)) << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | random
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
