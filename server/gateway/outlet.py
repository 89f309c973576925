"""The way out of one connection: frames of a tick leave in one piece, in the order of the calls.

Where nothing waits in the transport the bytes go to the kernel by `send` on a descriptor of our own, which costs less
than asking the transport. What the kernel does not take, and every error, is the transport's business. Nobody but the
outlet may write to the transport, or the order of the bytes were lost.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket as sockets
from collections import deque
from collections.abc import Callable
from typing import Protocol

from server.gateway.backlog import LOOKS_PER_GRACE, Backlog, Room
from server.gateway.limits import GatewayLimits
from server.gateway.line import Line, Turn
from server.gateway.parsers import Parser
from server.tcp import acknowledged_bytes, forget_unsent, unacknowledged_bytes

log = logging.getLogger("pantherahive.gateway")


class EndOfTick(Protocol):
    """Who flushes at the end of the tick (`server.gateway.tick`)."""

    def flush_later(self, outlet: Outlet) -> None: ...


class Outlet:
    """Bounded by what the client reads: nobody waits in `write`, and who has much to send asks `is_slow` before.

    Answers are owed, however slow the client is: while `out_bytes > free_bytes` they are not written, but given to
    `hold`. Until the last of them is written nobody who has much to send goes before them.
    """

    __slots__ = (
        *("_is_clear", "_out", "_raw", "parser", "out_bytes", "free_bytes", "_tick", "closing"),  # in nearly every call
        *("_backlog", "_held", "_limits", "_line", "_queued_bytes", "_room_bytes", "_slow_bytes", "_transport"),
    )

    def __init__(self, limits: GatewayLimits, parser: Parser, tick: EndOfTick) -> None:
        self.parser = parser
        self._limits = limits
        self._tick = tick
        self._slow_bytes = limits.transport_buffer_max_bytes
        # Who has no more than this to be sent has room.
        self._room_bytes = self._slow_bytes // 4
        # From the upgrade on.
        self._transport: asyncio.Transport | None = None
        # The same connection by another descriptor: the transport's own may be closed, and be somebody else's, before
        # we hear of it.
        self._raw: sockets.socket | None = None
        # Whether nothing waits in the transport, for sure.
        self._is_clear = False
        # Frames of this tick; their sizes add up to `out_bytes`.
        self._out: list[bytes] = []
        self.out_bytes = 0
        # How much of them may be written before answers have to wait; negative while some do. What the client reads
        # meanwhile counts from the next flush on, or when it has read most of what waits.
        self.free_bytes = self._slow_bytes
        # Answers that wait, as what writes them, in the order of the calls; None once all are with the transport, and
        # most of them read.
        self._held: deque[Callable[[], None]] | None = None
        # What had to wait in the transport, ever.
        self._queued_bytes = 0
        self.closing = False
        # While the client is slow, or somebody waits for it.
        self._backlog: Backlog | None = None
        # While somebody has a place in it.
        self._line: Line | None = None

    def _open(self, transport: asyncio.Transport) -> None:
        """Begins to write. Without a bound the kernel takes about 4 MB per client before a slow one is noticed."""
        self._transport = transport
        transport.set_write_buffer_limits(high=self._room_bytes, low=self._room_bytes)  # when `has_room` is called
        shared = transport.get_extra_info("socket")
        if shared is None:
            return
        shared.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, self._limits.send_buffer_bytes)
        if os.name == "posix" and transport.get_extra_info("sslcontext") is None:
            self._raw = _duplicate(shared.fileno())
            self._note_clear()

    def _release(self) -> None:
        """Nothing is written any more."""
        self._is_clear = False
        self._held = None
        self._end_backlog("gone")
        if self._raw is not None:
            self._raw.close()
            self._raw = None

    def _note_clear(self) -> None:
        """Finds out whether something waits in the transport."""
        self._is_clear = not self.closing and self._has_sent_all
        if self._is_clear and not self._held:
            self.free_bytes = self._slow_bytes

    @property
    def _has_sent_all(self) -> bool:
        return self._raw is not None and self._transport is not None and not self._transport.get_write_buffer_size()

    def write(self, frame: bytes) -> None:
        """Sends a frame at the end of this tick; nothing once the connection ends."""
        if self.closing:
            return
        if not self._out:
            self._tick.flush_later(self)
        self._out.append(frame)
        self.out_bytes += len(frame)

    def push(self, frame: bytes, at_once: bool) -> bool:
        """Sends a frame unless the client is behind: False, and nothing is sent.

        `at_once`: nothing else comes in this tick, so only what is written already has to go before it.
        """
        if self._is_clear and at_once and not self._out:
            self._send(frame)
            return True
        if self.is_behind:
            return False
        self.write(frame)
        return True

    def flush(self) -> None:
        """Hands what is written over, in one piece."""
        out = self._out
        if out:
            data = b"".join(out) if len(out) > 1 else out[0]
            out.clear()
            self.out_bytes = 0
            if not self._is_clear:
                self._note_clear()
            self._send(data)
            if self._held is not None:
                self._write_held()

    def hold(self, write: Callable[[], None]) -> None:
        """Calls it once there is room for what it writes, after those that wait already; never if the client is gone.

        It is what the client was to be told while it was behind already, or with what goes out in this tick.
        """
        if self.closing:
            return
        if self._held is None:
            self._held = deque()
        self._held.append(write)
        self.free_bytes = -1

    def _write_held(self) -> None:
        """As many answers as there is room for, and the one that passes it.

        Those who wait for room hear of it once the client has read most of the last ones.
        """
        held, unsent_bytes = self._held, self.unsent_bytes
        if held is None or self.closing:
            return
        if unsent_bytes > self._room_bytes:  # then there is a flush to come, or a call of `has_room`
            self._await_room()
            return
        self.free_bytes = self._slow_bytes - unsent_bytes + self.out_bytes
        while held and self.out_bytes <= self.free_bytes:
            try:
                held.popleft()()
            except Exception:
                log.exception("an ack could not be written")
        if held:
            self.free_bytes = -1
        elif not self._out:
            self._held = None
            self._end_backlog("room")

    def _send(self, data: bytes) -> None:
        if self._is_clear and self._raw is not None:
            try:
                sent = self._raw.send(data)
            except OSError:  # no room, or no connection: the transport finds out which
                sent = 0
            if sent == len(data):
                return
            data = data[sent:]
        self._is_clear = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            self._queued_bytes += len(data)
            free_bytes = self._slow_bytes - self._transport.get_write_buffer_size()
            if not self._held:
                self.free_bytes = free_bytes
            if free_bytes < 0:
                self._await_room()

    def _await_room(self) -> None:
        """The client is waited for from now on, and cut off if it reads nothing."""
        if self._backlog is None:
            self._backlog = Backlog(self, self._limits.slow_follower_grace_s)

    @property
    def _tcp(self) -> sockets.socket | None:
        """What the kernel can be asked about; None once it is closed."""
        if self._raw is not None or self._transport is None or self._transport.is_closing():
            return self._raw
        shared: sockets.socket | None = self._transport.get_extra_info("socket")
        return shared

    @property
    def read_bytes(self) -> int:
        """How much of all that was ever sent has been read, as far as the kernel knows; for comparisons alone.

        The transport's buffer says less: it stands still until a third of the kernel's is free.
        """
        acknowledged = acknowledged_bytes(self._tcp)
        if acknowledged is not None:
            return acknowledged
        unsent = self._transport.get_write_buffer_size() if self._transport is not None else 0
        return self._queued_bytes - unsent

    @property
    def unread_bytes(self) -> int:
        """What was sent and not read, as far as the kernel knows."""
        return self.unsent_bytes + unacknowledged_bytes(self._tcp)

    @property
    def unsent_bytes(self) -> int:
        """What still has to be sent."""
        if self._is_clear or self._transport is None:
            return self.out_bytes
        return self.out_bytes + self._transport.get_write_buffer_size()

    @property
    def is_slow(self) -> bool:
        """Whether it has more to read than may wait for it, or answers wait."""
        return self._held is not None or self.unsent_bytes > self._slow_bytes

    @property
    def is_behind(self) -> bool:
        """Whether it is slow, or others wait for it to read: who would go on before them might leave them no room."""
        if self._held is not None:
            return True
        return self.unsent_bytes > (self._slow_bytes if self._line is None else self._room_bytes)

    @property
    def is_over(self) -> bool:
        """Whether nothing can be sent any more."""
        return self.closing or self._transport is None or self._transport.is_closing()

    def turn(self) -> Turn:
        """A place among those who have much to send; to be entered at once, and left once it is sent."""
        if self._line is None:
            self._line = Line(self, self._limits.slow_follower_grace_s / LOOKS_PER_GRACE)
        return self._line.join()

    def emptied(self) -> None:
        """See the port."""
        self._line = None

    @property
    def has_read_lately(self) -> bool:
        """See the port."""
        return self._backlog is None or self._backlog.has_read_lately

    def looks_for_room(self) -> bool:
        """Whether the client has read most of what was sent; if not, it is waited for from now on."""
        if self.unsent_bytes > self._room_bytes:
            self.flush()
        if self._held is None and self.unsent_bytes <= self._room_bytes:
            return True
        self._await_room()
        return False

    async def drained(self) -> bool:
        """Waits until the client has read most of what was sent, in no line. False: it reads nothing, or it is gone."""
        if self.is_over:
            return False
        if self.looks_for_room():
            return True
        return self._backlog is not None and await self._backlog.wait() == "room"

    def has_room(self) -> None:
        """The client has read most of what was sent."""
        if self._held is not None:
            self._write_held()
            return
        self.free_bytes = self._slow_bytes - self.unsent_bytes + self.out_bytes
        self._end_backlog("room")

    def _end_backlog(self, room: Room) -> None:
        backlog, self._backlog = self._backlog, None
        if backlog is not None:
            backlog.end(room)
        if self._line is not None:
            if room == "room":
                self._line.call()
            else:
                self._line.end()

    def give_up(self) -> None:
        """The client has read nothing for the grace, or a state too slowly."""
        self.abort()

    def abort(self) -> None:
        """Cuts the connection off."""
        self.closing = True
        self._is_clear = False
        if self._raw is not None:
            forget_unsent(self._raw)
        if self._transport is not None:
            self._transport.abort()


def _duplicate(descriptor: int) -> sockets.socket | None:
    """The connection by another descriptor; None where half of all are in use: the rest is for connections alone.

    Descriptors are given out from the lowest on, so their number says how many there are.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and descriptor > soft // 2:
        return None
    try:
        raw = sockets.socket(fileno=os.dup(descriptor))
    except OSError:
        return None
    raw.setblocking(False)
    return raw
