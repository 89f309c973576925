"""How the body of a request may arrive: whole in its time, without long silence, and in no trickle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import StreamReader

from protocol.errors import Rejected


class BodyBroken(Rejected, TimeoutError):
    """What comes of a body can never be whole: whoever reads it answers so.

    A TimeoutError too: stock reads the rest after the answer, and takes no other error there for an end.
    """


@dataclass(frozen=True, slots=True)
class BodyTimes:
    """A body that is silent for `silence_s` is ended, and one that takes longer than `whole_s`.

    From `silence_s` on it must have come at `bytes_per_s_min` on average, which one byte now and then does not reach.
    """

    whole_s: float = 60.0
    silence_s: float = 15.0
    bytes_per_s_min: int = 100

    def due_s(self, began_s: float, newest_s: float, size_bytes: int) -> float:
        """When it ends unless more comes: it began, its newest byte came, and so much of it is there."""
        earned_s = max(self.silence_s, size_bytes / self.bytes_per_s_min)
        return min(newest_s + self.silence_s, began_s + min(earned_s, self.whole_s))


FRAMING_BYTES_MAX: Final = 8 << 10
"""What there may be around the chunks of a body, beside an eighth of what is in them."""


class Arrival:
    """A body on its way."""

    __slots__ = ("_began_s", "_framing_bytes", "_newest_s", "_times", "body")

    def __init__(self, body: StreamReader, times: BodyTimes, now_s: float) -> None:
        self.body = body
        self._times = times
        self._began_s = now_s
        # When something of it came the last time.
        self._newest_s = now_s
        # What came around its chunks.
        self._framing_bytes = 0

    def is_crumbled(self, framing_bytes: int) -> bool:
        """Whether its chunks are too small, with so much more around them."""
        self._framing_bytes += framing_bytes
        return self._framing_bytes > FRAMING_BYTES_MAX + self.body.total_bytes // 8

    def came(self, now_s: float) -> None:
        """More of it is there."""
        self._newest_s = now_s

    def due_s(self, *, is_read: bool) -> float:
        """When it ends unless more comes. While nobody reads it, nothing more can come, and only the whole counts."""
        if not is_read:
            return self._began_s + self._times.whole_s
        return self._times.due_s(self._began_s, self._newest_s, self.body.total_bytes)
