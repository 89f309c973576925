"""Points in time as the protocol writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def instant_now() -> str:
    """UTC with milliseconds and `Z`."""
    return instant_of(datetime.now(UTC))


def instant_of(moment: datetime) -> str:
    """The same of any moment that knows its zone."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def moment_of(instant: str) -> datetime:
    """The moment of an instant. Raises ValueError."""
    return datetime.fromisoformat(instant)
