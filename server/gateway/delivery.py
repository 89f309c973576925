"""Brings one stream to one client: from the ring while it keeps up, else in a task that waits for the client and reads
from the ring or the log. Nothing is queued for it; its cursor is all there is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from actors.runtime.feeds import Feeds
from actors.runtime.hub import Following
from actors.runtime.publication import Publication
from protocol.faults import StorageFault
from server.gateway.engine import EngineSocket
from server.gateway.limits import GatewayLimits
from server.gateway.parsers import fit

log = logging.getLogger("pantherahive.gateway")

_RETRY_S = 0.5


class News(Protocol):
    """Presence and awareness for one client (`server.gateway.company`)."""

    def tell(self, stream: str, *, late: bool, again: bool) -> None:
        """The place has become live. `late`: a while after the answer to its join. `again`: it was live before."""
        ...

    def leave_out(self, stream: str) -> None:
        """Some of it was not told, because the client does not read."""
        ...


class States(Protocol):
    """Whole states for clients that are too far behind (`server.gateway.conflation`)."""

    async def frames(self, following: Following) -> list[bytes] | int:
        """The state instead of the entries that were missed, after which the place goes on.

        Or how many records it holds: from so many missed entries on it would be less than they are.
        """
        ...


class Live(Protocol):
    """Where live places are known (`server.gateway.crowd`)."""

    def enter(self, delivery: Delivery) -> None: ...

    def leave(self, delivery: Delivery) -> None: ...


class Delivery:
    """`start` sends the state that the client has to begin with; from then on it is live or catching up."""

    __slots__ = (
        *("following", "socket", "is_live", "_was_live", "_crowd", "_news"),
        *("_feeds", "_has_what_was_promised", "_larger_until", "_limits", "_on_slow", "_pump", "_states"),
    )

    def __init__(
        self,
        socket: EngineSocket,
        following: Following,
        feeds: Feeds,
        limits: GatewayLimits,
        crowd: Live,
        news: News,
        states: States,
        on_slow: Callable[[], None],
    ) -> None:
        self.following = following
        self.socket = socket
        self._feeds = feeds
        self._limits = limits
        self._crowd = crowd
        self._news = news
        self._states = states
        self._on_slow = on_slow
        # Whether new entries may be sent from the ring in the turn in which they come, and whether that ever was so.
        self.is_live = False
        self._was_live = False
        # Whether it has all that the answer to its join promised: until then a state comes instead of entries only from
        # where a join would have been answered with one.
        self._has_what_was_promised = False
        # From how many missed entries on a state that was found to be larger is tried again.
        self._larger_until = 0
        # The task that sends while the client is behind.
        self._pump: asyncio.Task[None] | None = None

    def start(self, frames: list[bytes]) -> None:
        """Sends the frames of the state, then whatever came since."""
        if frames:
            self._catch_up(frames)
        else:
            self._go_live(late=False)
            self.deliver()
            self._has_what_was_promised = self.is_live

    def deliver(self) -> None:
        """Sends what is new from the ring. A client that is behind, or does not read, is served by the pump."""
        while self.is_live:
            if self.socket.is_slow:
                self._catch_up([])
                return
            publications = self.following.pull(self._limits.entries_per_packet_max)
            if publications is None:
                self._catch_up([])
                return
            if not publications:
                return
            self._send(publications)

    def leave_out(self) -> None:
        """Something that is in no log was not sent, because the client does not read."""
        self._news.leave_out(self.following.hub.stream)

    def _go_live(self, *, late: bool) -> None:
        again, self._was_live = self._was_live, True
        self.is_live = True
        self._crowd.enter(self)
        self._news.tell(self.following.hub.stream, late=late, again=again)

    def _send(self, publications: list[Publication]) -> None:
        """Sends one packet; what does not fit into it is given back, to be pulled again."""
        parser = self.socket.parser
        fitting = fit(publications, self._limits.entries_packet_bytes_max, parser.entry)
        self.following.seq = fitting[-1].entry.seq
        self.socket.write(parser.entries(self.following.hub.stream, fitting))

    def _catch_up(self, frames: list[bytes]) -> None:
        self._fall_behind()
        self._pump = asyncio.create_task(self._run(frames), name="catch up")

    async def _run(self, frames: list[bytes]) -> None:
        try:
            going_on = await self._send_all(frames)
            while going_on:
                if self._is_far_behind:
                    going_on = await self._send_all(await self._state_instead())
                going_on = going_on and await self._send_next() and await self._has_room()
        except Exception:
            log.exception("a delivery failed: %s", self.following.hub.stream)
            self.socket.close("internal error", code=1011)
        finally:
            self._pump = None

    async def _send_all(self, frames: list[bytes]) -> bool:
        """Sends the frames of a state as the client reads them. False: nothing more may be sent."""
        for frame in frames:
            if self.following.closed:
                return False
            self.socket.write(frame)
            if not await self._has_room():
                return False
        return not self.following.closed

    async def _state_instead(self) -> list[bytes]:
        """The state, where it is less than the entries that were missed."""
        try:
            state = await self._states.frames(self.following)
        except StorageFault as fault:
            log.warning("no state for one who is far behind: %s", fault)
            return []
        if isinstance(state, list):
            return state
        self._larger_until = state if state > self._missed_entries else 2 * self._missed_entries
        return []

    @property
    def _missed_entries(self) -> int:
        return self.following.hub.head.seq - self.following.seq

    @property
    def _is_far_behind(self) -> bool:
        limits = self._limits
        most = limits.lag_entries_max if self._has_what_was_promised else limits.resume_entries_max
        return self._missed_entries > max(most, self._larger_until)

    async def _has_room(self) -> bool:
        if await self.socket.drained():
            return not self.following.closed
        if not self.socket.is_over:
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
            self._go_live(late=True)
            self._has_what_was_promised = True
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

    def _fall_behind(self) -> None:
        self.is_live = False
        self._crowd.leave(self)

    def stop(self) -> None:
        """Nothing more is sent, and the place in the stream is given up."""
        self._fall_behind()
        self.following.leave()
        if self._pump is not None:
            self._pump.cancel()
