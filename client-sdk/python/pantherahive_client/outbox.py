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
    Unavailable,
    error_of,
)
from pantherahive_client.link import OnAnswer
from pantherahive_client.outcomes import KnownOutcomes
from pantherahive_client.sendable import check_size, packet_bytes
from pantherahive_client.settings import Settings

_VAIN_MAX = 8
"""So often one is sent again at once behind the one before it; commands that come after each other never end."""


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
    # Whether it has left at least once, in this try or an earlier one.
    has_left: bool
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
            pending.is_sent = False
            self._chains.back(pending.frame)
            if pending.refusals >= self._settings.refusals_max and not pending.answer.done():
                pending.answer.set_exception(PacketRefused(pending.frame["opId"]))

    def end(self, why: HiveError) -> None:
        """Whatever waits, and whatever comes, gets `why`."""
        self._ended = why
        self._sender = None
        for pending in self._pending.values():
            if not pending.answer.done():
                pending.answer.set_exception(why)

    async def send(self, frame: Mapping[str, Any], deadline_s: float | None, *, retry: bool) -> Ack:
        """The ack of a command. Retryable refusals are tried again with the same opId, unless `retry` is False.

        Raises the refusal, Invalid or TooLarge at once for what cannot be sent, PacketRefused for what the server ends
        its connections over, or DeadlineExceeded after `deadline_s` seconds (None: never).
        """
        self._outcomes.begun(frame)
        size_bytes = self._checked_bytes(frame)
        last: HiveError | None = None
        try:
            async with asyncio.timeout(deadline_s):
                with self._chains.member(frame) as member:
                    failures = vain = 0
                    while True:
                        await member.turn()
                        try:
                            async with self._slots:  # whoever waits for another try keeps none from going
                                return _ack(
                                    frame, await self._exchange(frame, size_bytes, member, has_left=last is not None)
                                )
                        except HiveError as error:
                            if not (retry and error.retryable):
                                raise
                            last = error
                        if not (isinstance(last, Unavailable) and member.is_explained):
                            await member.pause(self._settings.retry.wait_s(failures, last.retry_after_s))
                            failures += 1
                        elif (vain := vain + 1) > _VAIN_MAX:
                            await asyncio.sleep(self._settings.retry.wait_s(vain - _VAIN_MAX, None))
        except TimeoutError as error:
            if isinstance(error, HiveError):
                raise
            raise DeadlineExceeded(frame["opId"], last) from error

    def _checked_bytes(self, frame: Mapping[str, Any]) -> int:
        try:
            size_bytes = packet_bytes(frame)
            check_size(size_bytes, self._packet_bytes_max)
        except HiveError:
            self._outcomes.refused(frame)
            raise
        return size_bytes

    async def _exchange(self, frame: Mapping[str, Any], size_bytes: int, member: Member, *, has_left: bool) -> Any:
        if self._ended is not None:
            raise self._ended
        number = next(self._numbers)
        pending = _Pending(frame, member, size_bytes, asyncio.get_running_loop().create_future(), has_left)
        self._pending[number] = pending
        try:
            self._transmit(pending)
            return await pending.answer
        finally:
            del self._pending[number]
            self._chains.back(frame)

    def _transmit(self, pending: _Pending) -> None:
        if self._sender is None:
            return
        try:
            check_size(pending.size_bytes, self._packet_bytes_max)
        except TooLarge as error:  # it was taken before there was a connection, or another server takes less
            if not pending.answer.done():
                pending.answer.set_exception(error)
                if not pending.has_left:
                    self._outcomes.refused(pending.frame)
            return

        def answered(answer: Any = None) -> None:
            self._learn(pending.frame, answer)
            if not pending.answer.done():
                pending.answer.set_result(answer)

        pending.is_sent = pending.has_left = True
        frame = self._outcomes.due(pending.frame)
        pending.member.leaves(frame)
        self._sender.send("command", frame, answered)
        self._chains.left(frame)

    def _learn(self, frame: Mapping[str, Any], answer: Any) -> None:
        """Whatever it says counts, though nobody may wait for it any more."""
        try:
            _ack(frame, answer)
        except HiveError as error:
            if not error.retryable:
                self._outcomes.refused(frame)
        else:
            self._outcomes.accepted(frame)


def _ack(frame: Mapping[str, Any], answer: Any) -> Ack:
    if isinstance(answer, dict) and "error" in answer:
        raise error_of(answer["error"])
    try:
        return Ack(frame["opId"], answer["cursor"], answer["at"], answer.get("result", {}))
    except (KeyError, TypeError, AttributeError) as error:
        raise InternalError("the server's answer to a command could not be read") from error
