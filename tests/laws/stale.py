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


def _set_by(kind: str, data: Any) -> tuple[tuple[str, str | None], set[str]]:
    """The record and the fields of it that an event sets."""
    what, id_field = _RECORDS[kind]
    record = what, (data[id_field] if id_field else None)
    if kind == "FieldValuesSet":
        return record, {f"fields.{field_id}" for field_id in data["values"]}
    if kind in _ONE_FIELD:
        return record, {_ONE_FIELD[kind]}
    return record, set(data["changes"])


def _events(entries: Sequence[Entry]) -> Iterator[tuple[int, Any]]:
    for entry in entries:
        for event in msgpack.unpackb(entry.payload)["events"]:
            yield entry.seq, event


def _changed(entries: Sequence[Entry], base: int) -> dict[tuple[str, str | None], set[str]]:
    """The fields of every record that were changed after the base; who has brought one back has not changed them."""
    changed: dict[tuple[str, str | None], set[str]] = {}
    for seq, event in _events(entries):
        kind, data = event["kind"], event["data"]
        if seq > base and kind in _RECORDS:
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
