"""What decisions on undo and on the way back need from the log: entries, and what was there at a point of the past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from actors.ports import Clock, Journal
from actors.project.custom_fields import values_by_field
from actors.project.permissions import refusal
from actors.project.state import ProjectState
from actors.runtime.publication import publication_of
from actors.runtime.replay import ReplayFailed
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal
from protocol.log import Entry
from protocol.messages import EventJson, UnreadableEvent
from protocol.undo import RedoCommand, UndoCommand
from server.past_points import HALTED, PastPoints
from server.past_turns import PastTurns
from server.streams import Streams


def find_undoing(state: ProjectState, principal: Principal, op_id: str) -> str | Rejection | None:
    """A look: the opId of the undo that is in force, if there is one."""
    refused = refusal(state, principal, "project.view")
    if refused is not None:
        return refused
    undoing = state.undone.get(op_id)
    return undoing.op_id if undoing is not None else None


def find_restated(
    state: ProjectState, principal: Principal, task_ids: Iterable[str], seq: int
) -> Sequence[str] | Rejection:
    """A look: those of the tasks whose state was set after the entry, to whatever it is now."""
    refused = refusal(state, principal, "project.view")
    if refused is not None:
        return refused
    changes = ((task_id, state.changes.get(f"task/{task_id}", {}).get("stateId")) for task_id in task_ids)
    return [task_id for task_id, change in changes if change is not None and change.seq > seq]


@dataclass(frozen=True, slots=True)
class PastFacts:
    """Reads the log for those who may see the project."""

    streams: Streams
    journal: Journal
    past: PastTurns
    points: PastPoints

    @classmethod
    def make(cls, streams: Streams, journal: Journal, past: PastTurns, clock: Clock) -> Self:
        """With the way back to a point of the past."""
        return cls(streams, journal, past, PastPoints(streams, past, clock))

    async def of_undo(
        self, command: UndoCommand | RedoCommand, stream: str, principal: Principal
    ) -> Mapping[str, Any] | Rejection:
        """`undone`, `undoing`, `lostValues`, `statesThen`, as far as they are there. Raises NotApplied.

        The look waits until all that its sender sent before is durable, so the log has it. Nothing is read for those
        who may not see the project: its actor refuses them.
        """
        looked = await self.streams.read(stream, find_undoing, principal, command.op_id)
        if isinstance(looked, Rejection):
            return looked if looked.retryable or looked.code is ErrorCode.STREAM_HALTED else {}
        asked = {"undone": command.op_id, "undoing": looked.value}
        found = await self.journal.find_ops([(stream, op_id) for op_id in asked.values() if op_id is not None])
        entries = {name: entry for name, op_id in asked.items() if op_id and (entry := found.get((stream, op_id)))}
        try:
            facts: dict[str, Any] = {name: dict(publication_of(entry).wire()) for name, entry in entries.items()}
        except UnreadableEvent:
            return HALTED
        taken_back = entries.get("undoing" if isinstance(command, RedoCommand) else "undone")
        if taken_back is None:
            return facts
        events = next(fact["events"] for fact in facts.values() if fact["opId"] == taken_back.op_id)
        before = await self._before(taken_back, events, principal)
        return before if isinstance(before, Rejection) else {**facts, **before}

    async def _before(
        self, entry: Entry, events: Sequence[EventJson], principal: Principal
    ) -> Mapping[str, Any] | Rejection:
        """`lostValues` and `statesThen`, which the events do not name: they are those of the state before them."""
        removed = [event["data"]["fieldId"] for event in events if event["kind"] == "FieldRemoved"]
        moved: Sequence[str] = _moved_within(events)
        if moved:
            looked = await self.streams.read(entry.stream, find_restated, principal, moved, entry.seq)
            if isinstance(looked, Rejection):
                return looked if looked.retryable or looked.code is ErrorCode.STREAM_HALTED else {}
            moved = looked.value
        if not removed and not moved:
            return {}
        try:
            async with self.past.turn(principal.id) as history:
                found = await history.state_at(entry.stream, seq=entry.seq - 1)
        except Rejected as refused:
            return refused.rejection
        except ReplayFailed:
            return HALTED
        if found is None:
            return {}
        tasks = found[0].tasks
        states = {task_id: tasks[task_id]["stateId"] for task_id in moved if task_id in tasks}
        return {"lostValues": values_by_field(found[0], removed), "statesThen": states}


def _moved_within(events: Iterable[EventJson]) -> list[str]:
    """The tasks that got another rank within their state, which the events do not name."""
    edits = [event["data"] for event in events if event["kind"] == "TaskEdited"]
    return [edit["taskId"] for edit in edits if "rank" in edit["changes"] and "stateId" not in edit["changes"]]
