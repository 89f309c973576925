"""What others have done since an entry with the things it touched: why it may not be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from actors.field_changes import VALUE_CHARACTERS_MAX, Change, newest_by_others, shown, who_and_when
from actors.project.dependents import dependents
from actors.project.edited_fields import DELETION, PRESENCE, edited_by
from actors.project.past_entries import PastEntry
from actors.project.state import ProjectState
from protocol.comments import CommentDeleted, CommentRestored
from protocol.custom_fields import FieldRemoved
from protocol.errors import ErrorCode, Rejection
from protocol.links import LinkRemoved
from protocol.messages import ProjectEvent
from protocol.milestones import MilestoneDeleted
from protocol.tasks import TaskDeleted, TaskEdited, TaskRestored

NAMED_MAX: Final = 20
"""A refusal names so many fields, and so many dependents. `more` says that there are others."""


def refuse_changed(state: ProjectState, entry: PastEntry) -> Rejection | None:
    """None while everything that the entry did is its author's to take back."""
    fields = list(islice(_changed(state, entry), NAMED_MAX + 1))
    hanging = list(islice(dependents(state, entry), NAMED_MAX + 1))
    if not fields and not hanging:
        return None
    details: dict[str, Any] = {
        "reason": "changed_by_others",
        "opId": entry.op_id,
        "seq": entry.seq,
        "fields": fields[:NAMED_MAX],
        "dependents": hanging[:NAMED_MAX],
    }
    if max(len(fields), len(hanging)) > NAMED_MAX:
        details["more"] = True
    changed = (one["what"] if one["field"] == PRESENCE else one["field"] for one in fields)
    names = dict.fromkeys([*changed, *(one["what"] for one in hanging)])
    return Rejection(ErrorCode.CONFLICT, f"others have changed it since: {', '.join(names)}", details)


def _changed(state: ProjectState, entry: PastEntry) -> Iterator[dict[str, Any]]:
    """The single-valued fields. One that stands again as before the entry is not taken back, so none of them."""
    for event in entry.events:
        for record, field, before, yours in _set_by(event):
            what, _, record_id = record.partition("/")
            change = _newest(state, entry, record, field)
            is_gone = field != PRESENCE and not _record(state, what, record_id)
            if change is None or change.seq <= entry.seq or is_gone:
                continue  # of what is gone the inverse says so
            current = _value(state, what, record_id, field)
            if current != before or (field == "rank" and _stands_elsewhere(state, event)):
                values = shown({"before": before, "yours": yours, "current": current}, VALUE_CHARACTERS_MAX)
                yield {"what": what, "id": record_id, "field": field, **values, **who_and_when(change)}


def _stands_elsewhere(state: ProjectState, event: ProjectEvent) -> bool:
    """Equal ranks mean nothing in different states."""
    if not isinstance(event, TaskEdited) or "stateId" not in event.was:
        return False
    return state.tasks[event.task_id]["stateId"] != event.was["stateId"]


def _newest(state: ProjectState, entry: PastEntry, record: str, field: str) -> Change | None:
    """By others; who brings back a record that was gone has set all of its fields.

    What brings a record back sets them all too, so each change of it by others while it was back counts.
    """
    names = [(record, field), (record, PRESENCE)] if field != PRESENCE else _all_of(state, record)
    found = [newest_by_others(state.changes, one, name, entry.author) for one, name in names]
    return max((change for change in found if change is not None), key=lambda change: change.seq, default=None)


def _all_of(state: ProjectState, record: str) -> list[tuple[str, str]]:
    """What is noted of a record, whether it is there or not; of a field also the values that tasks had of it."""
    what, _, record_id = record.partition("/")
    holders = state.tasks if what == "field" else ()
    values = [(f"task/{task_id}", f"fields.{record_id}") for task_id in holders]
    return [*((record, name) for name in state.changes.get(record, ())), *values]


def _set_by(event: ProjectEvent) -> Iterable[tuple[str, str, Any, Any]]:
    """Record, field, and its values before and after the event."""
    match event:
        case TaskDeleted() | TaskRestored():
            is_deleted = isinstance(event, TaskDeleted)
            return [(f"task/{event.task_id}", DELETION, not is_deleted, is_deleted)]
        case CommentDeleted() | CommentRestored():
            is_deleted = isinstance(event, CommentDeleted)
            return [(f"comment/{event.comment_id}", DELETION, not is_deleted, is_deleted)]
        case LinkRemoved():
            return [(f"link/{event.link_id}", PRESENCE, True, False)]
        case MilestoneDeleted():
            return [(f"milestone/{event.milestone_id}", PRESENCE, True, False)]
        case FieldRemoved():
            return [(f"field/{event.field_id}", PRESENCE, True, False)]
        case _:
            edited = edited_by(event)
            if edited is None:
                return ()
            return [(edited.record, name, edited.was[name], edited.changes[name]) for name in edited.changes]


def _value(state: ProjectState, what: str, record_id: str, field: str) -> Any:
    """The field's value now; of a deletion, whether it is deleted; of its presence, whether it is there."""
    record = _record(state, what, record_id)
    if field == PRESENCE:
        return bool(record)
    if field == DELETION:
        return record.get(DELETION) is not None
    if field.startswith("fields."):
        return record.get("fields", {}).get(field.removeprefix("fields."))
    return record.get(field)


def _record(state: ProjectState, what: str, record_id: str) -> dict[str, Any]:
    collections: dict[str, Any] = {
        "task": state.tasks,
        "comment": state.comments,
        "milestone": state.milestones,
        "field": state.fields,
        "link": state.links,
        "project": {"": state.project},
    }
    found: dict[str, Any] | None = collections[what].get(record_id)
    return found if found is not None else {}


def is_theirs(state: ProjectState, record: str, name: str, entry: PastEntry) -> bool:
    """Whether others have added or removed this item of a set since the entry: then it is left as they left it."""
    change = newest_by_others(state.changes, record, name, entry.author)
    return change is not None and change.seq > entry.seq
