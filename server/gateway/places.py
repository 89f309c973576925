"""The streams that one client follows."""

from __future__ import annotations

import logging
from typing import Any

from actors.runtime.feeds import NO_SUCH_STREAM, Joined
from actors.runtime.hub import CloseReason, Following
from protocol.cursors import Cursor
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.faults import StorageFault
from protocol.wire import (
    HEADS,
    HeadsMessage,
    JoinAnswer,
    JoinRequest,
    LeaveRequest,
)
from server.auth.scopes import stream_refusal
from server.gateway.company import Company
from server.gateway.conflation import Conflation
from server.gateway.delivery import Delivery
from server.gateway.hall import Hall
from server.gateway.loads import NoRoom
from server.gateway.log_pages import LogPages
from server.gateway.parsers import closed_frame
from server.gateway.snapshots import HeldState
from server.gateway.talk import INTERNAL, UNAVAILABLE, Talk

log = logging.getLogger("pantherahive.gateway")

_TOO_MANY_JOINS = Rejection(ErrorCode.OVERLOADED, "this connection follows too many streams", {"retryAfterS": 1})
_JOINING = Rejection(ErrorCode.CONFLICT, "this stream is being joined already")
_LEFT = Rejection(ErrorCode.CONFLICT, "left before it was joined")


class Places:
    """Fits `actors.runtime.hub.Follower`: joins, leaves, and is woken by the hubs of its streams."""

    def __init__(self, talk: Talk, hall: Hall, principal: Principal) -> None:
        self.principal = principal
        self.crowd = hall.crowd
        self._talk = talk
        self._hall = hall
        # What it follows, by stream.
        self.deliveries: dict[str, Delivery] = {}
        self._pages = LogPages(hall.feeds)
        self._states = Conflation(hall, talk.socket.parser, principal)
        self.company = Company(talk, hall, principal, self.deliveries)
        # Streams whose join is under way.
        self._joining: set[str] = set()
        # Those of them that the client has left again before they were joined.
        self._unwanted: set[str] = set()
        # The joins that wait for the end of an unwanted one: cursor and ack id, one per stream.
        self._waiting: dict[str, tuple[Cursor | None, int | None]] = {}
        # Whether the connection is over.
        self._is_lost = False

    def lost(self) -> None:
        """The connection is over: no place may stay."""
        self._is_lost = True
        self._waiting.clear()
        for delivery in list(self.deliveries.values()):
            delivery.stop()
        self.deliveries.clear()

    def join(self, request: JoinRequest, ack_id: int | None) -> None:
        """Begins to follow a stream, or answers why not.

        While a join that was left again is still under way, one further join waits for its end.
        """
        if (refused := stream_refusal(self.principal, request.stream, "read")) is not None:
            self._talk.answer(ack_id, refused)
            return
        limits = self._hall.limits
        following = len(self.deliveries.keys() | self._joining | {request.stream})
        if following > limits.joins_per_socket_max or len(self._joining) >= limits.joins_in_flight_max:
            self._talk.answer(ack_id, _TOO_MANY_JOINS)
            return
        is_joining = request.stream in self._joining
        if is_joining and (request.stream not in self._unwanted or request.stream in self._waiting):
            self._talk.answer(ack_id, _JOINING)
            return
        cursor: Cursor | None = None
        if request.cursor is not None:
            try:
                cursor = Cursor.parse(request.cursor)
            except ValueError:
                self._talk.answer(ack_id, Rejection(ErrorCode.INVALID, "cursor: not a cursor", {"field": "cursor"}))
                return
        if is_joining:
            self._waiting[request.stream] = cursor, ack_id
        else:
            self._begin(request.stream, cursor, ack_id)

    def _begin(self, stream: str, cursor: Cursor | None, ack_id: int | None) -> None:
        self._joining.add(stream)
        self._talk.spawn(self._join_now(stream, cursor, ack_id), "join")

    async def _join_now(self, stream: str, cursor: Cursor | None, ack_id: int | None) -> None:
        hall = self._hall
        try:
            deadline_s = hall.clock.monotonic_s() + hall.limits.command_deadline_s
            joined = await hall.feeds.join(self, stream, cursor, deadline_s)
            if isinstance(joined, Rejection):
                self._talk.answer(ack_id, joined)
            else:
                await self._follow(stream, joined, ack_id)
        except StorageFault:
            self._talk.answer(ack_id, UNAVAILABLE)
        except Exception:
            log.exception("join failed")
            self._talk.answer(ack_id, INTERNAL)
        finally:
            self._joining.discard(stream)
            self._unwanted.discard(stream)
            if (waiting := self._waiting.pop(stream, None)) is not None:
                self._begin(stream, *waiting)

    async def _follow(self, stream: str, joined: Joined, ack_id: int | None) -> None:
        """Answers the join, sends the state if there is one to send, and goes live."""
        hall = self._hall
        if self._is_lost:
            joined.following.leave()
            return
        if stream in self._unwanted:
            joined.following.leave()
            self._talk.answer(ack_id, _LEFT)
            return
        delivery = Delivery(
            self._talk.socket,
            joined.following,
            self._pages,
            hall.limits,
            hall.crowd,
            self.company,
            self._states,
        )
        self.deliveries[stream] = delivery
        state: HeldState | None = None
        try:
            if joined.parts is not None:
                parser = self._talk.socket.parser
                state = await hall.snapshots.hold(parser, stream, joined.cursor, joined.parts, self.principal)
        except NoRoom as none:
            self.forget(stream, delivery)
            self._talk.answer(ack_id, none.rejection)
            return
        except BaseException:
            self.forget(stream, delivery)
            raise
        if joined.following.closed:  # while the state was encoded; whoever leaves has given the place up already
            if state is not None:
                state.release()
            self.forget(stream, delivery)
            self._talk.answer(ack_id, _LEFT if stream in self._unwanted else NO_SUCH_STREAM)
            return
        answer = JoinAnswer(
            mode=joined.mode,
            cursor=str(joined.cursor),
            parts=0 if state is None else len(state.frames),
            reason=joined.reason,
            present=hall.feeds.present(stream),
            halted=joined.halted,
        )
        self._talk.answer(ack_id, answer.model_dump(mode="python", by_alias=True))
        delivery.start(state)

    def forget(self, stream: str, delivery: Delivery) -> None:
        """Gives a place up."""
        delivery.stop()
        if self.deliveries.get(stream) is delivery:
            del self.deliveries[stream]
            self.company.left(stream)

    def leaves_something(self, payload: Any) -> bool:
        """Whether it names a place to be left: each was counted when it was asked for, so to leave it is free."""
        stream = payload.get("stream") if isinstance(payload, dict) and len(payload) == 1 else None
        if not isinstance(stream, str):
            return False
        return (
            stream in self.deliveries
            or stream in self._waiting
            or (stream in self._joining and stream not in self._unwanted)
        )

    def leave(self, request: LeaveRequest, ack_id: int | None) -> None:
        """Stops following a stream; one that is being joined is left as soon as it is."""
        delivery = self.deliveries.get(request.stream)
        if delivery is not None:
            self.forget(request.stream, delivery)
        if request.stream in self._joining:
            self._unwanted.add(request.stream)
        if (waiting := self._waiting.pop(request.stream, None)) is not None:
            self._talk.answer(waiting[1], _LEFT)
        self._talk.answer(ack_id, {})

    def wake(self, following: Following) -> None:
        """Those of a crowd are not woken one by one."""

    def following_replaced(self, stream: str) -> None:
        """Whatever becomes of the new place, nothing is told to the old one, and nothing is seen of it."""
        if (old := self.deliveries.get(stream)) is not None:
            self.forget(stream, old)

    def following_closed(self, stream: str, reason: CloseReason) -> None:
        delivery = self.deliveries.pop(stream, None)
        if delivery is not None:
            delivery.stop()
            self.company.left(stream)
        self._talk.tell(closed_frame(self._talk.socket.parser, reason, stream))

    def tell_heads(self) -> None:
        """The newest cursor of everything that it follows and is up to date with."""
        heads = {
            stream: str(delivery.following.hub.head)
            for stream, delivery in self.deliveries.items()
            if delivery.is_live and delivery.following.seq == delivery.following.hub.head.seq
        }
        if heads and not self._talk.socket.is_slow:
            self._talk.socket.write(self._talk.socket.parser.event(HEADS, HeadsMessage(heads=heads)))
