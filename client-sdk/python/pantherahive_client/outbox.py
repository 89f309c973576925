"""Commands on their way: sent in order, kept until they are answered, sent again on the next connection."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pantherahive_client.chains import Chains, Member
from pantherahive_client.cursors import seq_of
from pantherahive_client.errors import (
    DeadlineExceeded,
    HiveError,
    InternalError,
    PacketRefused,
    TooLarge,
    error_of,
)
from pantherahive_client.link import OnAnswer
from pantherahive_client.outcomes import KnownOutcomes
from pantherahive_client.sendable import check_size, packet_bytes
from pantherahive_client.settings import Settings


@dataclass(frozen=True, slots=True)
class Ack:
    """A command took effect, durably. A command that was sent twice gets the first one's ack."""

    op_id: str
    cursor: str
    """The position of its entry."""
    at: str
    result: Mapping[str, Any]
    """What was made: `taskId`, `key`, `commentId` …"""

    @property
    def seq(self) -> int:
        """The number of its entry in the stream."""
        return seq_of(self.cursor)


class Sender(Protocol):
    """A connection, as far as the outbox knows it."""

    @property
    def packet_bytes_max(self) -> int | None:
        """The largest packet that the server takes; None when it has named none."""
        ...

    def send(self, event: str, payload: Mapping[str, Any], on_answer: OnAnswer | None = None) -> None: ...


@dataclass(slots=True, eq=False)
class _Pending:
    frame: Mapping[str, Any]
    # Its place in a chain.
    member: Member
    size_bytes: int
    # Holds the server's answer, whichever connection brought it.
    answer: asyncio.Future[Any]
    # Whether it is on its way on the current connection.
    is_sent: bool = False
    # How many connections in a row the server has ended over what was sent, with this among it.
    refusals: int = 0


class Outbox:
    """At most `in_flight_max` commands are on their way; further ones wait for their turn."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.in_flight_max)
        # Commands without an answer, in the order in which they were sent.
        self._pending: dict[int, _Pending] = {}
        # Those that nobody waits for any more, on their way still.
        self._abandoned: set[_Pending] = set()
        # What ends each `send`: its deadline, or the client's end.
        self._scopes: set[asyncio.Timeout] = set()
        self._numbers = itertools.count()
        # Which commands were accepted or refused for good: nothing is sent as one that comes after those.
        self._outcomes = KnownOutcomes()
        # Which of them come after which.
        self._chains = Chains(self._outcomes)
        # The connection; None while there is none.
        self._sender: Sender | None = None
        # What the newest connection takes at most.
        self._packet_bytes_max: int | None = None
        # Set when the client has ended: why nothing is sent any more.
        self._ended: HiveError | None = None

    def connected(self, sender: Sender) -> None:
        """Sends everything that has no answer, in its order; the server knows each opId again."""
        self._sender = sender
        self._packet_bytes_max = sender.packet_bytes_max
        for pending in self._pending.values():
            self._transmit(pending)

    def disconnected(self) -> None:
        """Commands wait for the next connection."""
        self._sender = None

    def connection_over(self, *, refused: bool) -> None:
        """`refused`: the server ended it over what was sent. Nobody says over what, so all that was sent counts."""
        for pending in self._pending.values():
            pending.refusals = pending.refusals + 1 if refused and pending.is_sent else 0
            self._back(pending)
            if pending.refusals >= self._settings.refusals_max and not pending.answer.done():
                pending.answer.set_exception(PacketRefused(pending.frame["opId"]))
        for pending in tuple(self._abandoned):
            self._back(pending)

    def end(self, why: HiveError) -> None:
        """Whatever waits, and whatever comes, gets `why`."""
        self._ended = why
        self._sender = None
        for scope in self._scopes:
            if not scope.expired():
                scope.reschedule(asyncio.get_running_loop().time())

    async def send(self, frame: Mapping[str, Any], deadline_s: float | None, *, retry: bool) -> Ack:
        """The ack of a command. Retryable refusals are tried again with the same opId, unless `retry` is False.

        Raises the refusal, Invalid or TooLarge at once for what cannot be sent, PacketRefused for what the server ends
        its connections over, DeadlineExceeded after `deadline_s` seconds (None: never), or why the client has ended.
        """
        self._check_open()
        scope = asyncio.timeout(deadline_s)
        self._scopes.add(scope)
        with self._chains.member(frame) as member:
            try:
                async with scope:
                    return await self._acked(frame, member, retry=retry)
            except TimeoutError as error:
                if isinstance(error, HiveError):
                    raise
                self._check_open()
                raise DeadlineExceeded(frame["opId"], member.refusal) from error
            finally:
                self._scopes.discard(scope)

    async def _acked(self, frame: Mapping[str, Any], member: Member, *, retry: bool) -> Ack:
        size_bytes = self._checked_bytes(frame)
        for failures in itertools.count():
            await member.turn()
            try:
                return _ack(frame, await self._exchange(frame, size_bytes, member))
            except HiveError as error:
                if not (retry and error.retryable):
                    raise
                refusal = error
            await member.pause(refusal, self._settings.retry.wait_s(failures, refusal.retry_after_s))
        raise AssertionError("unreachable: the loop above only ends by returning or raising")

    def _check_open(self) -> None:
        if self._ended is not None:
            raise self._ended

    def _checked_bytes(self, frame: Mapping[str, Any]) -> int:
        size_bytes = packet_bytes(frame)
        check_size(size_bytes, self._packet_bytes_max)
        return size_bytes

    async def _exchange(self, frame: Mapping[str, Any], size_bytes: int, member: Member) -> Any:
        """The server's answer. It takes a place, also when nobody waits for it any more; further tries take none."""
        await self._slots.acquire()
        number = next(self._numbers)
        pending = _Pending(frame, member, size_bytes, asyncio.get_running_loop().create_future())
        self._pending[number] = pending
        try:
            self._transmit(pending)
            return await pending.answer
        finally:
            del self._pending[number]
            if pending.is_sent:
                self._abandoned.add(pending)
            else:
                self._slots.release()

    def _transmit(self, pending: _Pending) -> None:
        if self._sender is None:
            return
        try:
            check_size(pending.size_bytes, self._packet_bytes_max)
        except TooLarge as error:  # it was taken before there was a connection, or another server takes less
            if not pending.answer.done():
                pending.answer.set_exception(error)
            return

        def answered(answer: Any = None) -> None:
            self._learn(pending, answer)
            self._back(pending)
            if not pending.answer.done():
                pending.answer.set_result(answer)

        pending.is_sent = True
        self._sender.send("command", pending.member.due(), answered)
        pending.member.left()

    def _back(self, pending: _Pending) -> None:
        """It is not on its way any more."""
        if pending.is_sent:
            pending.is_sent = False
            pending.member.back()
        if pending in self._abandoned:
            self._abandoned.remove(pending)
            self._slots.release()

    def _learn(self, pending: _Pending, answer: Any) -> None:
        """Whatever it says counts, though nobody may wait for it any more."""
        try:
            _ack(pending.frame, answer)
        except HiveError as error:
            if not error.retryable:
                self._outcomes.refused(pending.frame)
        else:
            self._outcomes.accepted(pending.frame)


def _ack(frame: Mapping[str, Any], answer: Any) -> Ack:
    if isinstance(answer, dict) and "error" in answer:
        raise error_of(answer["error"])
    try:
        return Ack(frame["opId"], answer["cursor"], answer["at"], answer.get("result", {}))
    except (KeyError, TypeError, AttributeError) as error:
        raise InternalError("the server's answer to a command could not be read") from error
