"""Streams that did not take a timer's command: which, since when, and when they are asked again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from protocol.log import shard_of

STUCK_STREAMS_MAX: Final = 1_000
PAUSE_MIN_S: Final = 1.0
PAUSE_MAX_S: Final = 30.0
"""A stream that was repaired fires its timers after so long at the latest."""

FORGOTTEN_AFTER_S: Final = 600.0
"""A stream that was not asked for so long, though it was its turn, has no due timers any more."""


@dataclass(frozen=True, slots=True)
class _Episode:
    """The pause that it has now, and when that ends."""

    pause_s: float
    until_s: float


class StuckStreams:
    """Time is an argument. While the memory is full no further streams are remembered."""

    def __init__(self, streams_max: int = STUCK_STREAMS_MAX) -> None:
        self._streams_max = streams_max
        # Stream → its episode, from its first refusal until it has taken all that it was asked.
        self._episodes: dict[str, _Episode] = {}

    def __len__(self) -> int:
        return len(self._episodes)

    def pausing(self, now_s: float) -> list[str]:
        """Those that are not to be asked now."""
        return [stream for stream, episode in self._episodes.items() if now_s < episode.until_s]

    def refused(self, stream: str, now_s: float) -> bool:
        """Begins or doubles its pause. True when that begins an episode which is remembered."""
        before = self._episodes.get(stream)
        if before is None and len(self._episodes) >= self._streams_max:
            return False
        pause_s = PAUSE_MIN_S if before is None else min(before.pause_s * 2, PAUSE_MAX_S)
        self._episodes[stream] = _Episode(pause_s, now_s + pause_s)
        return before is None

    def took(self, stream: str) -> bool:
        """Ends its episode. True when there was one."""
        return self._episodes.pop(stream, None) is not None

    def forget_others(self, shards: Collection[int], now_s: float) -> None:
        """Streams of shards that somebody else owns now, and those whose timers are gone."""
        for stream, episode in list(self._episodes.items()):
            if shard_of(stream) not in shards or now_s >= episode.until_s + FORGOTTEN_AFTER_S:
                del self._episodes[stream]
