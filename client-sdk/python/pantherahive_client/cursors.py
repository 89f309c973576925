"""Positions in a stream. To everybody else a cursor is an opaque text that is kept and shown again."""

from __future__ import annotations

from pantherahive_client.models import WireEntry

START = "0.0"
"""Before the first entry: joining with it brings every event there ever was, as far as the server replays them."""


def cursor_of(entry: WireEntry) -> str:
    """The position right after this entry."""
    return f"{entry['seq']}.{entry['epoch']}"


def seq_of(cursor: str) -> int:
    """The number of the entry that the cursor stands after. Raises ValueError when it is no cursor."""
    return int(cursor.partition(".")[0])
