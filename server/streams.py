"""Commands and reads for streams as the edges send them: with a digest and a deadline."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from actors.ports import Clock
from actors.runtime.request import Accepted, Look, Outcome, Reading, Request
from actors.runtime.router import Router
from protocol.cursors import Cursor
from protocol.errors import Rejected, Rejection
from protocol.event import Command, Origin, Principal
from protocol.messages import digest_of
from protocol.tags import EntityTag
from server.rate_limits import Rates

T = TypeVar("T")

_NAMESPACE: Final = uuid.UUID("6f1d0a5e-6d0b-5b0e-9d2c-8d1f0c6f9a11")


def name_based_id(*parts: str) -> str:
    """A UUIDv5 (RFC 9562 §5.5) of the parts: the same parts give the same id on every node, at every time."""
    return str(uuid.uuid5(_NAMESPACE, "\n".join(parts)))


def granted(value: T | Rejection) -> T:
    """The value; a rejection is raised as Rejected."""
    if isinstance(value, Rejection):
        raise Rejected(value)
    return value


ACCEPTED: Final = "accepted"
UNREADABLE: Final = "none"
"""The kind under which a command is counted that names no stream, or is none."""


class CommandMeters(Protocol):
    """What is seen of commands."""

    def command_answered(self, kind: str, code: str) -> None:
        """`kind` of the stream, or `UNREADABLE`; `code` is `accepted` or the error's."""
        ...


def code_of(outcome: Outcome) -> str:
    """How an answer is counted."""
    return outcome.code.value if isinstance(outcome, Rejection) else ACCEPTED


@dataclass(frozen=True, slots=True)
class Wish:
    """A command with who wants it and under which opId. `only_at`: what has to be, one of these.

    `look`: what its sender is shown of the state that it left.
    """

    stream: str
    command: Command
    principal: Principal
    op_id: str
    base: int | None = None
    origin: Origin | None = None
    only_at: tuple[EntityTag, ...] = ()
    look: Look | None = None


class History(Protocol):
    """Past states (`actors.runtime.history`)."""

    async def state_at(
        self, stream: str, *, seq: int | None = None, at: str | None = None
    ) -> tuple[Any, Cursor] | None:
        """The state as of a seq, or as it stood at a time; None when there was nothing yet.

        Raises StorageFault, ReplayFailed.
        """
        ...


class Streams:
    """The edges' way to the actors."""

    def __init__(
        self,
        router: Router,
        clock: Clock,
        deadline_s: float,
        meters: CommandMeters | None = None,
        rates: Rates | None = None,
    ) -> None:
        self._router = router
        self._rates = rates
        self._meters = meters
        self._clock = clock
        self._deadline_s = deadline_s

    async def command(self, wish: Wish, facts: Mapping[str, Any] | None = None) -> Outcome:
        """Accepted once it is durable, or why not."""
        outcome = await self._outcome(wish, facts)
        if self._meters is not None:
            self._meters.command_answered(wish.stream.partition("/")[0], code_of(outcome))
        return outcome

    async def _outcome(self, wish: Wish, facts: Mapping[str, Any] | None) -> Outcome:
        if self._rates is not None and (limited := self._rates.command(wish.principal)) is not None:
            return limited
        digest = digest_of(wish.principal.id, wish.command, wish.base, wish.origin)
        return await self._router.command(
            Request(
                wish.stream,
                wish.op_id,
                wish.command,
                wish.principal,
                digest,
                self._deadline(),
                base=wish.base,
                origin=wish.origin,
                only_at=wish.only_at,
                facts=facts or {},
                look=wish.look,
            )
        )

    async def read(self, stream: str, look: Callable[..., T | Rejection], *arguments: Any) -> Reading[T] | Rejection:
        """What `look(state, *arguments)` says, at a durable point."""
        reading: Reading[T] | Rejection = await self._router.read(stream, look, *arguments, deadline_s=self._deadline())
        return reading

    def _deadline(self) -> float:
        return self._clock.monotonic_s() + self._deadline_s


__all__ = ["Accepted", "History", "Look", "Streams", "Wish", "granted", "name_based_id"]
