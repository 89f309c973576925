"""What waits in a mailbox, and what waits at a gate. Every delivery has a reply that is answered exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from actors.ports import Clock
from actors.runtime.outcomes import SeenCommand
from actors.runtime.rejections import RejectionMemory
from actors.runtime.request import Accepted, Outcome, Reading, Request
from actors.runtime.shards import ShardTable
from protocol.cursors import Cursor
from protocol.errors import ErrorCode, Rejection
from protocol.log import Entry

log = logging.getLogger("pantherahive.actors")

TIMED_OUT = Rejection(
    ErrorCode.TIMEOUT,
    "no answer in time; the command may still take effect, send it again with the same opId",
)
OVERLOADED = Rejection(ErrorCode.OVERLOADED, "the mailbox of this stream is full", {"retryAfterS": 1})
UNAVAILABLE = Rejection(ErrorCode.UNAVAILABLE, "the stream is not at hand right now", {"retryAfterS": 0.5})

Opened = Callable[[Any, Cursor], Any]
"""Runs in the turn in which a reading leaves the gate, with what was seen and where; its result is the answer."""


class Reply(Protocol):
    """Where an outcome goes. A future fits; what takes the outcome in the same turn must neither raise nor wait."""

    def done(self) -> bool:
        """Whether it has one, or nobody wants it any more."""
        ...

    def set_result(self, outcome: Outcome, /) -> None: ...


@dataclass(slots=True)
class CommandDelivery:
    """A command. `searched` is True once the log was asked for its opId; `found` is what it had.

    `durable_when_asked` is where the stream stood at the question: the answer says nothing of what came later.
    `refusal` is what was decided before the question: the cell, the seq that it saw, and the rejection.
    """

    request: Request
    reply: Reply
    searched: bool = False
    durable_when_asked: int = 0
    found: Entry | None = None
    refusal: tuple[object, int, Rejection] | None = None

    @property
    def deadline_s(self) -> float:
        return self.request.deadline_s

    def refused_at(self, cell: object, seq: int) -> Rejection | None:
        """What this incarnation decided when the state was the same: it need not be decided again."""
        refusal = self.refusal
        return refusal[2] if refusal is not None and refusal[0] is cell and refusal[1] == seq else None

    def refuse(self, rejection: Rejection) -> None:
        if not self.reply.done():
            self.reply.set_result(rejection)

    def look_at(self, state: Any, result: dict[str, Any]) -> Any:
        """What the command left, as its sender wants to see it; None without a look.

        None, too, when the look fails: the entry is good all the same, and on its way. Its sender meets the defect
        when it looks for itself.
        """
        look = self.request.look
        if look is None:
            return None
        try:
            return look.function(state, self.request.principal, *look.arguments_after(result))
        except Exception:
            log.exception("the look of %s failed in %s", type(self.request.command).__name__, self.request.stream)
            return None


@dataclass(slots=True)
class ReadDelivery:
    """A look at the state. It runs in a turn of the actor and must not change or keep anything mutable.

    `is_halted` says whether the state is only that of the last good entry; it is asked in the turn of the answer.
    """

    look: Callable[..., Any]
    arguments: tuple[Any, ...]
    opened: Opened | None
    deadline_s: float
    reply: asyncio.Future[Any]
    is_halted: Callable[[], bool]

    def refuse(self, rejection: Rejection) -> None:
        if not self.reply.done():
            self.reply.set_result(rejection)


Delivery = CommandDelivery | ReadDelivery


@dataclass(slots=True)
class HeldAck:
    """The answer to an accepted command, or to a retry of it. `shown`: what its look saw right after its entry."""

    seen: SeenCommand
    result: dict[str, Any]
    delivery: CommandDelivery
    shown: Any = None

    def release(self, epoch: int) -> None:
        del epoch  # the entry's own one may be older
        if not self.delivery.reply.done():
            cursor = Cursor(self.seen.seq, self.seen.epoch)
            self.delivery.reply.set_result(Accepted(cursor, self.seen.at, self.result, self.shown))

    def abort(self, rejection: Rejection) -> None:
        self.delivery.refuse(rejection)

    def expired(self, now_s: float) -> bool:
        return now_s >= self.delivery.deadline_s


@dataclass(slots=True)
class HeldRejection:
    """A refusal may depend on state that could still vanish, so it waits like everything else.

    No fence keeps it back as it does an entry: somebody else may own the stream when it leaves, and have accepted the
    same command. So it leaves only while we surely own it; else the sender has to try again.
    `memory` is None where it is not kept: the opId belongs to another command, or the server is the sender.
    """

    rejection: Rejection
    delivery: CommandDelivery
    memory: RejectionMemory | None
    clock: Clock
    shards: ShardTable

    def release(self, epoch: int) -> None:
        del epoch
        if not self.shards.may_serve():
            self.delivery.refuse(UNAVAILABLE)
            return
        request = self.delivery.request
        if self.memory is not None:
            now_s = self.clock.monotonic_s()
            sender_id = request.principal.id
            self.memory.remember(request.stream, request.op_id, sender_id, request.digest, self.rejection, now_s)
        self.delivery.refuse(self.rejection)

    def abort(self, rejection: Rejection) -> None:
        self.delivery.refuse(rejection)

    def expired(self, now_s: float) -> bool:
        return now_s >= self.delivery.deadline_s


@dataclass(slots=True)
class HeldReading:
    """What a look saw at `seq`."""

    value: Any
    seq: int
    delivery: ReadDelivery

    def release(self, epoch: int) -> None:
        reply = self.delivery.reply
        if reply.done():
            return
        cursor = Cursor(self.seq, epoch)
        if isinstance(self.value, Rejection):
            reply.set_result(self.value)
            return
        opened, halted = self.delivery.opened, self.delivery.is_halted()
        try:
            value = self.value if opened is None else opened(self.value, cursor)
            reply.set_result(Reading(value, cursor, halted))
        except Exception as defect:  # noqa: BLE001 - foreign code; its defect goes back to the asker
            # The caller's own code failed: it is the caller who gets the defect, not the actor.
            reply.set_exception(defect)

    def abort(self, rejection: Rejection) -> None:
        self.delivery.refuse(rejection)

    def expired(self, now_s: float) -> bool:
        return now_s >= self.delivery.deadline_s


@dataclass(slots=True)
class HeldCall:
    """Work of the runtime that needs a durable state, such as a snapshot. It is dropped when the state is."""

    call: Callable[[int], None]

    def release(self, epoch: int) -> None:
        self.call(epoch)

    def abort(self, rejection: Rejection) -> None:
        del rejection

    def expired(self, now_s: float) -> bool:
        del now_s
        return False
