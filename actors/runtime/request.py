"""What goes into an actor and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from protocol.cursors import Cursor
from protocol.errors import Rejection
from protocol.event import Command, Origin, Principal
from protocol.tags import EntityTag
from protocol.values import value

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look:
    """What the sender wants to see of the state that its command leaves: `function(state, principal, *arguments)`.

    `made`: under which name the command's result has the id of what it made; that id is then the only argument.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    made: str | None = None

    def arguments_after(self, result: Mapping[str, Any]) -> tuple[Any, ...]:
        """The arguments, once the command has its result."""
        return self.arguments if self.made is None else (result[self.made],)


@value(frozen=True, slots=True)
class Request:
    """A command on its way to its stream. `deadline_s` is a monotonic time; nothing is decided after it.

    `only_at`: where the stream has to stand, or what the record has to be that the command is about: one of these is
    enough, and without any there is no condition; else it is refused (`precondition_failed`). `look` runs in the
    turn of the command, on the state right after its entry. `after_op_id`: that of the command that has to be
    decided before it.
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
    look: Look | None = None
    after_op_id: str | None = None


@value(frozen=True, slots=True)
class Accepted:
    """The command is in the log, at `cursor`. A retry gets the same, but for `shown`.

    `shown` is what the request's look saw, or the Rejection that it returned; None for a retry, for which the state has
    gone on, and without a look.
    """

    cursor: Cursor
    at: str
    result: dict[str, Any]
    shown: Any = None


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What a look at the state saw, and at which durable point.

    `halted`: the log goes on beyond the point, and what stands there cannot be folded. What was seen is incomplete.
    """

    value: T
    cursor: Cursor
    halted: bool = False


Outcome = Accepted | Rejection
