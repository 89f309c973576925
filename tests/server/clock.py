"""A clock that tests move, and ids that are new every time."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime

from protocol.base import instant_of


class ManualClock:
    """Calendar time is `now_s`; the monotonic clock is the real one, for deadlines of real loops."""

    def __init__(self) -> None:
        # Seconds since the epoch.
        self.now_s = 1_800_000_000.0

    def now(self) -> str:
        return instant_of(datetime.fromtimestamp(self.now_s, UTC))

    def monotonic_s(self) -> float:
        return time.monotonic()


class RandomIds:
    """UUIDs; their version does not matter here."""

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def epoch_step(self) -> int:
        return 7
