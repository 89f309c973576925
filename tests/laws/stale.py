"""What a command with a base may not set, found by reading the log once more and without a line of the product."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgpack

from protocol.event import Event
from protocol.log import Entry
from protocol.messages import event_json

_RECORDS = {
    "TaskEdited": ("task", "taskId"),
    "FieldValuesSet": ("task", "taskId"),
    "TaskRecurred": ("task", "taskId"),
    "MilestoneEdited": ("milestone", "milestoneId"),
    "FieldEdited": ("field", "fieldId"),
    "RoleEdited": ("role", "roleId"),
    "MemberRoleChanged": ("member", "userId"),
    "CommentEdited": ("comment", "commentId"),
    "ProjectEdited": ("project", None),
    "ProfileEdited": ("profile", None),
}
"""Kind of event → what it sets fields of, and which of its fields says which one."""

_ONE_FIELD = {"CommentEdited": "body", "MemberRoleChanged": "role", "TaskRecurred": "recurrence"}

_MADE_OR_GONE = {
    "MilestoneCreated": ("milestone", True),
    "MilestoneDeleted": ("milestone", False),
    "FieldDefined": ("field", True),
    "FieldRemoved": ("field", False),
}
"""Kind of event → what it is about, and whether it makes it. Within one millisecond nothing is new."""


def _set_by(kind: str, data: Any) -> tuple[tuple[str, str | None], set[str]]:
    """The record and the fields of it that an event sets."""
    what, id_field = _RECORDS[kind]
    record = what, (data[id_field] if id_field else None)
    if kind == "FieldValuesSet":
        return record, {f"fields.{field_id}" for field_id in data["values"]}
    if kind in _ONE_FIELD:
        return record, {_ONE_FIELD[kind]}
    return record, set(data["changes"])


def _events(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Any]]:
    for entry in entries:
        for event in msgpack.unpackb(entry.payload)["events"]:
            yield entry, event


def _changed(entries: Sequence[Entry], base: int) -> dict[tuple[str, str | None], set[str]]:
    """The fields of every record that were changed after the base, and have not begun anew since."""
    changed: dict[tuple[str, str | None], set[str]] = {}
    came_and_went: dict[str, str] = {}
    for entry, event in _events(entries):
        seq, kind, data = entry.seq, event["kind"], event["data"]
        if kind in _MADE_OR_GONE:
            what, made = _MADE_OR_GONE[kind]
            record_id = data[what]["id"] if made else data[f"{what}Id"]
            before, came_and_went[record_id] = came_and_went.get(record_id), entry.at
            if made and data[what]["createdAt"] == entry.at and before not in (None, entry.at):
                changed.pop((what, record_id), None)
                for fields in changed.values():
                    fields.discard(f"fields.{record_id}")
        elif seq > base and kind in _RECORDS:
            record, fields = _set_by(kind, data)
            changed.setdefault(record, set()).update(fields)
    return changed


def stale_fields(entries: Sequence[Entry], wished: Sequence[Event], base: int) -> set[str]:
    """The fields that these events would set though they were changed after the base."""
    changed = _changed(entries, base)
    stale: set[str] = set()
    for event in map(event_json, wished):
        if event["kind"] not in _RECORDS or event["kind"] == "TaskRecurred":
            continue
        record, fields = _set_by(event["kind"], event["data"])
        if "stateId" in fields:
            fields.discard("rank")
        stale |= fields & changed.get(record, set())
    return stale
