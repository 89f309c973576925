"""Rejections that were released, kept longer than any request can be on its way.

A rejection leaves no entry. Without this memory a late duplicate of a rejected command could be accepted after the
state has changed, and its sender would hold two answers to one opId. It holds against that sender alone: an opId has
no owner before it is in the log, and whoever foresees somebody's cannot take it from them by being refused.

Details may be long: both values of every field that was changed since. Of those that take too much together the oldest
are cut to what is short; what was refused stays refused, with the same code and message.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from actors.runtime.footprint import footprint_bytes
from protocol.errors import ErrorCode, Rejection

DETAILS_BYTES_MAX: Final = 32 << 20
"""What the details of all remembered rejections take of memory."""
_SHORT_CHARACTERS_MAX: Final = 100

MOVED_ON = Rejection(ErrorCode.PRECONDITION_FAILED, "it has changed since; read it again")
STREAM_HALTED = Rejection(ErrorCode.STREAM_HALTED, "this stream is halted; it can be read as of its last good entry")
TOO_EARLY = Rejection(
    ErrorCode.UNAVAILABLE,
    "the command that this one comes after has not been decided here: send both again, that one first",
    {"retryAfterS": 0.2},
)
OP_ID_REUSED = Rejection(ErrorCode.OP_ID_REUSED, "this opId was used for another command")

_Key: TypeAlias = tuple[str, str, str]
"""(stream, opId, sender's id)."""


class RejectionMemory:
    """One per node; a rejected command does not outlive its process, and clients never resend one."""

    def __init__(self, limit: int, memory_s: float, details_bytes_max: int = DETAILS_BYTES_MAX) -> None:
        self._limit = limit
        self._memory_s = memory_s
        self._details_bytes_max = details_bytes_max
        # What was rejected → (released at, digest, rejection), oldest first.
        self._released: OrderedDict[_Key, tuple[float, bytes, Rejection]] = OrderedDict()
        # Those of them that have all their details, oldest first, with what these take, and the sum of it.
        self._detailed: deque[tuple[_Key, int]] = deque()
        self.details_bytes = 0

    def __len__(self) -> int:
        return len(self._released)

    def remember(
        self, stream: str, op_id: str, sender_id: str, digest: bytes, rejection: Rejection, now_s: float
    ) -> None:
        """Keeps the first answer. `op_id_reused` is none: the opId belongs to another command, whose answer counts."""
        if rejection.retryable or rejection is OP_ID_REUSED:
            return
        key = stream, op_id, sender_id
        if key in self._released:
            return
        self._released[key] = now_s, digest, rejection
        if rejection.details:
            details_bytes = footprint_bytes(rejection.details)
            self._detailed.append((key, details_bytes))
            self.details_bytes += details_bytes
            while self.details_bytes > self._details_bytes_max:
                self._shorten_oldest()
        while len(self._released) > self._limit:
            self._forget_oldest()

    def find(self, stream: str, op_id: str, sender_id: str, digest: bytes) -> Rejection | None:
        """The first answer to the same command; OP_ID_REUSED when its sender sent the opId with something else."""
        found = self._released.get((stream, op_id, sender_id))
        if found is None:
            return None
        return found[2] if found[1] == digest else OP_ID_REUSED

    def has(self, stream: str, op_id: str, sender_id: str) -> bool:
        """Whether a command of this sender with this opId was refused, whatever it was."""
        return (stream, op_id, sender_id) in self._released

    def forget_old(self, now_s: float) -> None:
        while self._released:
            released_s, _, _ = next(iter(self._released.values()))
            if now_s - released_s < self._memory_s:
                return
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        key, _ = self._released.popitem(last=False)
        if self._detailed and self._detailed[0][0] == key:
            self.details_bytes -= self._detailed.popleft()[1]

    def _shorten_oldest(self) -> None:
        key, details_bytes = self._detailed.popleft()
        self.details_bytes -= details_bytes
        released_s, digest, rejection = self._released[key]
        self._released[key] = released_s, digest, replace(rejection, details=_shortened(rejection.details))


def _shortened(details: Mapping[str, Any]) -> dict[str, Any]:
    """What is short of them, such as the reason."""
    short = {
        name: value
        for name, value in details.items()
        if isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _SHORT_CHARACTERS_MAX)
    }
    return {**short, "shortened": True}
