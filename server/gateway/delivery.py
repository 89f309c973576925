"""Brings one stream to one client: from the ring while it keeps up, else in a task that waits for the client and reads
from the ring or the log. Nothing is queued for it; its cursor is all there is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from actors.runtime.feeds import Feeds
from actors.runtime.hub import Following, StreamHub
from actors.runtime.publication import Publication
from protocol.faults import StorageFault
from server.gateway.engine import EngineSocket
from server.gateway.limits import GatewayLimits
from server.gateway.parsers import Parser, fit

log = logging.getLogger("pantherahive.gateway")

_RETRY_S = 0.5


class Batch:
    """What a tick brought to a stream, in one packet for all who had everything before it.

    `is_all`: the tick brings nothing else, so it need not wait for the rest.
    """

    __slots__ = ("_bytes_max", "_frames", "_hub", "_publications", "after_seq", "is_all", "last_seq")

    def __init__(self, hub: StreamHub, limits: GatewayLimits, *, is_all: bool) -> None:
        self.is_all = is_all
        self._hub = hub
        self._bytes_max = limits.entries_packet_bytes_max
        self.after_seq, self._publications = hub.take_fresh(limits.entries_per_packet_max)
        self.last_seq = self._publications[-1].entry.seq if self._publications else self.after_seq
        # Parser → packet; None where one does not hold them all.
        self._frames: dict[str, bytes | None] = {}

    def frame(self, parser: Parser) -> bytes | None:
        """The packet, built once for each parser."""
        if parser.name not in self._frames:
            self._frames[parser.name] = self._build(parser)
        return self._frames[parser.name]

    def _build(self, parser: Parser) -> bytes | None:
        entries = self._publications
        if not entries or len(fit(entries, self._bytes_max, parser.entry)) < len(entries):
            return None
        return parser.entries(self._hub.stream, entries)


class Delivery:
    """`start` sends the state that the client has to begin with; from then on it is live or catching up."""

    def __init__(
        self,
        socket: EngineSocket,
        following: Following,
        feeds: Feeds,
        limits: GatewayLimits,
        on_slow: Callable[[], None],
        on_live: Callable[[], None],
    ) -> None:
        self.following = following
        self._socket = socket
        self._feeds = feeds
        self._limits = limits
        self._on_slow = on_slow
        self._on_live = on_live
        # Whether new entries may be sent from the ring in the turn in which they come.
        self.is_live = False
        # The task that sends while the client is behind.
        self._pump: asyncio.Task[None] | None = None

    def start(self, frames: list[bytes]) -> None:
        """Sends the frames of the state, then whatever came since."""
        if frames:
            self._catch_up(frames)
        else:
            self.is_live = True
            self.deliver()

    def deliver(self, batch: Batch | None = None) -> None:
        """Sends what is new from the ring. A client that is behind, or does not read, is served by the pump."""
        following, socket = self.following, self._socket
        if not self.is_live:
            return
        if batch is not None and following.seq == batch.after_seq and not following.closed:
            frame = batch.frame(socket.parser)
            if frame is not None and socket.push(frame, at_once=batch.is_all):
                following.seq = batch.last_seq
                if following.seq == following.hub.head.seq:
                    return
        while True:
            if socket.is_slow:
                self._catch_up([])
                return
            publications = following.pull(self._limits.entries_per_packet_max)
            if publications is None:
                self._catch_up([])
                return
            if not publications:
                return
            self._send(publications)

    def _send(self, publications: list[Publication]) -> None:
        """Sends one packet; what does not fit into it is given back, to be pulled again."""
        parser = self._socket.parser
        fitting = fit(publications, self._limits.entries_packet_bytes_max, parser.entry)
        self.following.seq = fitting[-1].entry.seq
        self._socket.write(parser.entries(self.following.hub.stream, fitting))

    def _catch_up(self, frames: list[bytes]) -> None:
        self.is_live = False
        self._pump = asyncio.create_task(self._run(frames), name="catch up")

    async def _run(self, frames: list[bytes]) -> None:
        try:
            for frame in frames:
                self._socket.write(frame)
                if not await self._has_room():
                    return
            while await self._send_next():
                if not await self._has_room():
                    return
        except Exception:
            log.exception("a delivery failed: %s", self.following.hub.stream)
            self._socket.close("internal error", code=1011)
        finally:
            self._pump = None

    async def _has_room(self) -> bool:
        if await self._socket.drained():
            return not self.following.closed
        if not self._socket.closing:
            self._on_slow()
        return False

    async def _send_next(self) -> bool:
        """Sends the next entries; False when there are none, and from then on the delivery is live."""
        following = self.following
        publications = following.pull(self._limits.entries_per_packet_max)
        if publications is None:
            publications = await self._read_log()
            if not publications:
                return not following.closed
        if following.closed:
            return False
        if not publications:
            self.is_live = True
            self._on_live()
            return False
        self._send(publications)
        return True

    async def _read_log(self) -> list[Publication]:
        """The next entries from the log; empty, after a pause, when it cannot give them yet."""
        try:
            publications = await self._feeds.catch_up(self.following)
        except StorageFault as fault:
            log.warning("cannot catch up yet: %s", fault)
            publications = []
        if not publications and not self.following.closed:
            await asyncio.sleep(_RETRY_S)  # a page that was being read may be older than what is missing
        return publications

    def abort(self) -> None:
        """Cuts the connection off."""
        self._socket.abort()

    def stop(self) -> None:
        """Nothing more is sent, and the place in the stream is given up."""
        self.is_live = False
        self.following.leave()
        if self._pump is not None:
            self._pump.cancel()
