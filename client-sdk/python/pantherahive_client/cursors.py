"""Positions in a stream. To everybody else a cursor is an opaque text that is kept and shown again."""

from __future__ import annotations

import re

from pantherahive_client.errors import Invalid
from pantherahive_client.models import WireEntry

START = "0.0"
"""Before the first entry: joining with it brings every event there ever was, as far as the server replays them."""

_CURSOR = re.compile(r"(0|[1-9][0-9]{0,15})\.(0|[1-9][0-9]{0,15})", re.ASCII)


def cursor_of(entry: WireEntry) -> str:
    """The position right after this entry."""
    return f"{entry['seq']}.{entry['epoch']}"


def seq_of(cursor: str) -> int:
    """The number of the entry that the cursor stands after. Raises ValueError when it is no cursor."""
    return int(cursor.partition(".")[0])


def seq_of_given(cursor: str) -> int:
    """The same for a cursor that the program was given. Raises Invalid when it is no cursor."""
    if _CURSOR.fullmatch(cursor) is None:
        raise Invalid(f"not a cursor: {cursor[:40]!r}", {"field": "cursor"})
    return seq_of(cursor)
