"""The machine's two clocks: the calendar for people, the monotonic one for waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from protocol.base import instant_of

# Counts while the machine sleeps, as leases do in the database. Only Linux has it.
_BOOT_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)
_monotonic_s: Callable[[], float] = (
    partial(time.clock_gettime, _BOOT_CLOCK) if _BOOT_CLOCK is not None else time.monotonic
)


class SystemClock:
    """Fits `actors.ports.Clock`."""

    def __init__(self) -> None:
        # The newest second that was asked for, since 1970, and its text up to the seconds.
        self._second = -1
        self._text = ""

    def now(self) -> str:
        """The canonical instant (UTC, milliseconds, `Z`)."""
        second, millisecond = divmod(time.time_ns() // 1_000_000, 1000)
        if second != self._second:
            self._second = second
            self._text = instant_of(datetime.fromtimestamp(second, UTC))[:-4]
        return f"{self._text}{millisecond:03d}Z"

    # Seconds that only grow; a suspended machine's time counts where the system can tell. Every command asks half a
    # dozen times, so it is the system's own function.
    monotonic_s = staticmethod(_monotonic_s)
