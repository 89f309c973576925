"""A connection whose bytes are parsed in pieces, in turns with all others.

Stock parses whatever one read has brought, up to 256 KB, in one call: forty thousand chunks of a body, or as many
requests as its queue takes. And it does so for each connection that has something, before anything else runs. Here a
turn of the loop parses for a slice of time, and begins a few requests: no connection has more than one in its queue.

Of the protocol's own fields these are used: `_messages`, `_upgraded`, `_keepalive_handle`, `_reading_paused`,
`_buffer_paused`, `_pause_transport_reading`, `_resume_transport_reading`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web
from aiohttp.streams import StreamReader

from server.arrival import Arrival
from server.gateway.turns import Turns
from server.pieces import COSTLY_BYTES, Pieces

PIECES_MAX: Final = 8
"""So many are parsed in one turn of the loop: each may begin a request, which costs ten times as much as to parse."""
LINE_S: Final = 1.0
"""Whose bytes wait for their turn is waited for; so long later it is looked at again."""


class PiecewiseHandler(web.RequestHandler):
    """Fits `server.gateway.turns.Reader`."""

    __slots__ = ("_body", "_is_deaf", "_is_held", "_is_in_line", "_pieces", "_turns")

    def __init__(self, server: web.Server, turns: Turns, **options: Any) -> None:
        super().__init__(server, **options)
        self._turns = turns
        # The body that is waited for.
        self._body: Arrival | None = None
        # What has come and is not parsed.
        self._pieces = Pieces()
        # Whether its next piece waits for a turn.
        self._is_in_line = False
        # Whether nothing more is read until there is less of it.
        self._is_held = False
        # Whether nothing that comes is looked at any more.
        self._is_deaf = False

    def data_received(self, data: bytes) -> None:
        """See stock. None of the pieces waits in its parser, which would join them again."""
        if self._is_deaf:
            return
        self._pieces.add(data)
        if not data:
            self._parse(b"")  # it goes on where it was stopped
        if self._upgraded:
            self._parse_upgraded()
        elif self._can_go_on and not self._is_in_line:
            self._is_in_line = True
            self._turns.take(self, is_little=len(self._pieces) <= COSTLY_BYTES)
        if len(self._pieces) > COSTLY_BYTES and not self._is_held:  # to hold thousands who send little takes too long
            self._is_held = True
            self._pause_transport_reading()

    def _go_on(self) -> None:
        """There is room for the next request."""
        if self._can_go_on and not self._is_in_line:
            self._is_in_line = True
            self._turns.add(self)

    @property
    def _can_go_on(self) -> bool:
        """Whether there is a piece that may be parsed; if not, there is a call when it may."""
        return bool(self._pieces) and not self._messages and not self._reading_paused

    def read_piece(self) -> bool:
        """See the port."""
        if self._can_go_on:
            self._parse(self._pieces.take(self._begun_body()))
            if self._upgraded:
                self._parse_upgraded()
            if self._is_held and not (self._reading_paused or self._buffer_paused):
                self._resume_transport_reading()
        self._is_in_line = self._can_go_on
        return self._is_in_line

    def _begun_body(self) -> StreamReader | None:
        """The newest request's, where it is not whole yet."""
        return self._body.body if self._body is not None else None

    def _parse(self, data: bytes) -> None:
        """Stock's parser gets a piece; or nothing, to go on with what it has."""
        super().data_received(data)

    def _parse_upgraded(self) -> None:
        """What comes behind an upgrade is kept by stock for who takes the connection over."""
        if self._pieces:
            self._parse(self._pieces.take_all())

    def _stop_listening(self) -> None:
        """What has come and will come is not looked at."""
        self._is_deaf = True
        self._forget_pieces()

    def _forget_pieces(self) -> None:
        self._pieces = Pieces()

    def _resume_transport_reading(self) -> None:
        """See stock. Not while much of what has come is not parsed."""
        if len(self._pieces) <= COSTLY_BYTES:
            self._is_held = False
            super()._resume_transport_reading()

    def _process_keepalive(self) -> None:
        """See stock. Whose next request waits for its turn is not idle."""
        if self._pieces:
            self._keepalive_handle = asyncio.get_running_loop().call_later(LINE_S, self._process_keepalive)
        else:
            super()._process_keepalive()
