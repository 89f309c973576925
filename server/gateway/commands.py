"""The commands of one client, in the order in which it sent them."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from functools import partial
from typing import Any

from pydantic import ValidationError

from actors.runtime.request import Outcome, Request
from protocol.base import STREAM_NAME
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command, Principal
from protocol.faults import StorageFault
from protocol.messages import decode_command, digest_of, invalid
from protocol.wire import CommandRequest
from server.auth.scopes import stream_refusal
from server.enrich import needs_facts
from server.gateway.hall import Hall
from server.gateway.talk import INTERNAL, STOPPING, UNAVAILABLE, Talk
from server.streams import UNREADABLE, code_of

log = logging.getLogger("pantherahive.gateway")

_STREAM = re.compile(STREAM_NAME)
_TOO_MANY_COMMANDS = Rejection(
    ErrorCode.OVERLOADED, "too many commands of this connection wait for their answer", {"retryAfterS": 0.5}
)


class Commands:
    """A command goes to its actor in the call that brings it.

    Only one that needs facts from the database waits for them in a task, and later ones of the client wait behind it.
    """

    def __init__(self, talk: Talk, hall: Hall, principal: Principal) -> None:
        self._talk = talk
        self._hall = hall
        self._principal = principal
        # Commands whose answer is awaited, and commands that wait for the facts of an earlier one.
        self._in_flight = 0
        self._behind: deque[tuple[CommandRequest, Command, int | None]] = deque()
        self._enriching = False
        # Set when nothing waits any more, while somebody asks for that.
        self._settled: asyncio.Event | None = None

    @property
    def waiting(self) -> int:
        """How many commands wait for their answer."""
        return self._in_flight + len(self._behind)

    def forget(self) -> None:
        """The connection is over: what waits behind is not begun any more."""
        self._behind.clear()
        if self._settled is not None:
            self._settled.set()

    async def settled(self) -> None:
        """Waits until no command waits for its answer."""
        if self.waiting:
            self._settled = asyncio.Event()
            await self._settled.wait()

    def take(self, payload: Any, ack_id: int | None) -> None:
        """Sends a command on its way, or answers why not."""
        if (crowded := self._crowded()) is not None:
            self._refuse(ack_id, crowded, _kind_named(payload))
            return
        try:
            request = CommandRequest.from_client(payload)
        except ValidationError as error:
            self._refuse(ack_id, invalid(error, payload), UNREADABLE)
            return
        command = self._checked(request)
        if isinstance(command, Rejection):
            self._refuse(ack_id, command, _kind_of(request))
        elif self._enriching:
            self._behind.append((request, command, ack_id))
        else:
            self._begin(request, command, ack_id)

    def _refuse(self, ack_id: int | None, why: Rejection, kind: str) -> None:
        """The answer to a command that is not begun."""
        self._hall.meters.command_answered(kind, code_of(why))
        self._talk.answer(ack_id, why)

    def _crowded(self) -> Rejection | None:
        """Why no command is taken now. To read one, and to say what is wrong with it, costs as much as to begin it."""
        if self._hall.stopping:
            return STOPPING
        if self.waiting >= self._hall.limits.commands_in_flight_per_socket_max:
            return _TOO_MANY_COMMANDS
        return self._hall.rates.command(self._principal)

    def _checked(self, request: CommandRequest) -> Command | Rejection:
        if (refused := stream_refusal(self._principal, request.stream, "write")) is not None:
            return refused
        return decode_command(request.stream, request.type, request.data)

    def _begin(self, request: CommandRequest, command: Command, ack_id: int | None) -> None:
        self._in_flight += 1
        if needs_facts(command, request.origin):
            self._enriching = True
            self._talk.spawn(self._enrich(request, command, ack_id), "facts of a command")
        else:
            self._send(request, command, ack_id, {})

    async def _enrich(self, request: CommandRequest, command: Command, ack_id: int | None) -> None:
        """Fetches the facts; the commands behind go on afterwards, in their order."""
        facts: Any
        try:
            facts = await self._hall.facts.facts_for(command, request.stream, self._principal, request.origin)
        except StorageFault:
            facts = UNAVAILABLE
        except Exception:
            log.exception("facts of a command failed")
            facts = INTERNAL
        self._enriching = False
        if isinstance(facts, Rejection):
            self.answered(_kind_of(request), ack_id, facts)
        else:
            self._send(request, command, ack_id, facts)
        while self._behind and not self._enriching:
            self._begin(*self._behind.popleft())

    def _send(self, request: CommandRequest, command: Command, ack_id: int | None, facts: Any) -> None:
        hall = self._hall
        reply = _Reply(self, _kind_of(request), ack_id)
        wish = Request(
            request.stream,
            request.op_id,
            command,
            self._principal,
            digest_of(self._principal.id, command, request.base, request.origin),
            hall.clock.monotonic_s() + hall.limits.command_deadline_s,
            request.base,
            request.origin,
            facts=facts,
            after_op_id=request.after_op_id,
        )
        try:
            hall.router.send(wish, reply)
        except Exception:
            log.exception("a command failed")
            if not reply.done():
                reply.set_result(INTERNAL)

    def answered(self, kind: str, ack_id: int | None, outcome: Outcome) -> None:
        """An outcome is there; the ack leaves with whatever else is written in this turn, or as the client reads."""
        self._hall.meters.command_answered(kind, code_of(outcome))
        socket = self._talk.socket
        if ack_id is not None and socket.out_bytes > socket.free_bytes:
            socket.hold(partial(self._acknowledge, ack_id, outcome))
        else:
            self._acknowledge(ack_id, outcome)

    def _acknowledge(self, ack_id: int | None, outcome: Outcome) -> None:
        """Writes the ack; until then the command counts as in flight, so what waits to be written is bounded."""
        self._in_flight -= 1
        if ack_id is not None:
            socket = self._talk.socket
            if isinstance(outcome, Rejection):
                content: dict[str, Any] = {"error": outcome.as_json()}
            else:
                content = {"cursor": str(outcome.cursor), "at": outcome.at, "result": outcome.result}
            socket.write(socket.parser.ack(ack_id, content))
        if self._settled is not None and not self.waiting:
            self._settled.set()


def _kind_of(request: CommandRequest) -> str:
    return request.stream.partition("/")[0]


def _kind_named(payload: Any) -> str:
    """The kind of the stream that an unread command names, if it is the name of one."""
    stream = payload.get("stream") if isinstance(payload, dict) else None
    if not isinstance(stream, str) or _STREAM.fullmatch(stream) is None:
        return UNREADABLE
    return stream.partition("/")[0]


class _Reply:
    """Where the outcome of one command goes. Fits `actors.runtime.delivery.Reply`."""

    __slots__ = ("_ack_id", "_commands", "_done", "_kind")

    def __init__(self, commands: Commands, kind: str, ack_id: int | None) -> None:
        self._commands = commands
        self._kind = kind
        self._ack_id = ack_id
        self._done = False

    def done(self) -> bool:
        """See the port."""
        return self._done

    def set_result(self, outcome: Outcome, /) -> None:
        """See the port. An ack that cannot be written is lost, and nobody else's with it."""
        self._done = True
        try:
            self._commands.answered(self._kind, self._ack_id, outcome)
        except Exception:
            log.exception("an ack could not be written")
