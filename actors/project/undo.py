"""Undo and redo: what a command did is taken back by events like those of any other command.

Facts: `undone`, the entry of the command that is meant; for a redo also `undoing`, the entry that took it back;
`lostValues`, what tasks held of a field that the entry removed; `statesThen`, the states in which it moved tasks whose
state was set since; `carriersThen`, who had the recurrence of a series before the entry (see `carriers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from actors.project.carriers import keep_series
from actors.project.dating import date_content
from actors.project.drafts import draft_of
from actors.project.event_permissions import refuse_events
from actors.project.inverses import MARKERS, UNDOABLE, take_back, untouched
from actors.project.later_changes import refuse_changed
from actors.project.limits import ProjectLimits
from actors.project.past_entries import PastEntry, kinds_of, past_entry
from actors.project.permissions import broken, deleted, missing, no_project, refusal
from actors.project.projects import Outcome, archived, is_archived
from actors.project.reversal import Reversal
from actors.project.state import ProjectState
from actors.project.undone import Undoing
from actors.runtime.actor import Context
from protocol.base import Uuid
from protocol.errors import ErrorCode, Rejection
from protocol.messages import ProjectEvent
from protocol.milestones import MilestoneDeleted
from protocol.projects import ProjectEdited
from protocol.tasks import TaskCreated, TaskEdited, TaskRecurred, TaskRestored
from protocol.undo import CommandRedone, CommandUndone, RedoCommand, UndoCommand

_MARKER_KINDS: Final = frozenset(marker.kind for marker in MARKERS)


def decide_undo(state: ProjectState, command: UndoCommand, context: Context, limits: ProjectLimits) -> Outcome:
    """The closed list of what can be undone is that of `inverses`."""
    meant = _meant(state, command.op_id, context)
    if isinstance(meant, Rejection):
        return meant
    undoing = state.undone.get(command.op_id)
    if undoing is not None:
        return _already_undone(undoing)
    marker = CommandUndone(op_id=meant.op_id, seq=meant.seq)
    return _take_back(state, meant, meant, marker, context, limits)


def decide_redo(state: ProjectState, command: RedoCommand, context: Context, limits: ProjectLimits) -> Outcome:
    """To redo a command is to take back the entry that undid it."""
    meant = _meant(state, command.op_id, context)
    if isinstance(meant, Rejection):
        return meant
    undoing = state.undone.get(command.op_id)
    if undoing is None:
        return broken("not_undone", "the command is not undone")
    fact = context.facts.get("undoing")
    if fact is None or fact["opId"] != undoing.op_id:
        details = {"reason": "undone_anew", "seq": undoing.seq}
        return Rejection(ErrorCode.CONFLICT, "the command was undone again meanwhile; try again", details)
    marker = CommandRedone(op_id=meant.op_id, seq=meant.seq)
    return _take_back(state, past_entry(fact), meant, marker, context, limits)


def _meant(state: ProjectState, op_id: Uuid, context: Context) -> PastEntry | Rejection:
    """The entry of the command, if it is the sender's own and one that can be undone."""
    refused = refusal(state, context.principal, "project.view")
    if refused is not None or state.project is None:
        return refused or no_project()
    if state.project["deletedAt"] is not None:
        return deleted()
    if context.origin is not None:
        return broken("not_importable", "this command cannot carry an origin")
    fact: Any = context.facts.get("undone")
    if fact is None or fact["opId"] != op_id:
        return missing("command")
    if fact["author"] != context.principal.id:
        details = {"reason": "not_your_command", "author": fact["author"]}
        return Rejection(ErrorCode.FORBIDDEN, "only who sent a command can undo it", details)
    kinds = kinds_of(fact)
    if kinds & _MARKER_KINDS:
        return broken("not_undoable", "this was an undo or a redo; name the command that it was about")
    if kinds - UNDOABLE:
        return broken("not_undoable", f"this cannot be undone: {', '.join(sorted(kinds - UNDOABLE))}")
    return past_entry(fact)


def _already_undone(undoing: Undoing) -> Rejection:
    details = {"reason": "already_undone", "seq": undoing.seq, "opId": undoing.op_id}
    return Rejection(ErrorCode.RULE_BROKEN, "the command is undone already", details)


def _take_back(
    state: ProjectState,
    entry: PastEntry,
    meant: PastEntry,
    marker: CommandUndone | CommandRedone,
    context: Context,
    limits: ProjectLimits,
) -> Outcome:
    """Takes the entry back. The permission is that of the command that is meant, in both directions."""
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    refused = (
        refuse_events(state, context.principal, _commanded(meant))
        or (archived() if is_archived(state) and not _is_about_status(entry) else None)
        or refuse_changed(state, entry)
    )
    if refused is not None:
        return refused
    draft, is_redo = draft_of(state, untouched(entry.events)), isinstance(marker, CommandRedone)
    past: list[Any] = [context.facts.get(name, {}) for name in ("lostValues", "statesThen", "carriersThen")]
    reversal = Reversal(draft, entry, dating, context, limits, is_redo, *past)
    made = take_back(reversal)
    events = made if isinstance(made, Rejection) else keep_series(state, reversal, made)
    if isinstance(events, Rejection):
        return events
    if not events:
        return broken("nothing_to_undo", "nothing is left of what the command did")
    return dating.decision([marker, *events])


def _commanded(entry: PastEntry) -> Sequence[ProjectEvent]:
    """What needs the sender's permission: not what the server put beside it in the entry by itself.

    That is the place of a restored task whose own was gone, the next of a task that comes again, and that tasks leave a
    milestone which is deleted.
    """
    match entry.events:
        case [TaskRestored(task_id=task_id) as restored, TaskEdited(task_id=edited)] if edited == task_id:
            return [restored]
        case [*tasks, MilestoneDeleted() as deletion] if all(isinstance(event, TaskEdited) for event in tasks):
            return [deletion]
    coming = {event.next_task_id for event in entry.events if isinstance(event, TaskRecurred)}
    return [event for event in entry.events if not (isinstance(event, TaskCreated) and event.task["id"] in coming)]


def _is_about_status(entry: PastEntry) -> bool:
    """What is done to an archived project is the way out of the archive, or nothing."""
    changes = [event for event in entry.events if type(event) not in MARKERS]
    return all(isinstance(event, ProjectEdited) and "status" in event.changes for event in changes)
