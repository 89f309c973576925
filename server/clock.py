"""The machine's two clocks: the calendar for people, the monotonic one for waiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from protocol.base import instant_of

# Counts while the machine sleeps, as leases do in the database. Only Linux has it.
_BOOT_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class SystemClock:
    """Fits `actors.ports.Clock`."""

    def now(self) -> str:
        """The canonical instant (UTC, milliseconds, `Z`)."""
        return instant_of(datetime.now(UTC))

    def monotonic_s(self) -> float:
        """Seconds that only grow; a suspended machine's time counts where the system can tell."""
        return time.clock_gettime(_BOOT_CLOCK) if _BOOT_CLOCK is not None else time.monotonic()
