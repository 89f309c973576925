"""What `doctor` says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table. `advice` is there exactly when something is wrong."""

    subject: str
    found: str
    advice: str | None = None
