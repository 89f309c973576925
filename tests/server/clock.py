"""A clock that tests move, and ids that are new every time."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from protocol.base import instant_of
from server.ids import SystemIds


class ManualClock:
    """Calendar time is `now_s`; the monotonic clock is the real one, for deadlines of real loops."""

    def __init__(self) -> None:
        # Seconds since the epoch.
        self.now_s = 1_800_000_000.0

    def now(self) -> str:
        return instant_of(datetime.fromtimestamp(self.now_s, UTC))

    def monotonic_s(self) -> float:
        return time.monotonic()


_IDS = SystemIds()


class RandomIds:
    """UUIDs that ascend, as the server's own do, and epochs that all make the same step."""

    def new_id(self) -> str:
        return _IDS.new_id()

    def epoch_step(self) -> int:
        return 7
