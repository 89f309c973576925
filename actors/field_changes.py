"""Who changed which field last, and what a command may still set that was written at an older point.

A command may carry `base`, the newest entry that its sender had seen. It is refused only where it would set a field
that was changed after that, by whomever, to something else. Sets (labels, assignees) are added to and taken from, so
they never meet; a field that has the wished value already is not set, so it does not either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from actors.runtime.actor import EntryMeta
from protocol.errors import ErrorCode, Rejection

VALUE_CHARACTERS_MAX: Final = 1000
"""A refusal shows so much of a text; the sender has its own, and the current one can be read."""


class Change(NamedTuple):
    """The entry that changed a field last; `other` is the newest change by anybody else than its author."""

    seq: int
    author: str
    at: str
    other: Change | None = None


Changes: TypeAlias = dict[str, dict[str, Change]]
"""Record (`<what>/<id>`) → field → its last change. Creation is none. As many as there are edited fields, and as many
as there were ever members of set fields; those of records that are gone stay, for what may come back."""


class Edited(NamedTuple):
    """What an event does to the fields of one record."""

    record: str
    changes: Mapping[str, Any]
    was: Mapping[str, Any]


def note(known: Changes, edited: Edited, meta: EntryMeta) -> None:
    """Remembers the entry for each field. The inner dictionaries are replaced, never changed."""
    if not edited.changes:
        return
    fields = known.get(edited.record, {})
    known[edited.record] = {**fields, **{name: _after(fields.get(name), meta) for name in edited.changes}}


def _after(last: Change | None, meta: EntryMeta) -> Change:
    """Two are kept, so that it can be told for everybody what others changed last."""
    if last is not None:
        last = last.other if last.author == meta.author else last._replace(other=None)
    return Change(meta.seq, meta.author, meta.at, last)


def newest_by_others(known: Changes, record: str, field: str, author: str) -> Change | None:
    """The newest change of the field by anybody but the author."""
    last = known.get(record, {}).get(field)
    return last.other if last is not None and last.author == author else last


def end_record(known: Changes, record: str, presence: str, meta: EntryMeta) -> None:
    """The record is gone: where the field `presence` was noted, it says now who took it away.

    Its other fields stay noted. Who brings it back as it was has not written what others wrote in it.
    """
    fields = known.get(record, {})
    if presence in fields:
        known[record] = {**fields, presence: _after(fields[presence], meta)}


def begin_record(known: Changes, record: str, presence: str, made_at: str, meta: EntryMeta) -> bool:
    """A record made at that time is there now. True: it is another one than had the id before, and begins anew.

    One that comes back was made earlier. Within one millisecond they cannot be told apart, and it counts as come back.
    """
    fields = known.get(record, {})
    if presence not in fields or made_at != meta.at or fields[presence].at == meta.at:
        return False
    known[record] = {presence: fields[presence]}
    return True


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
    values = {"yours": edited.changes[field], "current": edited.was[field]}
    return {"what": what, "id": record_id, "field": field, **shown(values, characters_max), **who_and_when(change)}


def who_and_when(change: Change) -> dict[str, Any]:
    """The change as a refusal names it."""
    return {"seq": change.seq, "author": change.author, "at": change.at}


def shown(values: Mapping[str, Any], characters_max: int) -> dict[str, Any]:
    """The values as a refusal shows them: long texts are cut, and then it says so."""
    cut = {name: value[:characters_max] if isinstance(value, str) else value for name, value in values.items()}
    return cut if cut == values else {**cut, "shortened": True}


def packed(known: Changes) -> Iterator[dict[str, Any]]:
    """As records for a snapshot. What they hold is copied now, each record is made when it is asked for."""
    return ({"record": record, "fields": fields} for record, fields in list(known.items()))


def unpack(known: Changes, records: Iterable[Mapping[str, Any]]) -> None:
    """Takes in what `packed` made."""
    for record in records:
        known[record["record"]] = {field: _unpacked(change) for field, change in record["fields"].items()}


def _unpacked(change: Sequence[Any]) -> Change:
    seq, author, at, other = change
    return Change(seq, author, at, Change(*other) if other is not None else None)
