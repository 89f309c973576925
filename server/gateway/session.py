"""One client: who it is, what it follows, and what it has asked.

Everything that arrives is handled in the order of its arrival, in the call that brings it; only what needs the database
first (a join, the facts of a few commands) goes on in a task, and later commands of the same client wait behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import ValidationError

from actors.runtime.hub import CloseReason
from protocol.base import Message, instant_of
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.faults import StorageFault
from protocol.messages import invalid
from protocol.wire import (
    AUTH,
    AWARENESS,
    COMMAND,
    JOIN,
    LEAVE,
    AwarenessRequest,
    ConnectAuth,
    JoinRequest,
    LeaveRequest,
)
from server.auth.principal import NOT_KNOWN_YET
from server.auth.tokens import Authenticated
from server.gateway.commands import Commands
from server.gateway.doors import TOO_MANY_OF_USER
from server.gateway.engine_socket import EngineSocket
from server.gateway.hall import Hall
from server.gateway.packets import (
    AckPacket,
    BadPacket,
    ConnectPacket,
    DisconnectPacket,
    EventPacket,
    ForeignConnectPacket,
    PoisonedEvent,
)
from server.gateway.parsers import closed_frame
from server.gateway.places import Places
from server.gateway.talk import INTERNAL, STOPPING, UNAVAILABLE, Talk
from server.rate_limits import Allowance

log = logging.getLogger("pantherahive.gateway")

M = TypeVar("M", bound=Message)
Handle: TypeAlias = Callable[[M, int | None], None]
Rate: TypeAlias = Callable[[Principal], Allowance | Rejection | None]

_GOING_AWAY: Final = 1001
"""RFC 6455 §7.4.1."""
_STREAMS_NAMED_MAX = 10
"""Of a client that is let go, in the log."""

_UNKNOWN_EVENT = Rejection(ErrorCode.INVALID, "there is no such event", {"field": "event"})
_ANOTHER_PRINCIPAL = Rejection(ErrorCode.FORBIDDEN, "the token is another user's, or has other rights")
_NO_NAMESPACE = Rejection(ErrorCode.NOT_FOUND, "there is no such namespace; everything is in the main one")


class Session:
    """A connection on its way from CONNECT to loss."""

    def __init__(self, socket: EngineSocket, hall: Hall) -> None:
        self.socket = socket
        self._hall = hall
        self._loop = asyncio.get_running_loop()
        self._talk = Talk(socket)
        # Before CONNECT: the end of patience. After it: the end of the token.
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(
            hall.limits.connect_timeout_s, socket.close, "no CONNECT in time"
        )
        # Set by CONNECT: what it asks for and what it follows.
        self._commands: Commands | None = None
        self._places: Places | None = None
        # Whether CONNECT has come; an API token may still be looked up.
        self._asked_in = False
        # What its token hangs on; None before CONNECT, and for the operator's.
        self.grant_id: str | None = None
        # The user whose connections it is one of, once it is counted.
        self._counts_for: str | None = None
        # How many of its packets cannot be meant: poison, unknown events and namespaces, acks of what asks for none.
        self._poisoned = 0

    @property
    def places(self) -> Places:
        """What it follows. Raises RuntimeError before CONNECT."""
        if self._places is None:
            raise RuntimeError("not connected")
        return self._places

    def tell_heads(self) -> None:
        """Unless it was lost while others were told. What fails for one client is its end, and nobody else's."""
        if self._places is None:
            return
        try:
            self._places.tell_heads()
        except Exception:
            log.exception("a client could not be told heads")
            self.socket.abort()

    @property
    def owes_answers(self) -> bool:
        """Whether commands wait for their acks."""
        return self._commands is not None and self._commands.waiting > 0

    async def answered(self) -> None:
        """Waits until no command does, or the connection is over. No further ones are taken meanwhile."""
        if self._commands is not None:
            await self._commands.settled()

    # — from the engine ——————————————————————————————————————————————————————————————————————————————

    def received(self, message: str | bytes) -> None:
        """One Socket.IO packet. A client that does not speak the protocol is let go at once."""
        try:
            self._dispatch(message)
        except BadPacket as bad:
            self.bad_packet(str(bad))
            self.socket.close("bad packet", code=1002, parting=self.socket.parser.disconnect())

    def bad_packet(self, why: str) -> None:
        """See the port."""
        log.info("bad packet from %s: %s", self.socket.remote, why)
        self._hall.meters.bad_packet()

    def _dispatch(self, message: str | bytes) -> None:
        packet = self.socket.parser.decode(message, self._hall.limits.json_depth_max)
        match packet:
            case EventPacket():
                if self._commands is None or self._places is None:
                    raise BadPacket("an event before CONNECT")
                self._event(packet, self._commands, self._places)
            case ConnectPacket():
                self._connect(packet.auth)
            case ForeignConnectPacket():
                self._refuse_namespace(packet.namespace)
            case DisconnectPacket():
                self.socket.close("client disconnect")
            case PoisonedEvent():
                self._refuse_poison(packet)
            case AckPacket():
                self._count_poison("too many acks that nobody asked for")

    def lost(self) -> None:
        """The connection is over: nothing of it may stay."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._commands is not None:
            self._commands.forget()
        if self._places is not None:
            self._places.lost()
        self._commands = self._places = None  # they lead in a circle, which only the collector would find
        if self._counts_for is not None:
            self._hall.users.leave(self._counts_for)
        self._hall.left(self)

    # — CONNECT ——————————————————————————————————————————————————————————————————————————————————————

    def _connect(self, auth: Any) -> None:
        if self._asked_in:
            raise BadPacket("a second CONNECT")
        if self._hall.stopping:
            self._refuse_connect(STOPPING)
            return
        given = auth if isinstance(auth, dict) else {}
        try:
            token = ConnectAuth.from_client(given).token
        except ValidationError as error:
            needs = any(problem["loc"] == ("token",) for problem in error.errors())
            words = "CONNECT needs a token" if needs else "CONNECT takes a token and nothing else"
            self._refuse_connect(Rejection(ErrorCode.UNAUTHENTICATED, words, invalid(error, given, "auth").details))
            return
        self._asked_in = True
        self._known(token, self._enter)

    def _known(self, token: str, then: Callable[[Authenticated | Rejection], None]) -> None:
        """Goes on with whose token it is: at once, unless an API token has to be looked up."""
        known = self._hall.authenticator.of_token(token)
        if known is NOT_KNOWN_YET:
            self._talk.spawn(self._look_up(token, then), "look up a token")
        else:
            then(known)

    async def _look_up(self, token: str, then: Callable[[Authenticated | Rejection], None]) -> None:
        known: Authenticated | Rejection
        try:
            known = await self._hall.authenticator.look_up(token)
        except StorageFault:
            known = UNAVAILABLE
        except Exception:
            log.exception("a token could not be looked up")
            known = INTERNAL
        if not self.socket.closing:
            then(known)

    def _enter(self, known: Authenticated | Rejection) -> None:
        if isinstance(known, Rejection):
            self._refuse_connect(known)
            return
        if not known.principal.is_operator:
            if not self._hall.users.enter(known.principal.id):
                self._refuse_connect(TOO_MANY_OF_USER)
                return
            self._counts_for = known.principal.id
        self._commands = Commands(self._talk, self._hall, known.principal)
        self._places = Places(self._talk, self._hall, known.principal)
        self._live_with(known)
        self.socket.let_in()
        self._hall.entered(self)
        self.socket.write(self.socket.parser.connected(self.socket.sid))

    def _live_with(self, known: Authenticated) -> None:
        """The connection lives as long as this token, and ends with its grant."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if known.expires_at_s is not None:
            left_s = max(0.0, known.expires_at_s - self._hall.authenticator.now_s())
            self._timer = self._loop.call_later(left_s, self._token_ends)
        was, self.grant_id = self.grant_id, known.grant_id
        self._hall.hangs_on(self, known.grant_id, was)

    def _token_ends(self) -> None:
        """With the other ends, a few at a time: tokens that were given out in one second all end in one."""
        self._hall.farewells.add(partial(self._expire, self._timer))

    def _expire(self, timer: asyncio.TimerHandle | None) -> None:
        """Unless it was renewed since the timer fired: then it has another one, or none.

        The loop's clock is not asked whether it has fired: it may read less than the time for which that was set.
        """
        if timer is self._timer:
            self.end("expired")

    def _refuse_connect(self, rejection: Rejection) -> None:
        self.socket.close("refused", parting=self.socket.parser.connect_error(rejection.as_json()))

    # — events ———————————————————————————————————————————————————————————————————————————————————————

    def _event(self, packet: EventPacket, commands: Commands, places: Places) -> None:
        payload = packet.arguments[0] if len(packet.arguments) == 1 else None
        if packet.name == COMMAND:
            commands.take(payload, packet.ack_id)
        elif packet.name == JOIN:
            self._with(JoinRequest, payload, packet.ack_id, places.join, self._hall.rates.request)
        elif packet.name == LEAVE:
            rate = None if places.leaves_something(payload) else self._hall.rates.request
            self._with(LeaveRequest, payload, packet.ack_id, places.leave, rate)
        elif packet.name == AWARENESS:
            rate = self._hall.rates.awareness_update
            self._with(AwarenessRequest, payload, packet.ack_id, places.company.show, rate)
        elif packet.name == AUTH:
            self._with(ConnectAuth, payload, packet.ack_id, self._renew, self._hall.rates.request)
        else:
            self._talk.answer(packet.ack_id, _UNKNOWN_EVENT)
            self._count_poison("too many events that are none")

    def _renew(self, request: ConnectAuth, ack_id: int | None) -> None:
        """Goes on with a newer token of the same principal. A refused one changes nothing."""
        self._known(request.token, partial(self._go_on, ack_id))

    def _go_on(self, ack_id: int | None, known: Authenticated | Rejection) -> None:
        if isinstance(known, Rejection):
            self._talk.answer(ack_id, known)
        elif known.principal != self.places.principal:
            self._talk.answer(ack_id, _ANOTHER_PRINCIPAL)
        else:
            self._live_with(known)
            ends_at = known.expires_at_s and instant_of(datetime.fromtimestamp(known.expires_at_s, UTC))
            self._talk.answer(ack_id, {"expiresAt": ends_at})

    def _refuse_poison(self, packet: PoisonedEvent) -> None:
        """One event costs nobody else's command; a client that sends nothing else is let go."""
        if self._commands is None:
            raise BadPacket("an event before CONNECT")
        self._talk.answer(packet.ack_id, Rejection(ErrorCode.INVALID, packet.why))
        self._count_poison("too many events with poison")

    def _refuse_namespace(self, namespace: str) -> None:
        """Costs the client nothing of the main namespace, but before that was entered its patience runs on."""
        self.socket.write(self.socket.parser.connect_error(_NO_NAMESPACE.as_json(), namespace))
        self._count_poison("too many namespaces that are not there")

    def _count_poison(self, why_over: str) -> None:
        self._poisoned += 1
        if self._poisoned >= self._hall.limits.poison_per_socket_max:
            raise BadPacket(why_over)
        self._hall.meters.bad_packet()

    def _with(self, model: type[M], payload: Any, ack_id: int | None, handle: Handle[M], rate: Rate | None) -> None:
        """Handles what can be read, or answers why not; it counts before it is read, as that is what it costs."""
        limited = rate(self.places.principal) if rate is not None else None
        if isinstance(limited, Rejection):
            self._talk.answer(ack_id, limited)
            return
        try:
            request = model.from_client(payload)
        except ValidationError as error:
            self._talk.answer(ack_id, invalid(error, payload))
            return
        handle(request, ack_id)

    # — the end ——————————————————————————————————————————————————————————————————————————————————————

    def end(self, reason: CloseReason) -> None:
        """Says why, and ends the connection.

        Clients take a DISCONNECT packet for a word that they are not wanted again, and never come back by themselves;
        after a shutdown they are to.
        """
        parser = self.socket.parser
        parting = closed_frame(parser, reason)
        if reason == "shutdown":
            self.socket.close(reason, _GOING_AWAY, parting, after_client=True)
        else:
            self.socket.close(reason, parting=parting + parser.disconnect(), after_client=True)

    def slow(self) -> None:
        """See the port. It would not read the reason either, so that is for the log."""
        self._hall.meters.slow_client_ended()
        user, streams = (self._places.principal.id, list(self._places.deliveries)) if self._places else (None, [])
        log.info(
            "a client that does not read, or too slowly, is let go: reason slow, user %s, address %s, streams %s of %d",
            user,
            self.socket.remote,
            " ".join(streams[:_STREAMS_NAMED_MAX]),
            len(streams),
        )
