"""What decisions on undo and on the way back need from the log: entries, and what was there at a point of the past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from actors.ports import Clock, Journal
from actors.project.carriers import carriers_of, hands_back, series_to_ask
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


class Asked(NamedTuple):
    """What has to be known of the state before an entry, beside the values of fields that it removed."""

    # The tasks whose state is asked for.
    moved: Sequence[str]
    # The series of which it is asked who had the recurrence, by their first tasks.
    series: Sequence[str]


def find_asked(state: ProjectState, principal: Principal, events: Sequence[EventJson], seq: int) -> Asked | Rejection:
    """A look: of the tasks that the entry moved, those whose state was set after it, to whatever it is now."""
    refused = refusal(state, principal, "project.view")
    if refused is not None:
        return refused
    changes = ((task_id, state.changes.get(f"task/{task_id}", {}).get("stateId")) for task_id in _moved_within(events))
    restated = [task_id for task_id, change in changes if change is not None and change.seq > seq]
    return Asked(restated, series_to_ask(state, events))


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
        """`undone`, `undoing`, `lostValues`, `statesThen`, `carriersThen`, as far as they are there. Raises NotApplied.

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
        """What the events do not name of the state before them, as far as it is asked for."""
        removed = [event["data"]["fieldId"] for event in events if event["kind"] == "FieldRemoved"]
        asked = Asked((), ())
        if _moved_within(events) or hands_back(events):
            looked = await self.streams.read(entry.stream, find_asked, principal, events, entry.seq)
            if isinstance(looked, Rejection):
                return looked if looked.retryable or looked.code is ErrorCode.STREAM_HALTED else {}
            asked = looked.value
        if not removed and not asked.moved and not asked.series:
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
        then: ProjectState = found[0]
        return {
            "lostValues": values_by_field(then, removed),
            "statesThen": {one: then.tasks[one]["stateId"] for one in asked.moved if one in then.tasks},
            "carriersThen": carriers_of(then, asked.series),
        }


def _moved_within(events: Iterable[EventJson]) -> list[str]:
    """The tasks that got another rank within their state, which the events do not name."""
    edits = [event["data"] for event in events if event["kind"] == "TaskEdited"]
    return [edit["taskId"] for edit in edits if "rank" in edit["changes"] and "stateId" not in edit["changes"]]
