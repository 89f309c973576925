"""Who changed which field last, and what a command may still set that was written at an older point.

A command may carry `base`, the newest entry that its sender had seen. It is refused only where it would set a field
that was changed after that, by whomever, to something else. Sets (labels, assignees) are added to and taken from, so
they never meet; a field that has the wished value already is not set, so it does not either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from actors.runtime.actor import EntryMeta
from protocol.errors import ErrorCode, Rejection

VALUE_CHARACTERS_MAX: Final = 1000
"""A refusal shows so much of a text; the sender has its own, and the current one can be read."""


class Change(NamedTuple):
    """The entry that changed a field last."""

    seq: int
    author: str
    at: str


Changes: TypeAlias = dict[str, dict[str, Change]]
"""Record (`<what>/<id>`) → field → its last change. Creation is none. As many as there are edited fields."""


class Edited(NamedTuple):
    """What an event does to the fields of one record."""

    record: str
    changes: Mapping[str, Any]
    was: Mapping[str, Any]


def note(known: Changes, edited: Edited, meta: EntryMeta) -> None:
    """Remembers the entry for each field. The inner dictionaries are replaced, never changed."""
    change = Change(meta.seq, meta.author, meta.at)
    known[edited.record] = {**known.get(edited.record, {}), **dict.fromkeys(edited.changes, change)}


def forget_record(known: Changes, record: str) -> None:
    """The record is gone; one that is made under its id later begins anew."""
    known.pop(record, None)


def forget_field(known: Changes, field: str) -> None:
    """No record has this field any longer."""
    for record, fields in known.items():
        if field in fields:
            known[record] = {name: change for name, change in fields.items() if name != field}


def refuse_stale(
    known: Changes, edits: Iterable[Edited], base: int, seq: int, characters_max: int = VALUE_CHARACTERS_MAX
) -> Rejection | None:
    """None when nothing that the edits set was changed after `base`; else what was, by whom, and both values.

    `seq` is the stream's newest entry: a base beyond it was never seen by anybody.
    """
    if base > seq:
        details = {"reason": "base_in_future", "field": "base", "seq": seq}
        return Rejection(ErrorCode.INVALID, "base: the stream has no such entry yet", details)
    fields = [
        _conflict(edited, field, change, characters_max)
        for edited in edits
        for field, change in known.get(edited.record, {}).items()
        if field in edited.changes and change.seq > base
    ]
    if not fields:
        return None
    details = {"reason": "changed_since_base", "base": base, "seq": seq, "fields": fields}
    names = ", ".join(field["field"] for field in fields)
    return Rejection(ErrorCode.CONFLICT, f"changed since {base}: {names}", details)


def _conflict(edited: Edited, field: str, change: Change, characters_max: int) -> dict[str, Any]:
    what, _, record_id = edited.record.partition("/")
    yours, current = edited.changes[field], edited.was[field]
    shown: dict[str, Any] = {
        "what": what,
        "id": record_id,
        "field": field,
        "yours": _shortened(yours, characters_max),
        "current": _shortened(current, characters_max),
        "seq": change.seq,
        "author": change.author,
        "at": change.at,
    }
    if (shown["yours"], shown["current"]) != (yours, current):
        shown["shortened"] = True
    return shown


def _shortened(value: Any, characters_max: int) -> Any:
    return value[:characters_max] if isinstance(value, str) else value


def packed(known: Changes) -> list[dict[str, Any]]:
    """As records for a snapshot."""
    return [{"record": record, "fields": fields} for record, fields in known.items()]


def unpack(known: Changes, records: Iterable[Mapping[str, Any]]) -> None:
    """Takes in what `packed` made."""
    for record in records:
        known[record["record"]] = {field: Change(*change) for field, change in record["fields"].items()}
