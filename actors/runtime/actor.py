"""What an actor is: pure, synchronous functions over one stream's state.

`decide` judges and never mutates; `evolve` is the only mutator and works in place. No I/O, clock, randomness or logging
happens inside: time and ids come with the context. Records inside a state are replaced, never changed, so that a
shallow copy of its collections is a consistent snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from protocol.errors import Rejection
from protocol.event import Command, Event, Origin, Principal
from protocol.log import Entry
from protocol.values import value

S = TypeVar("S")
C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)


@value(frozen=True, slots=True)
class Context:
    """All that a decision may know beside state and command. `facts` were fetched by the edge for this command."""

    now: str
    op_id: str
    principal: Principal
    new_id: Callable[[], str]
    origin: Origin | None = None
    base: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    # The newest entry that the state includes.
    seq: int = 0


@value(frozen=True, slots=True)
class Decision(Generic[E]):
    """An accepted command: its events, whose they are, and when they happened.

    `recorded_by` is the importer when the author is somebody else. No event at all is a valid decision: the command
    changed nothing, and its entry keeps a late retry from changing something after all.
    """

    events: Sequence[E]
    author: str
    at: str
    recorded_by: str | None = None


@value(frozen=True, slots=True)
class EntryMeta:
    """What `evolve` may know of the entry that an event stands in."""

    seq: int
    op_id: str
    author: str
    at: str
    recorded_at: str


@dataclass(frozen=True, slots=True)
class TimerChange:
    """Sets the stream's timer of that name, or clears it when `due_at` is None."""

    name: str
    due_at: str | None


@dataclass(frozen=True, slots=True)
class TimerWoken:
    """The timer of that name, if there is one, fires once more where it was refused: that may be over now."""

    name: str


@dataclass(frozen=True, slots=True)
class TimersWoken:
    """As `TimerWoken`, for all whose names begin with `prefix`."""

    prefix: str


@dataclass(frozen=True, slots=True)
class TimersCleared:
    """Clears all of the stream's timers: it has come to its end."""


TimerStep: TypeAlias = TimerChange | TimerWoken | TimersWoken | TimersCleared


class Actor(Protocol[S, C, E]):
    """One type of actor answers for one kind of stream."""

    @property
    def kind(self) -> str:
        """The part of a stream's name before the slash."""
        ...

    @property
    def schema_version(self) -> int:
        """Of the snapshot parts; a snapshot of another version is not used, the stream is replayed instead."""
        ...

    def initial(self, stream: str) -> S: ...

    def decide(self, state: S, command: C, context: Context) -> Decision[E] | Rejection: ...

    def evolve(self, state: S, event: E, meta: EntryMeta) -> None: ...

    def answer(self, events: Sequence[E]) -> dict[str, Any]:
        """The `result` of an accepted command, from its entry alone, so that a retry gets the same."""
        ...

    def notices(self, state: S, events: Sequence[E], author: str) -> Sequence[Mapping[str, Any]]:
        """Whom these events concern, judged once by the state that they led to; kept in the entry for a consumer."""
        ...

    def audience(self, state: S) -> frozenset[str] | None:
        """The users who may follow the stream now; None means everybody. The operator always may."""
        ...

    def changes_audience(self, event: E) -> bool: ...

    @property
    def exists_empty(self) -> bool:
        """Whether a stream of this kind is there before its first entry, to be followed by its audience."""
        ...

    @property
    def shows_presence(self) -> bool:
        """Whether followers are told of each other. Not where everybody may follow: visitors are nobody's business."""
        ...

    def subject(self, state: S, command: C) -> Mapping[str, Any] | None:
        """The one record that the command is about, as readers are shown it: a condition is judged by its tag."""
        ...

    @property
    def content_events(self) -> frozenset[str]:
        """The kinds of events that count for `asOf` a time (content does; creation and membership do not)."""
        ...

    def content_at(self, state: S) -> str:
        """The time of the newest content, "" while there is none."""
        ...

    def parts(self, state: S) -> Iterator[dict[str, Any]]:
        """The state as JSON objects of bounded size, to be merged by collection.

        The shallow copies are taken when `parts` is called, so the parts belong to one point however late they are
        consumed. Names that begin with `_` are for the actor alone: followers are not shown them.
        """
        ...

    def take_part(self, state: S, part: dict[str, Any]) -> None:
        """Adds the next part to a state that began as `initial`. Between two parts others have their turn."""
        ...

    def complete(self, state: S) -> None:
        """All parts are there."""
        ...

    @property
    def timer_events(self) -> frozenset[str]:
        """The kinds of events that `timers` has something to say about; entries without them are passed over."""
        ...

    def timers(self, kind: str, data: Mapping[str, Any], meta: EntryMeta) -> Sequence[TimerStep]:
        """What an event, as the log holds its newest form, does to the stream's timers."""
        ...

    def timer_command(self, name: str, due_at: str) -> C:
        """The command that a due timer sends to its own stream."""
        ...


def shown(parts: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The parts as followers get them."""
    for part in parts:
        visible = {name: value for name, value in part.items() if not name.startswith("_")}
        if visible:
            yield visible


AnyActor = Actor[Any, Any, Any]


def restored(actor: AnyActor, stream: str, parts: Iterable[dict[str, Any]]) -> Any:
    """The state from all of its parts, in one go."""
    state = actor.initial(stream)
    for part in parts:
        actor.take_part(state, part)
    actor.complete(state)
    return state


def meta_of(entry: Entry) -> EntryMeta:
    """The meta of a committed entry."""
    return EntryMeta(entry.seq, entry.op_id, entry.author, entry.at, entry.recorded_at)


def may_follow(audience: frozenset[str] | None, principal: Principal) -> bool:
    """Whether the principal may read the stream."""
    return audience is None or principal.is_operator or principal.id in audience
