"""Connections that are not served, because their address has as many as it may have."""

from __future__ import annotations

import asyncio
from typing import Final, cast

from protocol.errors import Rejection
from server.gateway.doors import TOO_MANY_OF_ADDRESS
from server.middleware import set_security_headers
from server.rest.problems import problem


def _unasked(rejection: Rejection) -> bytes:
    """A whole response in HTTP/1.1, for a connection that ends before it has asked for anything."""
    response = problem(rejection)
    set_security_headers(response, "-")
    body = cast(bytes, response.body)
    headers = {**response.headers, "Content-Length": str(len(body)), "Connection": "close"}
    lines = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
    return f"HTTP/1.1 {response.status} {response.reason}\r\n{lines}\r\n".encode() + body


_TURNED_AWAY: Final = _unasked(TOO_MANY_OF_ADDRESS)


class TurnedAway(asyncio.Protocol):
    """Whoever is told why its connection is not served."""


def turn_away(stream: asyncio.Transport) -> None:
    """Says why, and ends it."""
    stream.set_protocol(TurnedAway())
    stream.write(_TURNED_AWAY)
    stream.close()
