"""What happens after an actor failed.

It reloads; one that fails again and again is quarantined; one whose log cannot be replayed is halted: readable as
of its last good entry and alarmed, never skipped.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from actors.runtime.limits import RuntimeLimits
from protocol.errors import ErrorCode, Rejection


@dataclass(slots=True)
class _Record:
    # Times of the crashes within the window.
    crashes: deque[float] = field(default_factory=deque)
    # How often the stream was quarantined without a quiet window in between.
    quarantines: int = 0
    # Until when its commands are refused.
    until_s: float = 0.0


class Supervisor:
    """Keeps the record of failing streams. Time is an argument."""

    def __init__(self, limits: RuntimeLimits) -> None:
        self._limits = limits
        # Streams that crashed lately.
        self._records: dict[str, _Record] = {}
        # Stream → why its log could not be replayed when it was last loaded.
        self._halted: dict[str, str] = {}

    def crashed(self, stream: str, now_s: float) -> None:
        """Counts a crash; enough of them within the window begin a quarantine that doubles each time."""
        record = self._records.setdefault(stream, _Record())
        record.crashes.append(now_s)
        while record.crashes[0] <= now_s - self._limits.crash_window_s:
            record.crashes.popleft()
        if len(record.crashes) >= self._limits.crashes_before_quarantine:
            wait_s = min(self._limits.quarantine_min_s * 2**record.quarantines, self._limits.quarantine_max_s)
            record.quarantines += 1
            record.until_s = now_s + wait_s
            record.crashes.clear()

    def halted(self, stream: str, reason: str) -> None:
        """Its cell refuses commands; the next time it is loaded the log is tried again."""
        self._halted[stream] = reason

    def healed(self, stream: str) -> bool:
        """The stream was loaded to its end. True when it was halted before."""
        return self._halted.pop(stream, None) is not None

    @property
    def halted_streams(self) -> dict[str, str]:
        """Stream → reason, for the readiness page and the alarm."""
        return dict(self._halted)

    def quarantined(self, now_s: float) -> int:
        """How many streams take nothing for a while."""
        return sum(now_s < record.until_s for record in self._records.values())

    def refusal(self, stream: str, now_s: float) -> Rejection | None:
        """Why the stream takes nothing now; None when it does. A halted one has a cell that answers for it."""
        record = self._records.get(stream)
        if record is None or now_s >= record.until_s:
            return None
        return Rejection(
            ErrorCode.UNAVAILABLE,
            "this stream is in quarantine after repeated failures",
            {"retryAfterS": round(record.until_s - now_s, 3)},
        )

    def forget_old(self, now_s: float) -> None:
        """A stream that was quiet for a whole window after its quarantine starts with a clean record."""
        quiet = self._limits.crash_window_s
        for stream, record in list(self._records.items()):
            newest = max(record.until_s, record.crashes[-1] if record.crashes else 0.0)
            if now_s - newest > quiet:
                del self._records[stream]
