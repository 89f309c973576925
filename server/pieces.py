"""What comes on a connection, in pieces that the parser reads to their ends.

Each of them is small where its bytes may cost much, so that others can have a turn in between: a chunk of a body may be
a single byte, and a request twenty. What is known to be a body costs little, and is one piece.

aiohttp's compiled parser stops behind a request that asks for another protocol and, unless that is WebSocket, forgets
what stands behind it in the same piece. A server may ignore such a wish (RFC 9110 §7.8), and then has to answer what
comes behind it (RFC 9112 §9.3.2). So a piece ends where such a request does. A cut too many changes nothing: TCP cuts
anywhere. Only where its body ends that comes in chunks is not seen here: see `is_last`.
"""

from __future__ import annotations

from typing import Final

from aiohttp import StreamReader, hdrs
from aiohttp.http import RawRequestMessage

_NAME: Final = b"upgrade"
"""Of the header, in small letters."""
_BLANK_LINE: Final = b"\r\n\r\n"
_HEADS_MAX: Final = 32
"""So many blank lines are looked behind for one piece: a body that is full of them costs no more than others."""
COSTLY_BYTES: Final = 2048
"""The largest piece that may be full of requests or chunks: some 3 ms of a server that does nothing but parse them."""
_SHORTEST_BYTES: Final = len(b"GET / HTTP/1.1\r\nHost:\r\nConnection:upgrade\r\nUpgrade:\r\n\r\n")
"""Nothing shorter asks for another protocol and leaves the connection open: so no body is cut into crumbs."""


class Pieces:
    """What has come and was not taken yet."""

    __slots__ = ("_at", "_body_bytes", "_came", "_cut", "_is_last", "_is_named", "_lower")

    def __init__(self) -> None:
        # What has come, from a little before what is not taken yet: a name or a blank line may have begun there.
        self._came = b""
        # The same in small letters, as soon as it is needed.
        self._lower: bytes | None = None
        # What stands before it is taken.
        self._at = 0
        # Where headers may begin: none stand on both sides of it. Below 0: what stood between is not kept any more.
        self._cut = 0
        # Whether the name stands between the cut and `_at`.
        self._is_named = False
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
        self._lower = None

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
        """Where the next piece ends: with the body, or with headers that may have the name, or where it is enough."""
        if body is not None and self._body_bytes is not None and self._body_bytes > body.total_bytes:
            self._cut = self._at + self._body_bytes - body.total_bytes
            self._is_named = False
            return min(self._cut, len(self._came))
        enough_at = min(self._at + COSTLY_BYTES, len(self._came))
        if self._is_last:
            return enough_at
        if self._lower is None:
            self._lower = self._came.lower()
        for _ in range(_HEADS_MAX):
            if not self._is_named and (name_at := self._lower.find(_NAME, max(self._cut, 0), enough_at)) < 0:
                return enough_at
            searched_at = max(self._at - len(_BLANK_LINE) + 1, 0) if self._is_named else name_at
            blank_at = self._lower.find(_BLANK_LINE, searched_at, enough_at)
            self._is_named = blank_at < 0
            if self._is_named:
                return enough_at
            began_at = self._cut
            if (newest_at := self._lower.rfind(_BLANK_LINE, max(began_at, 0), blank_at)) >= 0:
                began_at = newest_at + len(_BLANK_LINE)
            self._cut = blank_at + len(_BLANK_LINE)
            if self._cut > self._at and self._cut - began_at >= _SHORTEST_BYTES:
                break
        return self._cut

    def _taken(self, end: int) -> bytes:
        piece = self._came[self._at : end]
        self._at = end
        if end == len(self._came):
            self._forget_taken()
        return piece

    def _forget_taken(self) -> None:
        """But for what a name that goes on may have begun with."""
        kept_from = min(max(self._cut, self._at - len(_NAME) + 1), self._at)
        if kept_from > 0:
            self._came, self._lower = self._came[kept_from:], None
            self._at -= kept_from
            self._cut -= kept_from


def is_last(message: RawRequestMessage) -> bool:
    """Whether the connection ends with the answer to a request, and what comes behind it is not read.

    A body in chunks may end with trailers, and the compiled parser takes the last of them for a header of the next
    request, which may be somebody else's where a proxy shares connections.
    """
    return message.chunked
