"""What decisions on the way back to a point of the past need: what was there then, as far as it is different now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from actors.ports import Clock
from actors.project.differences import is_back
from actors.project.permissions import refusal
from actors.project.restoration import links_of
from actors.project.state import ProjectState
from actors.runtime.replay import ReplayFailed, Slices
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal
from protocol.tasks import TaskView
from protocol.timetravel import AsOf, RestoreProjectTo, RestoreTaskTo
from server.past_turns import PastTurns
from server.streams import History, Streams

HALTED: Final = Rejection(ErrorCode.STREAM_HALTED, "the log of this project cannot be replayed; it is halted")
COLLECTIONS: Final = ("tasks", "links", "comments", "milestones", "fields")
SLICE_S: Final = 0.005
_NOTHING: Final[Mapping[str, Any]] = {}

Records = Mapping[str, Mapping[str, Any]]
"""Id → record."""


def look_at(state: ProjectState, principal: Principal, whole: bool) -> dict[str, Records] | Rejection:
    """A look: whether the project may be seen, and where `whole` is wanted what it holds now."""
    refused = refusal(state, principal, "project.view")
    if refused is not None:
        return refused
    return {name: dict(getattr(state, name)) for name in COLLECTIONS} if whole else {}


@dataclass(frozen=True, slots=True)
class PastPoints:
    """Reads the past for those who may see the project, when it is their turn."""

    streams: Streams
    past: PastTurns
    clock: Clock

    async def of_restoration(
        self, command: RestoreTaskTo | RestoreProjectTo, stream: str, principal: Principal
    ) -> Mapping[str, Any] | Rejection:
        """`then`, or nothing where there is no such point or its actor refuses anyway. Raises NotApplied."""
        looked = await self.streams.read(stream, look_at, principal, False)
        if isinstance(looked, Rejection):
            return _why_unseen(looked)
        try:
            async with self.past.turn(principal.id) as history:
                return await self._of_restoration(history, command, stream, principal)
        except Rejected as refused:
            return refused.rejection

    async def _of_restoration(
        self, history: History, command: RestoreTaskTo | RestoreProjectTo, stream: str, principal: Principal
    ) -> Mapping[str, Any] | Rejection:
        looked = await self.streams.read(stream, look_at, principal, isinstance(command, RestoreProjectTo))
        if isinstance(looked, Rejection):
            return _why_unseen(looked)
        try:
            found = await history.state_at(stream, **_point(command.as_of))
        except ReplayFailed:
            return HALTED
        if found is None:
            return _NOTHING
        past, cursor = found
        if isinstance(command, RestoreTaskTo):
            return {"then": {"seq": cursor.seq, **_task_then(past, command.task_id)}}
        different = await self._project_then(past, looked.value)
        return {"then": {"seq": cursor.seq, "comparedAt": looked.cursor.seq, **different}}

    async def _project_then(self, past: ProjectState, now: Mapping[str, Records]) -> dict[str, Any]:
        """What was different then. What changes after this look stays as it is changed."""
        slices, then = Slices(self.clock, SLICE_S), dict[str, Any]()
        for name in COLLECTIONS:
            records: Records = getattr(past, name)
            different: dict[str, Any] = {}
            for record_id in {**records, **now[name]}:
                record = records.get(record_id)
                if not is_back(name, record, now[name].get(record_id)):
                    different[record_id] = record
                await slices.pause_if_due()
            then[name] = different
        return {**then, "project": past.project, "orders": _orders(past, then["tasks"])}


def _why_unseen(refused: Rejection) -> Mapping[str, Any] | Rejection:
    """Its actor refuses the command anyway, and says why, where it can."""
    return refused if refused.retryable or refused.code is ErrorCode.STREAM_HALTED else _NOTHING


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
