"""What goes into an actor and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from protocol.cursors import Cursor
from protocol.errors import Rejection
from protocol.event import Command, Origin, Principal
from protocol.tags import EntityTag
from protocol.values import value

T = TypeVar("T")


@value(frozen=True, slots=True)
class Request:
    """A command on its way to its stream. `deadline_s` is a monotonic time; nothing is decided after it.

    `only_at`: where the stream has to stand, or what the record has to be that the command is about: one of these is
    enough, and without any there is no condition; else it is refused (`precondition_failed`).
    """

    stream: str
    op_id: str
    command: Command
    principal: Principal
    digest: bytes
    deadline_s: float
    base: int | None = None
    origin: Origin | None = None
    only_at: tuple[EntityTag, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@value(frozen=True, slots=True)
class Accepted:
    """The command is in the log, at `cursor`. A retry gets the same."""

    cursor: Cursor
    at: str
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What a look at the state saw, and at which durable point.

    `halted`: the log goes on beyond the point, and what stands there cannot be folded. What was seen is incomplete.
    """

    value: T
    cursor: Cursor
    halted: bool = False


Outcome = Accepted | Rejection
