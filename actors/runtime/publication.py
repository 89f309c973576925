"""A committed entry as it goes out to followers and consumers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from protocol.cursors import Cursor
from protocol.log import Entry
from protocol.messages import EventJson, unpack_payload
from protocol.wire import WireEntry

KEPT_PER_PAYLOAD_BYTE = 4
"""What a byte of the payload costs to keep, roughly: itself, and its decoded and its encoded form."""


@dataclass(slots=True)
class Publication:
    """`audience` is set by entries that change who may follow: from here on only these users (and the operator) do."""

    entry: Entry
    events: list[EventJson]
    recorded_by: str | None
    changes_audience: bool = False
    audience: frozenset[str] | None = None
    # Parser name → this entry encoded for the wire; filled by the gateway on first use.
    encoded: dict[str, bytes] = field(default_factory=dict)

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.entry.seq, self.entry.epoch)

    @property
    def size_bytes(self) -> int:
        """What it costs to keep, roughly: the payload, its decoded form and its encoded one."""
        return 512 + KEPT_PER_PAYLOAD_BYTE * len(self.entry.payload)

    def wire(self) -> WireEntry:
        """The entry as followers see it."""
        entry = self.entry
        wire: WireEntry = {
            "seq": entry.seq,
            "epoch": entry.epoch,
            "opId": entry.op_id,
            "author": entry.author,
            "at": entry.at,
            "recordedAt": entry.recorded_at,
            "events": self.events,  # type: ignore[typeddict-item]
        }
        if self.recorded_by is not None:
            wire["recordedBy"] = self.recorded_by
        return wire


def publication_of(entry: Entry) -> Publication:
    """A publication read back from the log. Raises UnreadableEvent."""
    content = unpack_payload(entry.payload)
    return Publication(entry, content.events, content.recorded_by)


def wire_json(publications: list[Publication]) -> list[dict[str, Any]]:
    """Entries for a page or an export."""
    return [dict(publication.wire()) for publication in publications]
