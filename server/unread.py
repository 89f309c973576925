"""Answers that nobody reads: stock waits for ever for a client that takes nothing of one."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from server.tcp import forget_unsent, unacknowledged_bytes

_LOOKS: Final = 8
"""How often in its time a client is looked at: who takes nothing is cut off an eighth of it late at most."""


class Unread:
    """What one client has not taken yet of its answers. Who takes nothing of it for `patience_s` is cut off."""

    __slots__ = ("_left_bytes", "_patience_s", "_taken_at_s", "_timer", "_transport")

    def __init__(self, transport: asyncio.Transport, patience_s: float) -> None:
        self._transport = transport
        self._patience_s = patience_s
        # The next look, while something waits.
        self._timer: asyncio.TimerHandle | None = None
        # How much there was at the last look, and when that last became less.
        self._left_bytes = 0
        self._taken_at_s = 0.0

    def watch(self) -> None:
        """Something waits from now on; it may be watched already."""
        if self._timer is None:
            self._left_bytes = _left_bytes(self._transport)
            self._taken_at_s = asyncio.get_running_loop().time()
            self._look_later()

    def forget(self) -> None:
        """Nothing waits any more, or nobody is there who could take it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._patience_s / _LOOKS, self._look)

    def _look(self) -> None:
        now_s, left_bytes = asyncio.get_running_loop().time(), _left_bytes(self._transport)
        if left_bytes < self._left_bytes:
            self._taken_at_s = now_s
        self._left_bytes = left_bytes
        if now_s - self._taken_at_s < self._patience_s:
            self._look_later()
            return
        self._timer = None
        shared: socket.socket | None = self._transport.get_extra_info("socket")
        if shared is not None:
            forget_unsent(shared)
        self._transport.abort()


def _left_bytes(transport: asyncio.Transport) -> int:
    """Counts what the kernel holds, too: of megabytes in there a slow client takes a little at a time."""
    shared: socket.socket | None = transport.get_extra_info("socket")
    return transport.get_write_buffer_size() + unacknowledged_bytes(shared)
