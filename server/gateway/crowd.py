"""All live places of a gateway's clients, by stream: what is the same for many is built once and handed to each.

Entries that are committed in a turn of the loop, and what clients let each other see in it, go out at its end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from actors.runtime.awareness import Awareness
from actors.runtime.hub import Following, StreamHub
from actors.runtime.publication import Publication
from protocol.wire import PRESENCE, PresenceMessage, PresentUser
from server.gateway.awareness import awareness_frame
from server.gateway.delivery import Delivery
from server.gateway.engine_socket import EngineSocket
from server.gateway.limits import GatewayLimits
from server.gateway.parsers import Parser, fit
from server.gateway.tick import Tick

log = logging.getLogger("pantherahive.gateway")


class _FrameOf(dict[Parser, bytes]):
    """Parser → frame, built when it is first asked for."""

    def __init__(self, build: Callable[[Parser], bytes]) -> None:
        super().__init__()
        self._build = build

    def __missing__(self, parser: Parser) -> bytes:
        frame = self[parser] = self._build(parser)
        return frame


class _Live:
    """The live places of one stream. In two tables, because nearly all work needs no more than the sockets."""

    __slots__ = ("deliveries", "sockets")

    def __init__(self) -> None:
        self.sockets: dict[Following, EngineSocket] = {}
        self.deliveries: dict[Following, Delivery] = {}


class Crowd:
    """Fits `actors.runtime.hub.Crowd`. What fails for one client is its end, and nobody else's."""

    def __init__(self, limits: GatewayLimits) -> None:
        self.tick = Tick(self._bring)
        self._limits = limits
        # Places that are sent entries in the turn in which they come.
        self._live: dict[StreamHub, _Live] = {}
        # What this turn has brought: streams with new entries, and those whose followers show something new.
        self._published: dict[StreamHub, None] = {}
        self._aware: dict[StreamHub, None] = {}
        # While that is brought: whether every client gets one frame at most, beside what it was written before.
        self._brings_one = False

    def enter(self, delivery: Delivery) -> None:
        """The place is live from now on."""
        following = delivery.following
        live = self._live.setdefault(following.hub, _Live())
        live.sockets[following] = delivery.socket
        live.deliveries[following] = delivery

    def leave(self, delivery: Delivery) -> None:
        """The place is not live any more; a second time does nothing."""
        following = delivery.following
        live = self._live.get(following.hub)
        if live is not None and live.deliveries.pop(following, None) is not None:
            del live.sockets[following]
            if not live.sockets:
                del self._live[following.hub]

    def published(self, hub: StreamHub) -> None:
        """See the port."""
        self._published[hub] = None
        self.tick.call()

    def awareness_changed(self, hub: StreamHub) -> None:
        """Somebody shows something new; the hub is asked for it at the end of the turn."""
        self._aware[hub] = None
        self.tick.call()

    def presence_changed(self, hub: StreamHub, present: list[PresentUser]) -> None:
        """See the port."""
        message = PresenceMessage(stream=hub.stream, present=present)
        live = self._live.get(hub)
        if live is not None:
            self._tell(live, live.sockets.copy(), lambda parser: parser.event(PRESENCE, message))

    def aware(self, hub: StreamHub, changes: Mapping[Following, Awareness]) -> None:
        """See the port. Nobody is told of what they show themselves."""
        live = self._live.get(hub)
        if live is None:
            return
        told = live.sockets.copy()
        for following in changes:
            if told.pop(following, None) is not None and len(changes) > 1:
                others = [awareness for place, awareness in changes.items() if place is not following]
                socket = {following: live.sockets[following]}
                self._tell(live, socket, lambda parser: awareness_frame(parser, hub.stream, others))  # noqa: B023 now
        self._tell(live, told, lambda parser: awareness_frame(parser, hub.stream, changes.values()))

    def _bring(self) -> bool:
        """True: there is more, for the next turn."""
        published, self._published = self._published, {}
        aware, self._aware = self._aware, {}
        self._brings_one = len(published) + len(aware) == 1
        try:
            for hub in published:
                self._deliver(hub)
            for hub in aware:
                hub.tell_awareness()
                if hub.awareness.has_changed:
                    self._aware[hub] = None
        finally:
            self._brings_one = False
        return bool(self._aware)

    def _deliver(self, hub: StreamHub) -> None:
        """One packet for all who had everything before this turn; the others pull for themselves."""
        after_seq, publications = hub.take_fresh(self._limits.entries_per_packet_max)
        live = self._live.get(hub)
        if live is None:
            return
        last_seq = publications[-1].entry.seq if publications else after_seq
        is_all, at_once = last_seq == hub.head.seq, self._brings_one
        frames = _FrameOf(lambda parser: self._packet(hub.stream, publications, parser))
        for following, socket in live.sockets.copy().items():
            try:
                if following.seq == after_seq and not following.closed:
                    frame = frames[socket.parser]
                    if frame and socket.push(frame, at_once):
                        following.seq = last_seq
                        if is_all:
                            continue
                live.deliveries[following].deliver()
            except Exception:
                log.exception("a delivery failed: %s", hub.stream)
                socket.abort()

    def _packet(self, stream: str, publications: list[Publication], parser: Parser) -> bytes:
        """Empty where there is nothing, or more than one packet holds."""
        if not publications or fit(publications, self._limits.entries_packet_bytes_max, parser.entry) != publications:
            return b""
        return parser.entries(stream, publications)

    def _tell(self, live: _Live, told: dict[Following, EngineSocket], build: Callable[[Parser], bytes]) -> None:
        """News that are in no log, so who does not read gets none of them but the newest, later."""
        frames, at_once = _FrameOf(build), self._brings_one
        for following, socket in told.items():
            try:
                if not socket.push(frames[socket.parser], at_once):
                    live.deliveries[following].leave_out()
            except Exception:
                log.exception("news could not be told: %s", following.hub.stream)
                socket.abort()
