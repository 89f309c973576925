"""Answers that nobody reads: stock waits for ever for a client that takes nothing of one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from server.tcp import acknowledged_bytes, forget_unsent, forget_unsent_after, unacknowledged_bytes

_LOOKS: Final = 8
"""How often in its time a client is looked at: who takes nothing is cut off an eighth of it late at most."""


class Unread:
    """What one client has not taken yet of its answers. Who takes nothing of it for `patience_s` is cut off.

    So is who takes less of a large answer than `bytes_per_s_min` on average, beside `patience_s`.
    """

    __slots__ = (
        *("_acknowledged_bytes", "_bytes_per_s_min", "_left_bytes", "_paced_bytes", "_paced_from_s", "_patience_s"),
        *("_taken_at_s", "_timer", "_transport"),
    )

    def __init__(self, transport: asyncio.Transport, patience_s: float, bytes_per_s_min: int) -> None:
        self._transport = transport
        self._patience_s = patience_s
        self._bytes_per_s_min = bytes_per_s_min
        # The next look, while something waits.
        self._timer: asyncio.TimerHandle | None = None
        # How much there was at the last look, how much had been acknowledged ever, and when something was last taken.
        self._left_bytes = 0
        self._acknowledged_bytes: int | None = None
        self._taken_at_s = 0.0
        # While a large answer is written: since when, and how much was taken at the looks since then.
        self._paced_from_s: float | None = None
        self._paced_bytes = 0

    def watch(self) -> None:
        """Something may wait from now on, until all is taken; it may be watched already."""
        if self._timer is None and (left_bytes := _left_bytes(self._transport)):
            self._left_bytes = left_bytes
            self._acknowledged_bytes = acknowledged_bytes(self._socket)
            self._taken_at_s = asyncio.get_running_loop().time()
            self._look_later()

    def note_taken(self) -> None:
        """Something was taken for sure, also where the kernel tells nothing."""
        self._taken_at_s = asyncio.get_running_loop().time()

    @contextmanager
    def paced(self) -> Iterator[None]:
        """While a large answer is written."""
        self._paced_from_s, self._paced_bytes = asyncio.get_running_loop().time(), 0
        try:
            yield
        finally:
            self._paced_from_s = None

    def leave(self) -> None:
        """The connection is not ours any more. If it ends, its kernel waits no longer for the client than we would."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport.is_closing() and self._socket is not None and unacknowledged_bytes(self._socket):
            forget_unsent_after(self._socket, self._patience_s)

    @property
    def _socket(self) -> socket.socket | None:
        shared: socket.socket | None = self._transport.get_extra_info("socket")
        return shared

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._patience_s / _LOOKS, self._look)

    def _look(self) -> None:
        self._timer = None
        now_s = asyncio.get_running_loop().time()
        if taken_bytes := self._taken_bytes():
            self._taken_at_s = now_s
            self._paced_bytes += taken_bytes
        if self._left_bytes and now_s >= self._due_s():
            if self._socket is not None:
                forget_unsent(self._socket)
            self._transport.abort()
        elif self._left_bytes:
            self._look_later()

    def _due_s(self) -> float:
        """When the client is cut off, unless it takes more until then."""
        due_s = self._taken_at_s
        if self._paced_from_s is not None:
            due_s = min(due_s, self._paced_from_s + self._paced_bytes / self._bytes_per_s_min)
        return due_s + self._patience_s

    def _taken_bytes(self) -> int:
        """How much was taken since the last look. Where the kernel does not tell, what is written since hides it."""
        left_before, acknowledged_before = self._left_bytes, self._acknowledged_bytes
        self._left_bytes = _left_bytes(self._transport)
        self._acknowledged_bytes = acknowledged_bytes(self._socket)
        if self._acknowledged_bytes is None or acknowledged_before is None:
            return max(0, left_before - self._left_bytes)
        return self._acknowledged_bytes - acknowledged_before


def _left_bytes(transport: asyncio.Transport) -> int:
    """Counts what the kernel holds, too: of megabytes in there a slow client takes a little at a time."""
    shared: socket.socket | None = transport.get_extra_info("socket")
    return transport.get_write_buffer_size() + unacknowledged_bytes(shared)
