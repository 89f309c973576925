"""Undo and redo in an actor's life: what the edge would find in the log, found in the life's own entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.project.carriers import carriers_of, series_to_ask
from actors.project.differences import is_back
from actors.runtime.actor import Decision, meta_of
from actors.runtime.publication import publication_of
from protocol.errors import Rejection
from protocol.event import Command, Principal
from protocol.log import Entry
from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from protocol.undo import RedoCommand, UndoCommand
from server.past_points import COLLECTIONS
from tests.actors.given import FACTS, MEMBER, NOW, Life, a_task, events_of


def facts_of(life: Life, command: Command) -> Mapping[str, Any]:
    """The facts of any command; those of an undo come from the log, and so do those of the way back."""
    if isinstance(command, RestoreTaskTo | RestoreProjectTo):
        return _then(life, command)
    if not isinstance(command, UndoCommand | RedoCommand):
        return FACTS
    undoing = life.state.undone.get(command.op_id)
    undone = _entry(life, command.op_id)
    by = _entry(life, undoing.op_id) if undoing is not None else None
    facts: dict[str, Any] = {
        name: publication_of(entry).wire() for name, entry in (("undone", undone), ("undoing", by)) if entry is not None
    }
    taken_back = by if isinstance(command, RedoCommand) else undone
    if taken_back is not None:
        facts |= _before(life, taken_back)
    return facts


def _entry(life: Life, op_id: str) -> Entry | None:
    return next((entry for entry in life.entries if entry.op_id == op_id), None)


def _before(life: Life, entry: Entry) -> dict[str, Any]:
    events = [event for event in life.events_json(entry) if event["kind"] in {"FieldRemoved", "TaskEdited"}]
    removed = [event["data"]["fieldId"] for event in events if event["kind"] == "FieldRemoved"]
    edits = [event["data"] for event in events if event["kind"] == "TaskEdited"]
    series = series_to_ask(life.state, life.events_json(entry))
    moved = [edit["taskId"] for edit in edits if "rank" in edit["changes"] and "stateId" not in edit["changes"]]
    changes = {one: life.state.changes.get(f"task/{one}", {}).get("stateId") for one in moved}
    restated = [one for one, change in changes.items() if change is not None and change.seq > entry.seq]
    if not removed and not restated and not series:
        return {}
    then = state_before(life, entry.seq)
    tasks = then.tasks
    lost = {
        field_id: {task_id: task["fields"][field_id] for task_id, task in tasks.items() if field_id in task["fields"]}
        for field_id in removed
    }
    states = {task_id: tasks[task_id]["stateId"] for task_id in restated}
    return {"lostValues": lost, "statesThen": states, "carriersThen": carriers_of(then, series)}


def state_before(life: Life, seq: int) -> Any:
    """The state that the entries before this one lead to."""
    state = life.actor.initial(life.stream)
    for entry in life.entries[: seq - 1]:
        for event in events_of(entry):
            life.actor.evolve(state, event, meta_of(entry))
    return state


def _then(life: Life, command: RestoreTaskTo | RestoreProjectTo) -> dict[str, Any]:
    seq = command.as_of if isinstance(command.as_of, int) else _seq_at(life, command.as_of)
    if not 1 <= seq <= len(life.entries):
        return {}
    past, now = state_before(life, seq + 1), life.state
    orders = {state_id: [task_id for _, task_id in cards] for state_id, cards in past.cards.items()}
    if isinstance(command, RestoreTaskTo):
        links = [one for one in past.links.values() if command.task_id in (one["taskId"], one["otherId"])]
        return {"then": {"seq": seq, "task": past.tasks.get(command.task_id), "links": links, "orders": orders}}
    then = {name: _different(name, getattr(past, name), getattr(now, name)) for name in COLLECTIONS}
    return {"then": {"seq": seq, "comparedAt": newest(life), **then, "project": past.project, "orders": orders}}


def _seq_at(life: Life, at: str) -> int:
    kinds = life.actor.content_events
    late = (entry for entry in life.entries if entry.at > at and any(event.kind in kinds for event in events_of(entry)))
    end = next((entry.seq for entry in late), len(life.entries) + 1)
    return max((entry.seq for entry in life.entries[: end - 1] if entry.at <= at), default=0)


def _different(name: str, past: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    return {one: past.get(one) for one in {**past, **now} if not is_back(name, past.get(one), now.get(one))}


def restore(
    life: Life, command: RestoreTaskTo | RestoreProjectTo, by: Principal, now: str = NOW
) -> Decision[Any] | Rejection:
    """Sends it with what the edge would have found."""
    return life.send(command, by, now=now, facts=facts_of(life, command))


def undo(life: Life, seq: int, by: Principal, now: str = NOW) -> Decision[Any] | Rejection:
    """Undoes the command that made this entry."""
    command = UndoCommand(op_id=life.entries[seq - 1].op_id)
    return life.send(command, by, now=now, facts=facts_of(life, command))


def redo(life: Life, seq: int, by: Principal, now: str = NOW) -> Decision[Any] | Rejection:
    """Redoes the command that made this entry."""
    command = RedoCommand(op_id=life.entries[seq - 1].op_id)
    return life.send(command, by, now=now, facts=facts_of(life, command))


def given(*commands: Command, by: Principal = MEMBER) -> Life:
    """A task, and what was done to it; the last command is the newest entry."""
    life = a_task()
    life.given(*((by, command) for command in commands))
    return life


def newest(life: Life) -> int:
    """The seq of the newest entry."""
    return len(life.entries)


def seen(life: Life) -> dict[str, Any]:
    """What people see, without the times at which things happened and without the histories of comments."""
    state = life.state
    records = {"tasks": state.tasks, "links": state.links, "milestones": state.milestones, "fields": state.fields}
    found: dict[str, Any] = {name: {key: _timeless(one) for key, one in own.items()} for name, own in records.items()}
    found["comments"] = {key: _timeless(one) for key, one in state.comments.items()}
    found["project"] = _timeless(state.project)
    return found


def _timeless(record: Any) -> dict[str, Any]:
    times = {"updatedAt", "closedAt", "edits", "deletedBy"}
    sets = {"labels", "assigneeIds", "watcherIds"}
    told = {name: sorted(value) if name in sets else value for name, value in record.items() if name not in times}
    if "reactions" in told:
        told["reactions"] = sorted((one["emoji"], sorted(one["userIds"])) for one in told["reactions"])
    return {**told, "deletedAt": record["deletedAt"] is not None} if "deletedAt" in told else told
