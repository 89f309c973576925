"""Identifiers that a client makes itself."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from typing import Final
from uuid import UUID

_VERSION_7: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new_id() -> str:
    """A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits; text order is roughly time order."""
    milliseconds = time.time_ns() // 1_000_000 & (1 << 48) - 1
    return _uuid(milliseconds, secrets.randbits(74), 7)


def made_id(op_id: str, what: str) -> str:
    """The id of what a command makes: the same for every retry under this `opId`, and as old as that is.

    A UUIDv7 where the `opId` is one, else a UUIDv8 (RFC 9562 §5.8).
    """
    digest = int.from_bytes(hashlib.blake2b(f"{op_id}/{what}".encode(), digest_size=16).digest())
    if _VERSION_7.fullmatch(op_id):
        return _uuid(int(op_id[:8] + op_id[9:13], 16), digest & (1 << 74) - 1, 7)
    return _uuid(digest >> 80, digest & (1 << 74) - 1, 8)


def _uuid(first_48_bits: int, other_74_bits: int, version: int) -> str:
    value = first_48_bits << 80 | version << 76 | other_74_bits >> 62 << 64
    return str(UUID(int=value | 0b10 << 62 | other_74_bits & (1 << 62) - 1))
