"""The way from HTTP to WebSocket: aiohttp shakes hands and lets go of the connection, which is the gateway's then.

Stock keeps the request, its parser, its headers and two tasks with the frames of all handlers as long as the WebSocket
lives, which is more than half of what an idle connection takes. Of the protocol's own fields these are used:
`_message_tail`, `_buffer_paused`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import HttpVersion11, hdrs, web

from protocol.errors import ErrorCode, Rejected, Rejection
from server.origins import may_call

SILENT = logging.getLogger("aiohttp.websocket")
"""For aiohttp's own words on a handshake: they hold whatever a client sent, so they go nowhere."""
SILENT.setLevel(logging.CRITICAL + 1)

VERSION: Final = "13"
"""Of WebSocket (RFC 6455 §4.1)."""
_KEY_BYTES: Final = 16
FOREIGN_ORIGIN: Final = Rejection(ErrorCode.INVALID, "pages of this origin may not connect; see `allowed_origins`")


def check_handshake(request: web.Request) -> None:
    """What RFC 6455 §4.2.1 asks of a handshake and stock does not look at. What is not there at all, stock refuses.

    Raises HTTPBadRequest, which names the version that is spoken where another one is wanted (§4.4).
    """
    if request.version < HttpVersion11:
        raise web.HTTPBadRequest(text="a WebSocket begins with HTTP/1.1")
    if request.headers.getall(hdrs.SEC_WEBSOCKET_VERSION, [VERSION]) != [VERSION]:
        raise web.HTTPBadRequest(headers={hdrs.SEC_WEBSOCKET_VERSION: VERSION})
    keys = request.headers.getall(hdrs.SEC_WEBSOCKET_KEY, [])
    if len(keys) > 1 or not all(map(_is_key, keys)):
        raise web.HTTPBadRequest(text="the key is not 16 bytes in base64, once")


def check_origin(request: web.Request, allowed: Collection[str]) -> None:
    """Raises Rejected for pages that may not connect."""
    if not may_call(request, allowed):
        raise Rejected(FOREIGN_ORIGIN)


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):  # the latter for what is not ASCII
        return False


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
