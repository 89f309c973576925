"""Brings one stream to one client: from the ring while it keeps up, else in a task that waits for the client and reads
from the ring or the log. Nothing is queued for it; its cursor is all there is."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Literal, Protocol, TypeAlias

from actors.runtime.hub import Following
from actors.runtime.publication import Publication
from protocol.faults import StorageFault
from server.gateway.engine_socket import EngineSocket
from server.gateway.limits import GatewayLimits
from server.gateway.line import Turn
from server.gateway.log_pages import LogPages
from server.gateway.parsers import fit
from server.gateway.snapshots import HeldState

log = logging.getLogger("pantherahive.gateway")

Step: TypeAlias = Literal["sent", "live", "gone", "needs state", "needs log"]
"""What has come of the attempt to send what comes next. `live`: there was nothing more."""

_RETRY_S = 0.5
_STATE_BYTES_MIN = 32 << 10
"""No state is looked at instead of fewer bytes: looking costs the others as well."""
_LOOKS_PER_GRACE = 20
"""How often who waits for room past the grace looks whether a state has become less than what was missed."""


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

    async def size_bytes(self, following: Following) -> int | None:
        """How large the state is, about; None where there is none to be had. Raises StorageFault."""
        ...

    def promised(self) -> None:
        """The client is slow, and will get the state instead of what it has missed."""
        ...

    async def state(self, following: Following) -> HeldState | int | None:
        """The state instead of the entries that were missed, after which the place goes on; to be released by the
        caller. Raises StorageFault.

        Or how many bytes it takes, where that is no less than they are; None where there is none to be had.
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
        *("_due_s", "_gets_state", "_larger_until_bytes", "_limits", "_loop", "_pages", "_pump", "_states"),
    )

    def __init__(
        self,
        socket: EngineSocket,
        following: Following,
        pages: LogPages,
        limits: GatewayLimits,
        crowd: Live,
        news: News,
        states: States,
    ) -> None:
        self.following = following
        self.socket = socket
        self._pages = pages
        self._limits = limits
        self._crowd = crowd
        self._news = news
        self._states = states
        self._loop = asyncio.get_running_loop()
        # Whether new entries may be sent from the ring in the turn in which they come, and whether that ever was so.
        self.is_live = False
        self._was_live = False
        # Whether it was promised a state: the next that it gets is that one, and not the entries that it missed.
        self._gets_state = False
        # While it is behind: when it has been that for the grace, and is served by a state if that is less. The grace
        # begins anew with every state, and only once it has what the answer to its join promised.
        self._due_s = math.inf
        # From how many missed bytes on a state may be less than they are; more, once one was found to be larger.
        self._larger_until_bytes = _STATE_BYTES_MIN
        # The task that sends while the client is behind.
        self._pump: asyncio.Task[None] | None = None

    def start(self, state: HeldState | None) -> None:
        """Sends the state, then whatever came since."""
        if state is not None:
            self._catch_up(state)
        else:
            self._go_live(late=False)
            self.deliver()

    def deliver(self) -> None:
        """Sends what is new from the ring. A client that is behind, or does not read, is served by the pump."""
        while self.is_live:
            if self.socket.is_behind:
                self._catch_up()
                return
            publications = self.following.pull(self._limits.entries_per_packet_max)
            if publications is None:
                self._catch_up()
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

    def _catch_up(self, state: HeldState | None = None) -> None:
        self._fall_behind()
        self._begin_grace()
        self._pump = asyncio.create_task(self._run(state), name="catch up")
        if state is not None:
            self._pump.add_done_callback(lambda _: state.release())  # it may be cancelled before it begins

    async def _run(self, state: HeldState | None) -> None:
        try:
            going_on = await self._send_all(state) if state is not None else not self.following.closed
            while going_on:
                going_on = await self._go_on()
        except Exception:
            log.exception("a delivery failed: %s", self.following.hub.stream)
            self.socket.close("internal error", code=1011)
        finally:
            self._pump = None

    async def _go_on(self) -> bool:
        """Sends what comes next. False: nothing more may be sent, or nothing has to be, for it is live."""
        step = await self._send_next()
        if step == "needs state":
            state = await self._state_instead()
            if state is not None:
                return await self._send_all(state)
            step = await self._send_next(without_state=True)
        if step == "needs log":
            return await self._send_from_log()
        return step == "sent"

    async def _send_all(self, state: HeldState) -> bool:
        """Sends a state as the client reads it, and releases it. False: nothing more may be sent."""
        began_s, read_before = self._loop.time(), self.socket.read_bytes
        try:
            for frame in state.frames:
                with self.socket.turn() as turn:
                    if not await self._has_room_at_pace(turn, began_s, read_before) or self.following.closed:
                        return False
                    self.socket.write(frame)
        finally:
            state.release()
        self._begin_grace()
        return not self.following.closed

    async def _has_room_at_pace(self, turn: Turn, began_s: float, read_before: int) -> bool:
        """Waits until the next part of a state may be sent. Who reads it too slowly, however steadily, is let go."""

        def due_s() -> float:
            paced_s = (self.socket.read_bytes - read_before) / self._limits.snapshot_bytes_per_s_min
            return began_s + self._limits.slow_follower_grace_s + paced_s

        while (room := await turn.room(due_s())) == "slow":
            if self._loop.time() >= due_s():
                self.socket.give_up()
                return False
        return room == "room"

    def _begin_grace(self) -> None:
        self._due_s = self._loop.time() + self._limits.slow_follower_grace_s

    async def _has_room(self, turn: Turn) -> bool:
        """Waits until the next may be sent; who is behind for too long is promised a state meanwhile."""
        if not self._has_what_was_promised:
            self._begin_grace()
        until_s = self._due_s
        while True:
            if self._is_due:
                await self._promise_state()
            room = await turn.room(until_s)
            if room != "slow":
                return room == "room" and not self.following.closed
            until_s = max(self._due_s, self._loop.time() + self._limits.slow_follower_grace_s / _LOOKS_PER_GRACE)

    @property
    def _is_due(self) -> bool:
        """Whether it has been behind for so long, and by so much, that a state may serve it better."""
        if self._gets_state or not self._has_what_was_promised or self._loop.time() < self._due_s:
            return False
        return self._missed_bytes > self._larger_until_bytes

    async def _promise_state(self) -> None:
        """Decides that the client gets the state, where that is less than the entries that it has missed by now."""
        try:
            state_bytes = await self._states.size_bytes(self.following)
        except StorageFault as fault:
            log.warning("no state for one who is slow: %s", fault)
            self._begin_grace()
            return
        self._gets_state = state_bytes is not None and self._missed_bytes > state_bytes
        if self._gets_state:
            self._states.promised()
        else:
            self._larger_until_bytes = state_bytes if state_bytes is not None else 2 * self._missed_bytes

    async def _state_instead(self) -> HeldState | None:
        """The state, where it is less than the entries that were missed."""
        try:
            state = await self._states.state(self.following)
        except StorageFault as fault:
            log.warning("no state for one who is far behind: %s", fault)
            return None
        self._gets_state = False
        if isinstance(state, HeldState):
            return state
        self._larger_until_bytes = state if state is not None else 2 * self._missed_bytes
        return None

    @property
    def _missed_bytes(self) -> int:
        return self.following.missed_bytes

    @property
    def _has_what_was_promised(self) -> bool:
        """Whether it has all that the answer to its join promised.

        Until then a state comes instead of entries only from where a join would have been answered with one.
        """
        return self.following.seq >= self.following.permitted_at

    @property
    def _is_far_behind(self) -> bool:
        limits, following = self._limits, self.following
        most = limits.lag_entries_max if self._has_what_was_promised else limits.resume_entries_max
        missed_entries = following.hub.head.seq - following.seq
        return missed_entries > most and self._missed_bytes > self._larger_until_bytes

    async def _send_next(self, *, without_state: bool = False) -> Step:
        """Sends the next entries from the ring, in turn; with the last of them the delivery is live."""
        following = self.following
        with self.socket.turn() as turn:
            if not await self._has_room(turn):
                return "gone"
            if not without_state and (self._gets_state or self._is_far_behind):
                return "needs state"
            publications = following.pull(self._limits.entries_per_packet_max)
            if publications is None:
                return "needs log"
            if not publications:
                self._go_live(late=True)
                return "live"
            self._send(publications)
            return "sent"

    async def _send_from_log(self) -> bool:
        """Sends the next entries from the log, in turn; it may not have them yet. False: nothing more may be sent."""
        following, gets_state = self.following, self._gets_state
        try:
            async with self._pages.next(following) as publications:
                if publications:
                    with self.socket.turn() as turn:
                        if not await self._has_room(turn):
                            return False
                        if self._gets_state == gets_state:  # else it was promised a state instead, meanwhile
                            self._send(publications)
                    return True
        except StorageFault as fault:
            log.warning("cannot catch up yet: %s", fault)
        if not following.closed:
            await asyncio.sleep(_RETRY_S)  # a page that was being read may be older than what is missing
        return not following.closed

    def _fall_behind(self) -> None:
        self.is_live = False
        self._crowd.leave(self)

    def stop(self) -> None:
        """Nothing more is sent, and the place in the stream is given up."""
        self._fall_behind()
        self.following.leave()
        if self._pump is not None:
            self._pump.cancel()
