"""Requests with an `Idempotency-Key` that were refused at the edge, before an actor or a table could remember them.

What took effect is remembered where it did: in the log, or beside the account. A refusal leaves nothing there. Without
this memory its key could be used for another request, and a late twin of a refused request could be accepted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from actors.ports import Clock
from actors.runtime.rejections import OP_ID_REUSED, RejectionMemory
from protocol.errors import ErrorCode, Rejected, Rejection
from server.idempotency import KEY_REUSED

REFUSALS_REMEMBERED_MAX: Final = 100_000
REFUSAL_MEMORY_S: Final = 60.0


@dataclass(slots=True)
class _UnderWay:
    """Requests with one key that have not ended, and whether one of them was accepted."""

    count: int = 0
    is_accepted: bool = False


class KeyedRequests:
    """One per process, like the memory of the actors' rejections, and with the same limits."""

    def __init__(self, clock: Clock, limit: int = REFUSALS_REMEMBERED_MAX, memory_s: float = REFUSAL_MEMORY_S) -> None:
        self._clock = clock
        self._refused = RejectionMemory(limit, memory_s)
        # (scope, opId, caller's id) → the requests with this key that are under way.
        self._under_way: dict[tuple[str, str, str], _UnderWay] = {}

    @contextmanager
    def judged_once(self, scope: str, op_id: str, caller_id: str, digest: bytes) -> Iterator[None]:
        """Around the work of a request with a key. `scope` is what it is about; `digest` tells its content.

        What one caller was refused says nothing about the same key of another.

        Raises Rejected: the first answer to the same request, `op_id_reused` when the key came with another one.
        Retryable refusals are not remembered: they ask for the same request again.
        """
        key = (scope, op_id, caller_id)
        self._refused.forget_old(self._clock.monotonic_s())
        known = self._refused.find(*key, digest)
        if known is not None:
            raise Rejected(KEY_REUSED if known is OP_ID_REUSED else known)
        under_way = self._under_way.setdefault(key, _UnderWay())
        under_way.count += 1
        refusal: Rejection | None = None
        try:
            yield
            under_way.is_accepted = True
        except Rejected as refused:
            refusal = refused.rejection
            raise
        finally:
            under_way.count -= 1
            if under_way.count == 0:
                del self._under_way[key]
                if refusal is not None and not under_way.is_accepted:
                    self._remember(key, digest, refusal)

    def _remember(self, key: tuple[str, str, str], digest: bytes, refusal: Rejection) -> None:
        """Not that the key belongs to another request: that one's answer counts."""
        if refusal.code is not ErrorCode.OP_ID_REUSED:
            self._refused.remember(*key, digest, refusal, self._clock.monotonic_s())
