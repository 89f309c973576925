"""Rejections that were released, kept longer than any request can be on its way.

A rejection leaves no entry. Without this memory a late duplicate of a rejected command could be accepted after the
state has changed, and its sender would hold two answers to one opId. It holds against that sender alone: an opId has
no owner before it is in the log, and whoever foresees somebody's cannot take it from them by being refused.
"""

from __future__ import annotations

from collections import OrderedDict

from protocol.errors import ErrorCode, Rejection

MOVED_ON = Rejection(ErrorCode.PRECONDITION_FAILED, "it has changed since; read it again")
STREAM_HALTED = Rejection(ErrorCode.STREAM_HALTED, "this stream is halted; it can be read as of its last good entry")
TOO_EARLY = Rejection(
    ErrorCode.UNAVAILABLE,
    "the command that this one comes after has not been decided here: send both again, that one first",
    {"retryAfterS": 0.2},
)
OP_ID_REUSED = Rejection(ErrorCode.OP_ID_REUSED, "this opId was used for another command")


class RejectionMemory:
    """One per node; a rejected command does not outlive its process, and clients never resend one."""

    def __init__(self, limit: int, memory_s: float) -> None:
        self._limit = limit
        self._memory_s = memory_s
        # (stream, opId, sender's id) → (released at, digest, rejection), oldest first.
        self._released: OrderedDict[tuple[str, str, str], tuple[float, bytes, Rejection]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._released)

    def remember(
        self, stream: str, op_id: str, sender_id: str, digest: bytes, rejection: Rejection, now_s: float
    ) -> None:
        """Keeps the first answer. `op_id_reused` is none: the opId belongs to another command, whose answer counts."""
        if rejection.retryable or rejection is OP_ID_REUSED:
            return
        self._released.setdefault((stream, op_id, sender_id), (now_s, digest, rejection))
        while len(self._released) > self._limit:
            self._released.popitem(last=False)

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
            key, (released_s, _, _) = next(iter(self._released.items()))
            if now_s - released_s < self._memory_s:
                return
            del self._released[key]
