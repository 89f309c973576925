"""Tries for `doctor` whether entries can be read: the newest ones, and every one that a consumer comes to next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncpg

from protocol.log import SHARDS
from protocol.messages import UnreadableEvent, decode_event, unpack_payload
from server.finding import Finding

if TYPE_CHECKING:
    from typing import TypeAlias

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

TRIED_PER_SHARD: Final = 50
"""So many of the newest entries of each shard are read and decoded."""
NAMED_MAX: Final = 5
_MEANING: Final[Mapping[str, str]] = {
    "projector": "lists leave out the projects of that shard",
    "timekeeper": "timers that are set after it do not fire",
    "notifier": "nobody is told of what happened after it",
}
"""Consumer → what its standing still does."""
REPAIR: Final = (
    "start the build that wrote it, or put its row in the table entries back from a backup; then start the server again"
)

_NEWEST: Final = "SELECT stream, seq, payload FROM entries WHERE shard_id = $1 ORDER BY pos DESC LIMIT $2"
# At most one entry per consumer and shard.
_NEXT: Final = """
SELECT c.name, c.shard_id, e.stream, e.seq, e.payload
  FROM consumers c JOIN entries e ON e.shard_id = c.shard_id AND e.pos = c.pos + 1 ORDER BY c.name, c.shard_id
"""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An entry that this build cannot read."""

    shard: int
    stream: str
    seq: int

    def __str__(self) -> str:
        return f"{self.stream}, entry {self.seq} (shard {self.shard})"


@dataclass(frozen=True, slots=True)
class Trial:
    """What was tried. `standing`: consumer → the entries that it stands before."""

    tried: int
    unreadable: Sequence[Unreadable]
    standing: Mapping[str, Sequence[Unreadable]]

    def finding(self) -> Finding:
        """Of the entries themselves."""
        words = f"the newest {TRIED_PER_SHARD} of each shard and the next of each consumer: {self.tried} tried"
        if not self.unreadable:
            return Finding("log: entries", f"{words}, all can be read")
        return Finding(
            "log: entries",
            f"{words}, {len(self.unreadable)} cannot be read",
            f"{named(self.unreadable)} cannot be read, so the stream takes no commands: {REPAIR}",
        )

    def advice(self, consumer: str) -> str | None:
        """What is to be said of a consumer that stands still; None when it does not."""
        before = self.standing.get(consumer)
        return stands(consumer, before) if before else None


def stands(consumer: str, before: Sequence[Unreadable]) -> str:
    """That a consumer stands still, what that does, and what to do."""
    what = _MEANING.get(consumer, "nothing that comes after has its effect")
    return f"it stands before {named(before)}, and {what} (the rest of the shard is concerned, too): {REPAIR}"


def named(entries: Sequence[Unreadable]) -> str:
    """The first few of them."""
    more = f" and {len(entries) - NAMED_MAX} more" if len(entries) > NAMED_MAX else ""
    return "; ".join(map(str, entries[:NAMED_MAX])) + more


async def try_payloads(connection: Connection) -> Trial:
    """Reads the newest entries shard by shard, and those that consumers come to next."""
    # Entries that were tried, and whether they can be read.
    tried: dict[Unreadable, bool] = {}
    standing: dict[str, list[Unreadable]] = {}
    for shard in range(SHARDS):
        for row in await connection.fetch(_NEWEST, shard, TRIED_PER_SHARD):
            tried[Unreadable(shard, row["stream"], row["seq"])] = _is_readable(row["payload"])
    for row in await connection.fetch(_NEXT):
        entry = Unreadable(row["shard_id"], row["stream"], row["seq"])
        tried[entry] = _is_readable(row["payload"])
        if not tried[entry]:
            standing.setdefault(row["name"], []).append(entry)
    return Trial(len(tried), [entry for entry, is_readable in tried.items() if not is_readable], standing)


def _is_readable(payload: bytes) -> bool:
    try:
        for event in unpack_payload(payload).events:
            decode_event(event)
    except UnreadableEvent:
        return False
    return True
