"""One client: who it is, what it follows, and what it has asked.

Everything that arrives is handled in the order of its arrival, in the call that brings it; only what needs the database
first (a join, the facts of a few commands) goes on in a task, and later commands of the same client wait behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from actors.ports import Clock
from actors.runtime.feeds import NO_SUCH_STREAM, Feeds, Joined
from actors.runtime.hub import CloseReason, Following
from actors.runtime.request import Outcome, Request
from actors.runtime.router import Router
from protocol.base import Message
from protocol.cursors import Cursor
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command, Principal
from protocol.faults import StorageFault
from protocol.messages import decode_command, digest_of, invalid
from protocol.wire import (
    CLOSED,
    COMMAND,
    HEADS,
    JOIN,
    LEAVE,
    ClosedMessage,
    CommandRequest,
    ConnectAuth,
    HeadsMessage,
    JoinAnswer,
    JoinRequest,
    LeaveRequest,
    PresentUser,
)
from server.auth.principal import Authenticator
from server.enrich import NEEDS_FACTS, Facts
from server.gateway.delivery import Delivery
from server.gateway.engine import EngineSocket
from server.gateway.frames import (
    DISCONNECT_FRAME,
    ack_frame,
    connect_error_frame,
    connect_frame,
    event_frame,
)
from server.gateway.limits import GatewayLimits
from server.gateway.meters import GatewayMeters
from server.gateway.packets import (
    AckPacket,
    BadPacket,
    ConnectPacket,
    DisconnectPacket,
    EventPacket,
    decode_packet,
)
from server.gateway.presence import PresenceFrames
from server.gateway.snapshots import SnapshotFrames
from server.streams import code_of, refused_base

log = logging.getLogger("pantherahive.gateway")

M = TypeVar("M", bound=Message)

_UNKNOWN_EVENT = Rejection(ErrorCode.INVALID, "there is no such event", {"field": "event"})
_TOO_MANY_COMMANDS = Rejection(
    ErrorCode.OVERLOADED, "too many commands of this connection wait for their answer", {"retryAfterS": 0.5}
)
_TOO_MANY_JOINS = Rejection(ErrorCode.OVERLOADED, "this connection follows too many streams", {"retryAfterS": 1})
_UNAVAILABLE = Rejection(ErrorCode.UNAVAILABLE, "the database cannot be asked right now", {"retryAfterS": 1})
_INTERNAL = Rejection(ErrorCode.INTERNAL, "the request failed inside the server")
_STOPPING = Rejection(ErrorCode.UNAVAILABLE, "the server is stopping", {"retryAfterS": 1})


class Hall(Protocol):
    """What sessions share: the gateway's rooms and clocks."""

    router: Router
    feeds: Feeds
    facts: Facts
    authenticator: Authenticator
    clock: Clock
    limits: GatewayLimits
    meters: GatewayMeters
    snapshots: SnapshotFrames
    presence: PresenceFrames

    @property
    def stopping(self) -> bool: ...

    def woken(self, session: Session, following: Following) -> None:
        """Delivers to the following at the end of this tick."""
        ...

    def entered(self, session: Session) -> None: ...

    def left(self, session: Session) -> None: ...


class Session:
    """A connection on its way from CONNECT to loss."""

    def __init__(self, socket: EngineSocket, hall: Hall) -> None:
        self.socket = socket
        self._hall = hall
        self._loop = asyncio.get_running_loop()
        # Set by CONNECT.
        self._principal: Principal | None = None
        # Before CONNECT: the end of patience. After it: the end of the token.
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(
            hall.limits.connect_timeout_s, socket.close, "no CONNECT in time"
        )
        # What it follows, by stream.
        self._deliveries: dict[str, Delivery] = {}
        # Streams whose join is under way.
        self._joining: set[str] = set()
        # Those of them that the client has left again before they were joined.
        self._unwanted: set[str] = set()
        # Commands whose answer is awaited, and commands that wait for the facts of an earlier one.
        self._in_flight = 0
        self._behind: deque[tuple[CommandRequest, Command, int | None]] = deque()
        self._enriching = False
        # Whether the connection is over.
        self._is_lost = False
        # Tasks of this session. They are never cancelled: one that is about to follow must be able to undo that.
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def principal(self) -> Principal:
        if self._principal is None:
            raise RuntimeError("not connected")
        return self._principal

    # — from the engine ——————————————————————————————————————————————————————————————————————————————

    def received(self, text: str) -> None:
        """One Socket.IO packet. A client that does not speak the protocol is let go at once."""
        try:
            self._dispatch(text)
        except BadPacket as bad:
            log.info("bad packet from %s: %s", self.socket.remote, bad)
            self._hall.meters.bad_packet()
            self.socket.close("bad packet", code=1002, parting=DISCONNECT_FRAME)

    def _dispatch(self, text: str) -> None:
        packet = decode_packet(text, self._hall.limits.json_depth_max)
        match packet:
            case ConnectPacket():
                self._connect(packet.auth)
            case DisconnectPacket():
                self.socket.close("client disconnect")
            case EventPacket():
                if self._principal is None:
                    raise BadPacket("an event before CONNECT")
                self._event(packet)
            case AckPacket():
                pass  # no event of ours asks for one

    def lost(self) -> None:
        """The connection is over: nothing of it may stay."""
        if self._timer is not None:
            self._timer.cancel()
        self._is_lost = True
        for delivery in list(self._deliveries.values()):
            delivery.stop()
        self._deliveries.clear()
        self._behind.clear()
        self._hall.left(self)

    # — CONNECT ——————————————————————————————————————————————————————————————————————————————————————

    def _connect(self, auth: Any) -> None:
        if self._principal is not None:
            raise BadPacket("a second CONNECT")
        if self._hall.stopping:
            self._refuse_connect(_STOPPING)
            return
        try:
            token = ConnectAuth.model_validate(auth if isinstance(auth, dict) else {}).token
        except ValidationError as error:
            self._refuse_connect(
                Rejection(ErrorCode.UNAUTHENTICATED, "CONNECT needs a token", invalid(error, "auth").details)
            )
            return
        known = self._hall.authenticator.of_token(token)
        if isinstance(known, Rejection):
            self._refuse_connect(known)
            return
        self._principal = known.principal
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if known.expires_at_s is not None:
            left_s = max(0.0, known.expires_at_s - self._hall.authenticator.now_s())
            self._timer = self._loop.call_later(left_s, self.end, "expired")
        self._hall.entered(self)
        self.socket.write(connect_frame(self.socket.sid))

    def _refuse_connect(self, rejection: Rejection) -> None:
        self.socket.close("refused", parting=connect_error_frame(rejection.as_json()))

    # — events ———————————————————————————————————————————————————————————————————————————————————————

    def _event(self, packet: EventPacket) -> None:
        payload = packet.arguments[0] if len(packet.arguments) == 1 else None
        if packet.name == COMMAND:
            self._with(CommandRequest, payload, packet.ack_id, self._command)
        elif packet.name == JOIN:
            self._with(JoinRequest, payload, packet.ack_id, self._join)
        elif packet.name == LEAVE:
            self._with(LeaveRequest, payload, packet.ack_id, self._leave)
        else:
            self._answer(packet.ack_id, _UNKNOWN_EVENT)

    def _with(self, model: type[M], payload: Any, ack_id: int | None, handle: Any) -> None:
        try:
            request = model.model_validate(payload)
        except ValidationError as error:
            self._answer(ack_id, invalid(error))
            return
        handle(request, ack_id)

    def _answer(self, ack_id: int | None, answer: dict[str, Any] | Rejection) -> None:
        if ack_id is None:
            return
        content = {"error": answer.as_json()} if isinstance(answer, Rejection) else answer
        self.socket.write(ack_frame(ack_id, content))

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # — commands —————————————————————————————————————————————————————————————————————————————————————

    def _command(self, request: CommandRequest, ack_id: int | None) -> None:
        if self._in_flight + len(self._behind) >= self._hall.limits.commands_in_flight_per_socket_max:
            self._answer(ack_id, _TOO_MANY_COMMANDS)
            return
        command = refused_base(request.base) or decode_command(request.stream, request.type, request.data)
        if isinstance(command, Rejection):
            self._answer(ack_id, command)
        elif self._enriching:
            self._behind.append((request, command, ack_id))
        else:
            self._begin(request, command, ack_id)

    def _begin(self, request: CommandRequest, command: Command, ack_id: int | None) -> None:
        self._in_flight += 1
        if isinstance(command, NEEDS_FACTS):
            self._enriching = True
            self._spawn(self._enrich(request, command, ack_id), "facts of a command")
        else:
            self._send(request, command, ack_id, {})

    async def _enrich(self, request: CommandRequest, command: Command, ack_id: int | None) -> None:
        """Fetches the facts; the commands behind go on afterwards, in their order."""
        facts: Any
        try:
            facts = await self._hall.facts.facts_for(command, request.stream)
        except StorageFault:
            facts = _UNAVAILABLE
        except Exception:
            log.exception("facts of a command failed")
            facts = _INTERNAL
        self._enriching = False
        if isinstance(facts, Rejection):
            self._settle(ack_id, facts)
        else:
            self._send(request, command, ack_id, facts)
        while self._behind and not self._enriching:
            self._begin(*self._behind.popleft())

    def _send(self, request: CommandRequest, command: Command, ack_id: int | None, facts: Any) -> None:
        hall = self._hall
        future = hall.router.command(
            Request(
                stream=request.stream,
                op_id=request.op_id,
                command=command,
                principal=self.principal,
                digest=digest_of(self.principal.id, command, request.base, request.origin),
                deadline_s=hall.clock.monotonic_s() + hall.limits.command_deadline_s,
                base=request.base,
                origin=request.origin,
                facts=facts,
            )
        )
        kind = request.stream.partition("/")[0]
        future.add_done_callback(lambda done: self._acked(kind, ack_id, done))

    def _acked(self, kind: str, ack_id: int | None, done: asyncio.Future[Outcome]) -> None:
        defect = done.exception()
        if defect is not None:
            log.error("a command failed: %r", defect)
        outcome = _INTERNAL if defect is not None else done.result()
        self._hall.meters.command_answered(kind, code_of(outcome))
        self._settle(ack_id, outcome)

    def _settle(self, ack_id: int | None, outcome: Outcome) -> None:
        self._in_flight -= 1
        if isinstance(outcome, Rejection):
            self._answer(ack_id, outcome)
        else:
            self._answer(ack_id, {"cursor": str(outcome.cursor), "at": outcome.at, "result": outcome.result})

    # — following ————————————————————————————————————————————————————————————————————————————————————

    def _join(self, request: JoinRequest, ack_id: int | None) -> None:
        limits = self._hall.limits
        following = len(self._deliveries.keys() | self._joining | {request.stream})
        if following > limits.joins_per_socket_max or len(self._joining) >= limits.joins_in_flight_max:
            self._answer(ack_id, _TOO_MANY_JOINS)
            return
        if request.stream in self._joining:
            self._answer(ack_id, Rejection(ErrorCode.CONFLICT, "this stream is being joined already"))
            return
        cursor: Cursor | None = None
        if request.cursor is not None:
            try:
                cursor = Cursor.parse(request.cursor)
            except ValueError:
                self._answer(ack_id, Rejection(ErrorCode.INVALID, "cursor: not a cursor", {"field": "cursor"}))
                return
        self._joining.add(request.stream)
        self._spawn(self._join_now(request.stream, cursor, ack_id), "join")

    async def _join_now(self, stream: str, cursor: Cursor | None, ack_id: int | None) -> None:
        hall = self._hall
        try:
            deadline_s = hall.clock.monotonic_s() + hall.limits.command_deadline_s
            joined = await hall.feeds.join(self, stream, cursor, deadline_s)
            if isinstance(joined, Rejection):
                self._answer(ack_id, joined)
            else:
                await self._follow(stream, joined, ack_id)
        except StorageFault:
            self._answer(ack_id, _UNAVAILABLE)
        except Exception:
            log.exception("join failed")
            self._answer(ack_id, _INTERNAL)
        finally:
            self._joining.discard(stream)
            self._unwanted.discard(stream)

    async def _follow(self, stream: str, joined: Joined, ack_id: int | None) -> None:
        """Answers the join, sends the state if there is one to send, and goes live."""
        hall = self._hall
        if self._is_lost:
            joined.following.leave()
            return
        delivery = Delivery(
            self.socket, joined.following, hall.feeds, hall.limits, self.slow, lambda: self._tell_present(stream)
        )
        if (old := self._deliveries.get(stream)) is not None:
            old.stop()
        self._deliveries[stream] = delivery
        frames: list[bytes] = []
        try:
            if joined.parts is not None:
                frames = await hall.snapshots.of(stream, joined.cursor, joined.parts)
        except BaseException:
            self._forget(stream, delivery)
            raise
        if stream in self._unwanted:
            self._forget(stream, delivery)
        if joined.following.closed:
            self._forget(stream, delivery)
            self._answer(ack_id, NO_SUCH_STREAM)  # removed, left, or gone while the state was encoded
            return
        answer = JoinAnswer(
            mode=joined.mode,
            cursor=str(joined.cursor),
            parts=len(frames),
            reason=joined.reason,
            present=hall.feeds.present(stream),
        )
        self._answer(ack_id, answer.model_dump(mode="python", by_alias=True))
        delivery.start(frames)

    def _forget(self, stream: str, delivery: Delivery) -> None:
        delivery.stop()
        if self._deliveries.get(stream) is delivery:
            del self._deliveries[stream]

    def _leave(self, request: LeaveRequest, ack_id: int | None) -> None:
        delivery = self._deliveries.get(request.stream)
        if delivery is not None:
            self._forget(request.stream, delivery)
        if request.stream in self._joining:
            self._unwanted.add(request.stream)
        self._answer(ack_id, {})

    # — as a follower ————————————————————————————————————————————————————————————————————————————————

    def wake(self, following: Following) -> None:
        self._hall.woken(self, following)

    def deliver(self, following: Following) -> None:
        """Sends what is new, as far as the client reads."""
        delivery = self._deliveries.get(following.hub.stream)
        if delivery is not None:
            delivery.deliver()

    def presence_changed(self, stream: str, present: list[PresentUser]) -> None:
        delivery = self._deliveries.get(stream)
        if delivery is not None and delivery.is_live and not self.socket.is_slow:
            self.socket.write(self._hall.presence.frame(stream, present))

    def _tell_present(self, stream: str) -> None:
        """Presence is not told to a client that is behind, so it is told the newest once it is not."""
        self.socket.write(self._hall.presence.frame(stream, self._hall.feeds.present(stream)))

    def following_closed(self, stream: str, reason: CloseReason) -> None:
        delivery = self._deliveries.pop(stream, None)
        if delivery is not None:
            delivery.stop()
        self.socket.write(event_frame(CLOSED, ClosedMessage(stream=stream, reason=reason)))

    def tell_heads(self) -> None:
        """The newest cursor of everything that it follows and is up to date with."""
        heads = {
            stream: str(delivery.following.hub.head)
            for stream, delivery in self._deliveries.items()
            if delivery.is_live and delivery.following.seq == delivery.following.hub.head.seq
        }
        if heads and not self.socket.is_slow:
            self.socket.write(event_frame(HEADS, HeadsMessage(heads=heads)))

    # — the end ——————————————————————————————————————————————————————————————————————————————————————

    def end(self, reason: CloseReason) -> None:
        """Says why, and ends the connection."""
        parting = event_frame(CLOSED, ClosedMessage(reason=reason)) + DISCONNECT_FRAME
        self.socket.close(reason, parting=parting)

    def slow(self) -> None:
        """Lets a client go that does not read."""
        log.info("a client that does not read is let go: %s", self.socket.remote)
        self._hall.meters.slow_client_ended()
        self.end("slow")
        self.socket.abort()
