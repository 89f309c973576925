"""What happened in a run, as its clients and followers saw it. Times are one process's monotonic seconds.

An operation is one wish of one client: one opId, sent as often as it takes. A following is one incarnation of a
follower: from a join to the loss of its connection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import orjson

from protocol.cursors import Cursor


class Accepted(NamedTuple):
    """An ack: the command is entry `seq` of its stream. `result` names what was made."""

    seq: int
    epoch: int
    at: str
    result: Mapping[str, Any]


class Rejected(NamedTuple):
    """A refusal that sending again does not change."""

    code: str


Answer = Accepted | Rejected


@dataclass(slots=True)
class Attempt:
    """One sending of an operation to one incarnation of the server (`generation`)."""

    generation: int
    sent_s: float
    # When anything was answered; None while nothing was, for ever when the connection was lost first.
    answered_s: float | None = None
    # None also when the server said to try again.
    answer: Answer | None = None


@dataclass(slots=True)
class Operation:
    """A client's wish. A client has at most one without an answer, so its operations stand in its order."""

    client: str
    op_id: str
    stream: str
    command: str
    # In the order of sending; later ones than the first answer are deliberate repetitions.
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def invoked_s(self) -> float:
        """When it was sent for the first time."""
        return self.attempts[0].sent_s

    @property
    def answers(self) -> list[Answer]:
        """Every answer that reached the client, in the order of the attempts."""
        return [attempt.answer for attempt in self.attempts if attempt.answer is not None]

    @property
    def outcome(self) -> Answer | None:
        """The first answer; None means that the outcome is unknown to the client."""
        answers = self.answers
        return answers[0] if answers else None

    @property
    def returned_s(self) -> float | None:
        """When the client knew the outcome."""
        known = [a.answered_s for a in self.attempts if a.answer is not None and a.answered_s is not None]
        return min(known, default=None)


class SeenEntry(NamedTuple):
    """An entry as a follower received it; `digest` stands for all of its bytes."""

    seq: int
    epoch: int
    op_id: str
    digest: bytes


@dataclass(slots=True)
class Following:
    """One incarnation of a follower: what it asked for, what it was promised, and what came."""

    follower: str
    stream: str
    asked: Cursor | None
    mode: Literal["resume", "snapshot", "reset"]
    cursor: Cursor
    reason: str | None = None
    # Parts of the state, for `snapshot` and `reset`; fewer than promised when the connection was lost among them.
    parts: list[Mapping[str, Any]] = field(default_factory=list)
    parts_promised: int = 0
    seen: list[SeenEntry] = field(default_factory=list)

    @property
    def has_state(self) -> bool:
        """Whether the whole state has come."""
        return self.mode != "resume" and len(self.parts) == self.parts_promised


@dataclass(slots=True)
class History:
    """A run. Both lists are in the order of beginning."""

    operations: list[Operation] = field(default_factory=list)
    followings: list[Following] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A row of the log. `wire` is the entry as followers have to receive it."""

    shard: int
    pos: int
    stream: str
    seq: int
    epoch: int
    op_id: str
    wire: Mapping[str, Any]


class Head(NamedTuple):
    """A shard: its last position, and the epoch of its last claim."""

    head: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Log:
    """The whole log as the database has it, and every shard."""

    entries: Sequence[LogEntry]
    heads: Mapping[int, Head]


def digest_of_entry(wire: Mapping[str, Any]) -> bytes:
    """16 bytes for an entry as it travels, whatever the order of its keys."""
    return hashlib.blake2b(orjson.dumps(wire, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def seen_entry(wire: Mapping[str, Any]) -> SeenEntry:
    """What is kept of an entry that came."""
    return SeenEntry(wire["seq"], wire["epoch"], wire["opId"], digest_of_entry(wire))
