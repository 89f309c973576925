"""The consumer that tells people of what concerns them: one command per notice of an entry, to the person's own actor.

The `opId` of each command derives from the entry, the person and the task, so that an entry that is handled again after
a crash, or by another node, tells nobody twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Generic, NamedTuple, TypeVar

import structlog

from actors.ports import Clock
from actors.runtime.request import Outcome, Request
from actors.runtime.router import Router
from protocol.errors import ErrorCode, Rejection
from protocol.event import SYSTEM
from protocol.faults import NotApplied
from protocol.log import Entry
from protocol.messages import content_of, digest_of
from protocol.notifications import Notify
from server.consumers.timekeeper import CheckpointStore
from server.streams import name_based_id
from storage.ports import DeadLetter, Move
from storage.projections.writer import Outrun

log = structlog.get_logger("pantherahive.notifier")

NOTIFIER: Final = "notifier"
"""The consumer's name in the table of checkpoints."""
COMMANDS_IN_FLIGHT_MAX: Final = 64

T = TypeVar("T")


def notification_op_id(source: str, seq: int, user_id: str, task_id: str | None = None) -> str:
    """The opId under which a person is told of an entry: the same however often it is tried, and by whom.

    `task_id` is left out for a person's first notice of the entry: in older logs there was no other, and its id stays.
    """
    of_task = () if task_id is None else (task_id,)
    return name_based_id("notify", source, str(seq), user_id, *of_task)


class NamedNotice(NamedTuple):
    """A notice of an entry, and the opId under which its person is told."""

    op_id: str
    notice: Mapping[str, Any]


def named_notices(entry: Entry) -> Iterator[NamedNotice]:
    """The entry's notices in their order. Raises UnreadableEvent."""
    begun: set[str] = set()
    for notice in content_of(entry).notices:
        user_id = notice["userId"]
        task_id = notice["taskId"] if user_id in begun else None
        begun.add(user_id)
        yield NamedNotice(notification_op_id(entry.stream, entry.seq, user_id, task_id), notice)


@dataclass(frozen=True, slots=True)
class Telling:
    """A command to a person's actor because of an entry."""

    entry: Entry
    user_id: str
    op_id: str
    command: Notify

    @property
    def stream(self) -> str:
        return f"user/{self.user_id}"


class Notifier(Generic[T]):
    """Fits `server.consumers.runner.Handler`."""

    def __init__(
        self, store: CheckpointStore[T], router: Router, clock: Clock, command_deadline_s: float, name: str = NOTIFIER
    ) -> None:
        self._store = store
        self._router = router
        self._clock = clock
        self._command_deadline_s = command_deadline_s
        self._name = name

    async def apply(self, moves: Mapping[int, Move], entries: Sequence[Entry]) -> bool:
        """Tells everybody, then moves the checkpoint; what was told twice is told once. See `Handler.apply`.

        A person whose stream is halted, or who cannot be told for good, gets a dead letter and holds nobody up.
        """
        letters = await self._tell(tellings(entries))
        try:
            async with self._store.transaction() as transaction:
                if not await self._store.advance(transaction, self._name, moves):
                    raise Outrun
                for letter in letters:
                    await self._store.bury(transaction, letter)
        except Outrun:
            return False
        return True

    async def _tell(self, all_of_them: Iterable[Telling]) -> list[DeadLetter]:
        """Raises NotApplied when somebody cannot be told right now: then all is tried again."""
        letters: list[DeadLetter] = []
        waiting = iter(all_of_them)
        while batch := list(islice(waiting, COMMANDS_IN_FLIGHT_MAX)):
            outcomes = await asyncio.gather(*(self._router.command(self._request(telling)) for telling in batch))
            for telling, outcome in zip(batch, outcomes, strict=True):
                if (letter := self._letter(telling, outcome)) is not None:
                    letters.append(letter)
        return letters

    def _letter(self, telling: Telling, outcome: Outcome) -> DeadLetter | None:
        if not isinstance(outcome, Rejection):
            return None
        if outcome.retryable and outcome.code is not ErrorCode.STREAM_HALTED:
            raise NotApplied(f"{telling.stream} cannot be told now: {outcome.message}")
        log.warning("a notification is undeliverable", stream=telling.stream, code=outcome.code.value)
        entry = telling.entry
        return DeadLetter(self._name, entry.shard, entry.pos, telling.stream, outcome.message, self._clock.now())

    def _request(self, telling: Telling) -> Request:
        return Request(
            stream=telling.stream,
            op_id=telling.op_id,
            command=telling.command,
            principal=SYSTEM,
            digest=digest_of(SYSTEM.id, telling.command, None, None),
            deadline_s=self._clock.monotonic_s() + self._command_deadline_s,
        )


def tellings(entries: Iterable[Entry]) -> Iterator[Telling]:
    """Whom these entries concern, in their order. Raises UnreadableEvent."""
    for entry in entries:
        kind, _, project_id = entry.stream.partition("/")
        if kind == "project":
            for op_id, notice in named_notices(entry):
                yield Telling(entry, notice["userId"], op_id, _command(entry, project_id, notice))


def _command(entry: Entry, project_id: str, notice: Mapping[str, Any]) -> Notify:
    return Notify(
        source={"stream": entry.stream, "seq": entry.seq},
        subject={"projectId": project_id, "taskId": notice["taskId"], "commentId": notice["commentId"]},
        reasons=notice["reasons"],
        actor_id=entry.author,
    )
