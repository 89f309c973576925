"""One line of the tables: what a client sends, and what must come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tests.server.gateway.conformance.frames import JSON, MSGPACK, Dialect

Wire: TypeAlias = Callable[[Dialect], bytes]
Start: TypeAlias = Literal["http", "opened", "entered"]
"""Nothing but TCP; past Engine.IO's handshake; past CONNECT."""

BOTH: Final = (JSON, MSGPACK)
WEBSOCKET_ONLY: Final = "WebSocket only"


@dataclass(frozen=True)
class Case:
    """`section` of the protocol's text that asks for it; `sent` is said in words, `wire` in bytes.

    `comes` is everything that the server says until it answers a probe (`open`) or has closed (`closed`).
    A waiver says why the server does not do what the case asks for; `comes` is then what it does instead, where it does
    anything. `shown_by` names the test of a case that takes more than one sending.
    """

    name: str
    section: str
    sent: str
    comes: str
    start: Start = "entered"
    wire: Wire | None = None
    dialects: tuple[Dialect, ...] = BOTH
    waiver: str = ""
    shown_by: str = ""

    @property
    def is_sent(self) -> bool:
        """Whether the table's test sends it."""
        return self.wire is not None


def polling(name: str, section: str) -> Case:
    """A case over HTTP long-polling, which is not served."""
    return Case(name, section, "", "", waiver=WEBSOCKET_ONLY)
