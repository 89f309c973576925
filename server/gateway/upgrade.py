"""The way from HTTP to WebSocket: aiohttp shakes hands and lets go of the connection, which is the gateway's then.

Stock keeps the request, its parser, its headers and two tasks with the frames of all handlers as long as the WebSocket
lives, which is more than half of what an idle connection takes. Of the protocol's own fields these are used:
`_message_tail`, `_buffer_paused`.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from aiohttp import web

SILENT = logging.getLogger("aiohttp.websocket")
"""For aiohttp's own words on a handshake: they hold whatever a client sent, so they go nowhere."""
SILENT.setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Handed:
    """A connection that nobody reads from. `early` is what has come behind the request."""

    transport: asyncio.Transport
    early: bytes
    # Whether the transport was told to wait, because too much had come.
    is_paused: bool


class Upgrade(web.WebSocketResponse):
    """Shakes hands and nothing more: what comes and goes afterwards does not pass through it."""

    def __init__(self) -> None:
        super().__init__(compress=False)

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: Any) -> None:
        """Stock's reader, queue and heartbeat are not wanted."""

    async def write_eof(self) -> None:  # type: ignore[override]
        """The request is over, and the connection is not."""


def take_over(request: web.BaseRequest) -> Handed | None:
    """Takes the connection from the one that served HTTP on it, for which it is lost. None: it is lost for all."""
    http = request.protocol
    transport = http.transport
    if transport is None or transport.is_closing():
        return None
    handed = Handed(transport, http._message_tail, http._buffer_paused)
    http._message_tail = b""
    http.transport = None  # so that it does not close it at its end
    http.connection_lost(None)
    return handed
