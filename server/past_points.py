"""What decisions on the way back to a point of the past need: what was there then, as far as it is different now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from actors.ports import Clock
from actors.project.permissions import refusal
from actors.project.restoration import links_of
from actors.project.state import ProjectState
from actors.runtime.replay import ReplayFailed, Slices
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.tasks import TaskView
from protocol.timetravel import AsOf, RestoreProjectTo, RestoreTaskTo
from server.streams import History, Streams

HALTED: Final = Rejection(ErrorCode.STREAM_HALTED, "the log of this project cannot be replayed; it is halted")
COLLECTIONS: Final = ("tasks", "links", "comments", "milestones", "fields")
AT_ONCE_MAX: Final = 2
"""Two whole states lie in memory for each."""
WAITING_MAX: Final = 8
SLICE_S: Final = 0.005
_BUSY: Final = Rejection(ErrorCode.OVERLOADED, "too many restorations at once", {"retryAfterS": 1})
_NOTHING: Final[Mapping[str, Any]] = {}

Records = Mapping[str, Mapping[str, Any]]
"""Id → record."""


def look_at(state: ProjectState, principal: Principal, whole: bool) -> dict[str, Records] | Rejection:
    """A look: whether the project may be seen, and where `whole` is wanted what it holds now."""
    refused = refusal(state, principal, "project.view")
    if refused is not None:
        return refused
    return {name: dict(getattr(state, name)) for name in COLLECTIONS} if whole else {}


@dataclass(slots=True)
class _Turns:
    """How many are at work and wait for it."""

    at_work: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE_MAX))
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class PastPoints:
    """Reads the past for those who may see the project, a bounded number of them at once."""

    streams: Streams
    history: History
    clock: Clock
    turns: _Turns = field(default_factory=_Turns)

    async def of_restoration(
        self, command: RestoreTaskTo | RestoreProjectTo, stream: str, principal: Principal
    ) -> Mapping[str, Any] | Rejection:
        """`then`, or nothing where there is no such point or its actor refuses anyway. Raises NotApplied."""
        if self.turns.waiting >= WAITING_MAX:
            return _BUSY
        self.turns.waiting += 1
        try:
            async with self.turns.at_work:
                return await self._of_restoration(command, stream, principal)
        finally:
            self.turns.waiting -= 1

    async def _of_restoration(
        self, command: RestoreTaskTo | RestoreProjectTo, stream: str, principal: Principal
    ) -> Mapping[str, Any] | Rejection:
        looked = await self.streams.read(stream, look_at, principal, isinstance(command, RestoreProjectTo))
        if isinstance(looked, Rejection):
            return looked if looked.retryable or looked.code is ErrorCode.STREAM_HALTED else _NOTHING
        try:
            found = await self.history.state_at(stream, **_point(command.as_of))
        except ReplayFailed:
            return HALTED
        if found is None:
            return _NOTHING
        past, cursor = found
        if isinstance(command, RestoreTaskTo):
            return {"then": {"seq": cursor.seq, **_task_then(past, command.task_id)}}
        return {"then": {"seq": cursor.seq, **await self._project_then(past, looked.value)}}

    async def _project_then(self, past: ProjectState, now: Mapping[str, Records]) -> dict[str, Any]:
        """What was different then. What changes after this look stays as it is changed."""
        slices, then = Slices(self.clock, SLICE_S), dict[str, Any]()
        for name in COLLECTIONS:
            records: Records = getattr(past, name)
            different: dict[str, Any] = {}
            for record_id in {**records, **now[name]}:
                record = records.get(record_id)
                if record != now[name].get(record_id):
                    different[record_id] = record
                await slices.pause_if_due()
            then[name] = different
        return {**then, "project": past.project, "orders": _orders(past, then["tasks"])}


def _point(as_of: AsOf) -> dict[str, Any]:
    return {"seq": as_of} if isinstance(as_of, int) else {"at": as_of}


def _task_then(past: ProjectState, task_id: str) -> dict[str, Any]:
    task = past.tasks.get(task_id)
    links = list(links_of(past, task_id).values())
    return {"task": task, "links": links, "orders": _orders(past, {task_id: task})}


def _orders(past: ProjectState, tasks: Mapping[str, TaskView | None]) -> dict[str, list[str]]:
    """The tasks of all states in which one of these was, as they stood there."""
    states = {task["stateId"] for task in tasks.values() if task is not None}
    return {state_id: [task_id for _, task_id in past.cards[state_id]] for state_id in sorted(states)}
