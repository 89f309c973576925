"""Identifiers that a client makes itself."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from threading import Lock
from typing import Final
from uuid import UUID, uuid5

_VERSION_7: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_VERSION_8: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_NAMESPACE: Final = UUID("0b7c4e0a-58a1-4c0e-9c1f-6a3d2f4b7e95")


class AscendingIds:
    """UUIDv7s (RFC 9562 §5.7), each greater than all before it, from any thread of this process.

    Those of one millisecond differ by a counter in `rand_a` (RFC 9562 §6.2, method 1) that starts in its lower half.
    When it is used up, or the clock went back, the last millisecond is carried on. So what a program makes in a row is
    listed in that order, even where the server takes it all in within one millisecond.
    """

    def __init__(self, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._now_ms = now_ms
        self._lock = Lock()
        # Milliseconds and counter of the newest id, as one number.
        self._newest = -1

    def new_id(self) -> str:
        """As lower-case text."""
        with self._lock:
            now_ms = self._now_ms()
            is_later = now_ms > self._newest >> 12
            self._newest = now_ms << 12 | secrets.randbits(11) if is_later else self._newest + 1
            newest = self._newest
        return uuid_of_bits(newest >> 12, (newest & 0xFFF) << 62 | secrets.randbits(62), 7)


new_id: Final = AscendingIds().new_id
"""A new id, greater than all before it."""


def made_id(op_id: str, what: str) -> str:
    """The id of what a command makes: the same for every retry under this `opId`, and in the same order.

    A UUIDv7 where the `opId` is one; a UUIDv8 of the same account where it was derived (`derived_id`); else a UUIDv5.
    Capitals are as small letters, as they are to the server.
    """
    op_id = op_id.lower()
    digest = int.from_bytes(hashlib.blake2b(f"{op_id}/{what}".encode(), digest_size=16).digest())
    if _VERSION_7.fullmatch(op_id):
        counter = int(op_id[15:18], 16)
        return uuid_of_bits(_first_48_bits(op_id), counter << 62 | digest & (1 << 62) - 1, 7)
    if _VERSION_8.fullmatch(op_id):
        return uuid_of_bits(_first_48_bits(op_id), digest & (1 << 74) - 1, 8)
    return str(uuid5(_NAMESPACE, f"{op_id}/{what}"))


def _first_48_bits(uuid: str) -> int:
    return int(uuid[:8] + uuid[9:13], 16)


def uuid_of_bits(first_48_bits: int, other_74_bits: int, version: int) -> str:
    """RFC 9562 §4: what is left of the 128 bits tells the version and the variant."""
    value = first_48_bits << 80 | version << 76 | other_74_bits >> 62 << 64
    return str(UUID(int=value | 0b10 << 62 | other_74_bits & (1 << 62) - 1))
