"""The whole table, in its chapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tests.server.gateway.conformance import engineio_cases, socketio_cases, websocket_cases
from tests.server.gateway.conformance.case import Case

ENGINEIO: Final = "Engine.IO v4: the public suite's cases"
SOCKETIO: Final = "Socket.IO v5: the public suite's cases above Engine.IO"

TABLE: Final[Mapping[str, Sequence[Case]]] = {
    ENGINEIO: engineio_cases.SUITE,
    "Engine.IO v4: more of the text": engineio_cases.MORE,
    SOCKETIO: socketio_cases.SUITE,
    "Socket.IO v5: more of the text": socketio_cases.MORE,
    "WebSocket (RFC 6455)": websocket_cases.CASES,
}

CASES: Final[Sequence[Case]] = [case for cases in TABLE.values() for case in cases]
