"""The way out of one connection: frames of a tick leave in one piece, in the order of the calls.

Where nothing waits in the transport the bytes go to the kernel by `send` on the transport's own descriptor, which costs
half of what a transport's `write` does. What the kernel does not take, and every error, is the transport's business.
"""

from __future__ import annotations

import asyncio
import os
import socket as sockets
from typing import Protocol

from aiohttp.base_protocol import BaseProtocol

from server.gateway.limits import GatewayLimits


class EndOfTick(Protocol):
    """Who flushes at the end of the tick (`server.gateway.tick`)."""

    def flush_later(self, outlet: Outlet) -> None: ...


class Outlet:
    """Bounded by what the client reads: nobody waits in `write`, and who has much to send asks `is_slow` before."""

    def __init__(self, protocol: BaseProtocol, limits: GatewayLimits, tick: EndOfTick) -> None:
        self._protocol = protocol
        self._limits = limits
        self._tick = tick
        self._slow_bytes = limits.transport_buffer_max_bytes
        # From the upgrade on.
        self._transport: asyncio.Transport | None = None
        # The transport's descriptor, which stays the transport's: it is detached before that closes it.
        self._raw: sockets.socket | None = None
        # Frames of this tick; their sizes add up to `_out_bytes`.
        self._out: list[bytes] = []
        self._out_bytes = 0
        # What was handed over, ever.
        self._written_bytes = 0
        self.closing = False
        # The wait for room in the transport, shared by all who wait.
        self._draining: asyncio.Task[None] | None = None

    def _open(self, transport: asyncio.Transport) -> None:
        """Begins to write. Without a bound the kernel takes about 4 MB per client before a slow one is noticed."""
        self._transport = transport
        shared = transport.get_extra_info("socket")
        if shared is None:
            return
        shared.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, self._limits.send_buffer_bytes)
        if os.name == "posix" and transport.get_extra_info("sslcontext") is None:
            self._raw = sockets.socket(fileno=shared.fileno())
            self._raw.setblocking(False)

    def _release(self) -> None:
        """Gives the descriptor back; nothing is written any more."""
        if self._raw is not None:
            self._raw.detach()
            self._raw = None

    def write(self, frame: bytes) -> None:
        """Sends a frame at the end of this tick; nothing once the connection ends."""
        if self.closing:
            return
        if not self._out:
            self._tick.flush_later(self)
        self._out.append(frame)
        self._out_bytes += len(frame)

    def push(self, frame: bytes, *, at_once: bool) -> bool:
        """Sends a frame unless the client is slow: False, and nothing is sent.

        `at_once`: nothing else comes in this tick, so only what is written already has to go before it.
        """
        transport = self._transport
        if transport is None:
            return False
        waiting = transport.get_write_buffer_size()
        if self._out_bytes + waiting > self._slow_bytes:
            return False
        if at_once and not self._out:
            self._hand_over(transport, frame, waiting)
        else:
            self.write(frame)
        return True

    def flush(self) -> None:
        """Hands what is written over, in one piece."""
        out, transport = self._out, self._transport
        if out and transport is not None:
            self._hand_over(transport, b"".join(out) if len(out) > 1 else out[0], transport.get_write_buffer_size())
        out.clear()
        self._out_bytes = 0

    def _hand_over(self, transport: asyncio.Transport, data: bytes, waiting: int) -> None:
        if transport.is_closing():
            return
        self._written_bytes += len(data)
        raw = self._raw
        if raw is not None and not waiting:
            try:
                sent = raw.send(data)
            except OSError:  # no room, or no connection: the transport finds out which
                sent = 0
            if sent == len(data):
                return
            data = data[sent:]
        transport.write(data)

    def _has_left(self, written_bytes: int) -> bool:
        """Whether so much of all that was written has gone out of this process."""
        unsent = self._transport.get_write_buffer_size() if self._transport is not None else 0
        return self._written_bytes - unsent >= written_bytes

    @property
    def unsent_bytes(self) -> int:
        """What still has to be sent."""
        return self._out_bytes + (self._transport.get_write_buffer_size() if self._transport is not None else 0)

    @property
    def is_slow(self) -> bool:
        return self.unsent_bytes > self._slow_bytes

    @property
    def _is_over(self) -> bool:
        return self.closing or self._transport is None or self._transport.is_closing()

    async def drained(self) -> bool:
        """Waits until the client has read most of what was sent. False: it did not in time, or it is gone."""
        self.flush()
        if self._is_over:
            return False
        if self.unsent_bytes < self._slow_bytes // 4:
            return True
        try:
            async with asyncio.timeout(self._limits.slow_follower_grace_s):
                await asyncio.shield(self._room())
        except (TimeoutError, ConnectionError):
            return False
        return not self._is_over

    def _room(self) -> asyncio.Task[None]:
        """aiohttp lets all who wait share one future, which the first one that gives up would cancel for all."""
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._until_room(), name="drain")
        return self._draining

    async def _until_room(self) -> None:
        try:
            await self._protocol._drain_helper()
        except ConnectionError:
            pass  # the connection's end is seen by those who wait

    def abort(self) -> None:
        """Cuts the connection off."""
        self.closing = True
        if self._transport is not None:
            self._transport.abort()
