"""What a command with a base may not set, found by reading the log once more and without a line of the product."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgpack

from protocol.event import Event
from protocol.log import Entry
from protocol.messages import event_json

_IDS = {
    "TaskEdited": "taskId",
    "RoleEdited": "roleId",
    "MemberRoleChanged": "userId",
    "CommentEdited": "commentId",
    "ProjectEdited": None,
    "ProfileEdited": None,
}


def _set_by(kind: str, data: Any) -> tuple[str | None, set[str]]:
    """The record's id and the fields that an event sets."""
    id_field = _IDS[kind]
    fields = set(data["changes"]) if "changes" in data else {"body"} if kind == "CommentEdited" else {"role"}
    return (data[id_field] if id_field else None), fields


def _events(entries: Sequence[Entry]) -> Iterator[tuple[int, Any]]:
    for entry in entries:
        for event in msgpack.unpackb(entry.payload)["events"]:
            yield entry.seq, event


def stale_fields(entries: Sequence[Entry], wished: Sequence[Event], base: int) -> set[str]:
    """The fields that these events would set though they were changed after the base."""
    stale: set[str] = set()
    for event in map(event_json, wished):
        if event["kind"] not in _IDS:
            continue
        record, fields = _set_by(event["kind"], event["data"])
        if "stateId" in fields:
            fields.discard("rank")
        for seq, other in _events(entries):
            if seq > base and other["kind"] == event["kind"]:
                other_record, changed = _set_by(other["kind"], other["data"])
                stale |= fields & changed if record == other_record else set()
    return stale
