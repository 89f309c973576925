"""Points in time as the protocol writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def instant_now() -> str:
    """UTC with milliseconds and `Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
