"""What an answer takes of memory while it is kept for retries."""

from __future__ import annotations

from collections.abc import Mapping
from sys import getsizeof
from typing import Any


def footprint_bytes(value: Any) -> int:
    """Of a JSON value with all that it holds, about: what it shares with others counts as its own."""
    size = getsizeof(value)
    if isinstance(value, Mapping):
        return size + sum(map(footprint_bytes, value.values()))
    if isinstance(value, list | tuple):
        return size + sum(map(footprint_bytes, value))
    return size
