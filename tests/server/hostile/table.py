"""The whole table, in its chapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tests.server.hostile import (
    rows_accounts,
    rows_bodies,
    rows_commands,
    rows_requests,
    rows_socket,
    rows_tokens,
    rows_wire,
)
from tests.server.hostile.row import Row

TABLE: Final[Mapping[str, Sequence[Row]]] = {
    "Bodies over REST": rows_bodies.ROWS,
    "Accounts": rows_accounts.ROWS,
    "Requests": rows_requests.ROWS,
    "Tokens": rows_tokens.ROWS,
    "The socket": rows_socket.ROWS,
    "Commands": rows_commands.ROWS,
    "Below HTTP and Socket.IO": rows_wire.ROWS,
}

ROWS: Final[Sequence[tuple[str, Row]]] = [(chapter, row) for chapter, rows in TABLE.items() for row in rows]
