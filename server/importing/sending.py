"""Sending dated steps in their order, several at a time.

History has to arrive in the order of its time, so each step names the one before it (`afterOpId`): what is refused for
now (overloaded, unavailable …) is overtaken by none. Then nothing new is sent, everything in flight is awaited, and
sending begins anew at the first step that is not settled. A step keeps its opId, so whatever took effect already is
only answered again.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pantherahive_client import (
    Ack,
    Backoff,
    Client,
    ClientClosed,
    DeadlineExceeded,
    HiveError,
    RuleBroken,
    Sending,
    StreamHalted,
    TokenExpired,
    Unauthenticated,
    derived_id,
)
from server.importing.github_archive import Step

GO_ON = "run the same command again to go on, before anybody works in the project: what is there already is not doubled"

_NEW_PROJECT = "make another project and import into that with --project ID"

HOPELESS: Mapping[type[HiveError], str] = {
    Unauthenticated: f"get a token that is valid, then {GO_ON}",
    TokenExpired: f"get a new token, then {GO_ON}",
    StreamHalted: f"see what `pantherahive doctor` says; when the project takes commands again, {GO_ON}",
    ClientClosed: GO_ON,
}
"""After these no later step can succeed; with what to do then."""

HOPELESS_RULES: Mapping[str, str] = {
    "import_closed": f"history goes only into a project in which nobody has worked yet: {_NEW_PROJECT}",
    "project_deleted": f"restore the project, then {GO_ON}",
    "project_archived": f"set the project's status back, then {GO_ON}",
    "tasks_limit": f"the project is full: {_NEW_PROJECT}",
}
"""The same, for reasons of RuleBroken."""


def hopeless(error: HiveError) -> str | None:
    """What to do when no later step can succeed after this refusal; None when others can."""
    reason = error.details.get("reason") if isinstance(error, RuleBroken) else None
    by_kind = (advice for kind, advice in HOPELESS.items() if isinstance(error, kind))
    return next(by_kind, HOPELESS_RULES.get(str(reason)))


class Stopped(Exception):
    """The import cannot go on now. The text says why, `advice` what to do."""

    def __init__(self, text: str, advice: str = GO_ON) -> None:
        super().__init__(text)
        self.advice = advice


@dataclass(slots=True)
class Sent:
    """What became of the steps so far."""

    # Steps that have their final answer, whatever it was.
    settled: int = 0
    # Steps by kind that made a new entry, and that were in the log before this import.
    new: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    # Steps that were refused for good.
    refused: list[tuple[Step, HiveError]] = field(default_factory=list)
    # The last entry of an ack.
    last_seq: int = 0

    def reconcile(self, is_there: Callable[[Step, HiveError], bool]) -> None:
        """Steps that an import before this one brought, under another opId or as another user, are known."""
        refused, self.refused = self.refused, []
        for step, error in refused:
            if is_there(step, error):
                self.known[step.kind] += 1
            else:
                self.refused.append((step, error))


@dataclass(slots=True, eq=False)
class _Try:
    step: Step
    # Its latest sending; replaced when it has to be sent again.
    task: asyncio.Task[Ack]

    @property
    def is_accepted(self) -> bool:
        return self.task.done() and not self.task.cancelled() and self.task.exception() is None


class Sender:
    """Sends the steps of one import to one project."""

    def __init__(
        self,
        client: Client,
        project_id: str,
        *,
        head_seq: int,
        in_flight_max: int,
        patience_s: float,
        backoff: Backoff | None = None,
        progress: Callable[[int], None] = lambda settled: None,
        sent: Sent | None = None,
    ) -> None:
        self._client = client
        self._stream = f"project/{project_id}"
        self._head_seq = head_seq
        self._in_flight_max = in_flight_max
        self._patience_s = patience_s
        self._backoff = backoff if backoff is not None else Backoff(0.2, 5.0)
        self._progress = progress
        # The caller's, when it wants to know how far it came, however this ends.
        self.sent = sent if sent is not None else Sent()
        # Steps without a final answer, in order; the first one is looked at first.
        self._open: deque[_Try] = deque()
        # Refusals for now in a row, and since when nothing has moved.
        self._failures = 0
        self._stuck_since_s: float | None = None

    async def run(self, steps: Sequence[Step]) -> Sent:
        """Sends all. Raises Stopped when the patience is over or nothing more can succeed."""
        waiting = deque(steps)
        try:
            while waiting or self._open:
                while waiting and len(self._open) < self._in_flight_max:
                    step = waiting.popleft()
                    self._open.append(_Try(step, self._begin(step, _newest_undecided(self._open))))
                await self._settle_first()
        finally:
            await self._let_go()
        return self.sent

    def _begin(self, step: Step, after: Step | None) -> asyncio.Task[Ack]:
        """`after`: the step before it, unless that has its answer already."""
        sending: Sending = {
            "op_id": self._op_id(step),
            "origin": {"author": step.author, "at": step.at},
            "deadline_s": self._patience_s,
            "retry": False,
        }
        if after is not None:
            sending["after_op_id"] = self._op_id(after)
        return asyncio.create_task(self._client.command(self._stream, step.command, step.data, **sending))

    def _op_id(self, step: Step) -> str:
        """The same at every import by the same account, and nobody else can use it up."""
        return derived_id(self._client.user_id, step.id)

    async def _settle_first(self) -> None:
        first = self._open[0]
        try:
            ack = await first.task
        except DeadlineExceeded as error:
            raise Stopped(f"the server did not answer for {self._patience_s:g} s") from error
        except HiveError as error:
            if error.retryable:
                await self._start_over(error)
                return
            self._refuse(first.step, error)
        else:
            self._accept(first.step, ack)
        self._open.popleft()
        self._failures, self._stuck_since_s = 0, None
        self.sent.settled += 1
        self._progress(self.sent.settled)

    def _accept(self, step: Step, ack: Ack) -> None:
        counts = self.sent.new if ack.seq > self._head_seq else self.sent.known
        counts[step.kind] += 1
        self.sent.last_seq = max(self.sent.last_seq, ack.seq)

    def _refuse(self, step: Step, error: HiveError) -> None:
        self.sent.refused.append((step, error))
        advice = hopeless(error)
        if advice is not None:
            raise Stopped(f"{step.where} was refused, and so would be all others: {error}", advice) from error

    async def _start_over(self, error: HiveError) -> None:
        """The first open step was refused for now: wait for all others, then send again what was not accepted.

        Those that were refused for good, too: they were judged without this one before them.
        """
        now_s = time.monotonic()
        self._stuck_since_s = self._stuck_since_s if self._stuck_since_s is not None else now_s
        if now_s - self._stuck_since_s > self._patience_s:
            raise Stopped(f"the server has refused for {self._patience_s:g} s: {error}") from error
        await asyncio.wait([attempt.task for attempt in self._open])
        await asyncio.sleep(self._backoff.wait_s(self._failures, error.retry_after_s))
        self._failures += 1
        before: Step | None = None
        for attempt in self._open:
            if not attempt.is_accepted:
                attempt.task = self._begin(attempt.step, before)
                before = attempt.step

    async def _let_go(self) -> None:
        """Interrupted or stopped: whatever is still on its way is not waited for."""
        for attempt in self._open:
            attempt.task.cancel()
        if self._open:
            await asyncio.wait([attempt.task for attempt in self._open])
        for attempt in self._open:
            if not attempt.task.cancelled():
                attempt.task.exception()  # it is answered again when the import is repeated


def _newest_undecided(tries: Sequence[_Try]) -> Step | None:
    """The last step that is not known to be in the log: whatever comes now comes after it."""
    return next((attempt.step for attempt in reversed(tries) if not attempt.is_accepted), None)
