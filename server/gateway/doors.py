"""How many connections one address and one user have: each has its cap, so that nobody takes the place of all."""

from __future__ import annotations

from collections import Counter
from typing import Final

from protocol.errors import ErrorCode, Rejection

TOO_MANY_OF_ADDRESS: Final = Rejection(
    ErrorCode.OVERLOADED,
    "too many connections from this address",
    {"limit": "connections-per-address", "retryAfterS": 5},
)
TOO_MANY_OF_USER: Final = Rejection(
    ErrorCode.OVERLOADED, "too many connections of this user", {"limit": "connections-per-user", "retryAfterS": 5}
)


class Doors:
    """Counts what is open. An entry whose count falls to zero is forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        # Address or user → open connections.
        self._open: Counter[str] = Counter()

    def enter(self, key: str) -> bool:
        """One more, unless there are as many as there may be."""
        if self._open[key] >= self._most:
            return False
        self._open[key] += 1
        return True

    def leave(self, key: str) -> None:
        """One fewer; only what entered may leave."""
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]

    def __len__(self) -> int:
        return len(self._open)
