"""What comes on a connection, in pieces that the parser reads to their ends: headers of one request, or of its body.

aiohttp's compiled parser stops behind a request that asks for another protocol and, unless that is WebSocket, forgets
what stands behind it in the same piece. A server may ignore such a wish (RFC 9110 §7.8), and then has to answer what
comes behind it (RFC 9112 §9.3.2). So a piece ends where headers do. A cut too many changes nothing: TCP cuts anywhere.
Only where its body ends that comes in chunks is not seen here: see `is_last`.

Each piece is small where its bytes may cost much, so that others can have a turn in between: a chunk of a body may be a
single byte. What is known to be a body costs little, and is one piece.
"""

from __future__ import annotations

from typing import Final

from aiohttp import StreamReader, hdrs
from aiohttp.http import RawRequestMessage

COSTLY_BYTES: Final = 1024
"""The largest piece that may be full of chunks: some 1 ms of a server that does nothing but parse them."""
_BLANK_LINE: Final = b"\r\n\r\n"
_SHORTEST_BYTES: Final = len(b"GET / HTTP/1.1\r\n\r\n")
"""No request is shorter: blank lines before one are not cut into crumbs."""


class Pieces:
    """What has come and was not taken yet."""

    __slots__ = ("_at", "_body_bytes", "_came", "_is_amid", "_is_last")

    def __init__(self) -> None:
        # What has come, from a little before what is not taken yet: a blank line may have begun there.
        self._came = b""
        # What stands before it is taken.
        self._at = 0
        # Whether what is taken may end amid headers.
        self._is_amid = False
        # How long the body of the newest request is; None: it has none, or comes in chunks.
        self._body_bytes: int | None = None
        # Whether that one is the last: see `is_last`.
        self._is_last = False

    def __len__(self) -> int:
        """How many bytes can be taken."""
        return len(self._came) - self._at

    def add(self, data: bytes) -> None:
        """More has come."""
        self._forget_taken()
        self._came += data

    def begin(self, message: RawRequestMessage) -> None:
        """The headers of a request are taken."""
        length = message.headers.get(hdrs.CONTENT_LENGTH)
        self._body_bytes = int(length) if length is not None else None
        self._is_last = is_last(message)

    def take(self, body: StreamReader | None) -> bytes:
        """The next piece. `body`: the newest request's, where it is not whole yet."""
        return self._taken(self._end(body))

    def take_all(self) -> bytes:
        """For who is no parser of HTTP."""
        return self._taken(len(self._came))

    def _end(self, body: StreamReader | None) -> int:
        """Where the next piece ends: with the body, or with headers, or where it is enough."""
        if body is not None and self._body_bytes is not None and self._body_bytes > body.total_bytes:
            self._is_amid = False
            return min(self._at + self._body_bytes - body.total_bytes, len(self._came))
        enough_at = min(self._at + COSTLY_BYTES, len(self._came))
        if self._is_last:
            return enough_at
        looked_from = max(self._at - len(_BLANK_LINE) + 1, 0)
        if not self._is_amid:
            looked_from = self._at + _SHORTEST_BYTES - len(_BLANK_LINE)
        blank_at = self._came.find(_BLANK_LINE, looked_from, enough_at)
        self._is_amid = blank_at < 0
        return enough_at if self._is_amid else blank_at + len(_BLANK_LINE)

    def _taken(self, end: int) -> bytes:
        piece = self._came[self._at : end]
        self._at = end
        if not self:
            self._forget_taken()
        return piece

    def _forget_taken(self) -> None:
        """But for what a blank line that goes on may have begun with."""
        forgotten = max(self._at - len(_BLANK_LINE) + 1, 0)
        self._came = self._came[forgotten:]
        self._at -= forgotten


def is_last(message: RawRequestMessage) -> bool:
    """Whether the connection ends with the answer to a request, and what comes behind it is not read.

    A body in chunks may end with trailers, and the compiled parser takes the last of them for a header of the next
    request, which may be somebody else's where a proxy shares connections.
    """
    return message.chunked
