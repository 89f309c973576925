"""Commands of ours that the replica does not hold yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PendingCommand:
    """A command between its sending and its entry. Its effect stands in `Project.state` and not in `confirmed`."""

    op_id: str
    type: str
    data: Mapping[str, Any]
    author: str
    at: str
    """When it was sent, by the client's clock; the server's time comes with the entry."""
