"""Who may write an export now, and how long its reader may let it wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from actors.ports import Clock
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal
from server.rest.ongoing import write_within

_BUSY: Final = Rejection(
    ErrorCode.OVERLOADED, "too many exports at once", {"limit": "exports-at-once", "retryAfterS": 5}
)
_TOO_MANY: Final = Rejection(
    ErrorCode.OVERLOADED, "too many exports of this user at once", {"limit": "exports-per-user", "retryAfterS": 5}
)


@dataclass(frozen=True, slots=True)
class ExportLimits:
    """`at_once_max` of the whole process, `per_user_max` of a user and their bots, not of the operator.

    `grace_s` to read what was sent. In all an export may wait for its reader as long as that, and as reading what was
    sent takes at `bytes_per_s_min`: whoever reads slower, however steadily, gives their place away.
    """

    at_once_max: int = 8
    per_user_max: int = 2
    grace_s: float = 30.0
    bytes_per_s_min: int = 64 << 10
    chunk_bytes: int = 64 << 10
    stretch_entries: int = 256
    stretch_bytes: int = 1 << 20


class ExportPlaces:
    """The exports that are under way."""

    def __init__(self, limits: ExportLimits) -> None:
        self._limits = limits
        # User, None for the operator → how many of their exports are under way.
        self._per_user: Counter[str | None] = Counter()

    @contextmanager
    def place(self, principal: Principal) -> Iterator[None]:
        """A place for one. Raises Rejected."""
        user = principal.counts_for
        if user is not None and self._per_user[user] >= self._limits.per_user_max:
            raise Rejected(_TOO_MANY)
        if self._per_user.total() >= self._limits.at_once_max:
            raise Rejected(_BUSY)
        self._per_user[user] += 1
        try:
            yield
        finally:
            self._per_user[user] -= 1
            if not self._per_user[user]:
                del self._per_user[user]


class PacedWriter:
    """Writes an answer as fast as it is read, but no slower than the limits say."""

    def __init__(self, response: web.StreamResponse, clock: Clock, limits: ExportLimits) -> None:
        self._response = response
        self._clock = clock
        self._limits = limits
        # How long the reader let it wait in all, and for how many bytes.
        self._waited_s = 0.0
        self._sent_bytes = 0

    async def write(self, chunk: bytes) -> None:
        """Raises TimeoutError, and ConnectionError."""
        owed_s = self._limits.grace_s + self._sent_bytes / self._limits.bytes_per_s_min - self._waited_s
        if owed_s <= 0:
            raise TimeoutError
        began_s = self._clock.monotonic_s()
        await write_within(self._response, chunk, min(self._limits.grace_s, owed_s))
        self._waited_s += self._clock.monotonic_s() - began_s
        self._sent_bytes += len(chunk)
