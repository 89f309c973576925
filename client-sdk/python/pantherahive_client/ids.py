"""Identifiers that a client makes itself."""

from __future__ import annotations

import secrets
import time
from uuid import UUID


def new_id() -> str:
    """A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits; text order is roughly time order."""
    milliseconds = time.time_ns() // 1_000_000 & (1 << 48) - 1
    random_bits = secrets.randbits(74)
    value = milliseconds << 80 | 0x7 << 76 | random_bits >> 62 << 64 | 0b10 << 62 | random_bits & (1 << 62) - 1
    return str(UUID(int=value))
