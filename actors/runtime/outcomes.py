"""Which commands a stream has seen lately, so that a retry gets its first answer.

An opId is a UUIDv7 and so tells when it was made. The memory holds every entry recorded after its floor; an opId made
before the floor, or one that tells no time, has to be looked up in the log. A client whose clock runs ahead can slip
past the floor: its retry is decided anew, and then either refused, which is told only after a look into the log, or
accepted, which the unique index of the log does not let pass.

Results that name much, as those of bulk edits do, are kept here only of the newest commands: the log has them all.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from actors.runtime.footprint import footprint_bytes
from protocol.base import datetime_of

LONG_RESULTS_BYTES_MAX: Final = 1 << 20
"""What results with lists take of memory in one stream, beside those that are on their way into the log."""
_ALL: Final = -1
"""A floor below every time: the memory holds the whole stream."""


@dataclass(slots=True)
class SeenCommand:
    """An accepted command. `result` is None when only the log still has it; `epoch` is 0 until it is committed."""

    seq: int
    epoch: int
    digest: bytes
    at: str
    result: dict[str, Any] | None

    @property
    def on_its_way(self) -> bool:
        """Whether it is not in the log yet, so that only this memory knows it."""
        return self.epoch == 0 and self.result is not None


class OutcomeMemory:
    """The newest accepted commands of a stream by opId."""

    __slots__ = ("_floor_ms", "_limit", "_long", "_long_bytes", "_long_bytes_max", "_seen")

    def __init__(self, limit: int, long_bytes_max: int = LONG_RESULTS_BYTES_MAX) -> None:
        self._limit = limit
        self._long_bytes_max = long_bytes_max
        # Accepted commands in order of their seq.
        self._seen: OrderedDict[str, tuple[int, SeenCommand]] = OrderedDict()
        # Whatever was recorded after this time (ms) is in `_seen`.
        self._floor_ms = _ALL
        # Commands whose results hold lists, oldest first, with what these take of memory, and the sum of it.
        self._long: deque[tuple[SeenCommand, int]] | None = None
        self._long_bytes = 0

    def remember(self, op_id: str, recorded_at: str, seen: SeenCommand) -> None:
        """Takes the newest command in; beyond the limit the oldest go, but none that the log does not have yet."""
        self._seen[op_id] = (_ms_of(recorded_at), seen)
        if seen.result:
            for value in seen.result.values():
                if type(value) is list:
                    self._keep_long(seen)
                    break
        while len(self._seen) > self._limit:
            oldest = next(iter(self._seen))
            recorded_ms, seen = self._seen[oldest]
            if seen.on_its_way:
                return
            del self._seen[oldest]
            self._floor_ms = max(self._floor_ms, recorded_ms)

    def _keep_long(self, seen: SeenCommand) -> None:
        """Lets go of the oldest results that the log has, where they have become too much."""
        if self._long is None:
            self._long = deque()
        size = footprint_bytes(seen.result)
        self._long.append((seen, size))
        self._long_bytes += size
        while self._long_bytes > self._long_bytes_max and not self._long[0][0].on_its_way:
            oldest, size = self._long.popleft()
            oldest.result = None
            self._long_bytes -= size

    def find(self, op_id: str) -> SeenCommand | None:
        found = self._seen.get(op_id)
        return found[1] if found is not None else None

    @property
    def is_whole(self) -> bool:
        """Whether it holds every command that the stream ever took."""
        return self._floor_ms == _ALL

    def reaches_back_to(self, seq: int) -> bool:
        """Whether every command after `seq` is in it."""
        oldest = next(iter(self._seen.values()), None)
        return self.is_whole or (oldest is not None and oldest[1].seq <= seq + 1)

    def may_have_forgotten(self, op_id: str) -> bool:
        """Whether the log has to be asked before the command is decided."""
        if self.is_whole:
            return False
        made_ms = made_at_ms(op_id)
        return made_ms is None or made_ms <= self._floor_ms

    def as_json(self) -> dict[str, Any]:
        """For the snapshot: everything but the results, which the log has."""
        return {
            "floorMs": self._floor_ms,
            "seen": [
                [op_id, recorded_ms, seen.seq, seen.epoch, seen.digest, seen.at]
                for op_id, (recorded_ms, seen) in self._seen.items()
            ],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any], limit: int) -> OutcomeMemory:
        """The memory of a snapshot. Raises KeyError, TypeError or ValueError when the content is something else."""
        memory = cls(limit)
        memory._floor_ms = int(content["floorMs"])
        for op_id, recorded_ms, seq, epoch, digest, at in content["seen"]:
            memory._seen[op_id] = (recorded_ms, SeenCommand(seq, epoch, digest, at, None))
        return memory


def made_at_ms(op_id: str) -> int | None:
    """Milliseconds since 1970 of a UUIDv7 (RFC 9562 §5.7); None for other versions."""
    if op_id[14] != "7":
        return None
    return int(op_id[:8] + op_id[9:13], 16)


@lru_cache(maxsize=256)
def _ms_of(instant: str) -> int:
    return round(datetime_of(instant).timestamp() * 1000)
