"""The log's own vocabulary: entries, batches, shards, snapshots, sessions, timers.

Plain values that both sides of the ports share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zlib import crc32

from protocol.values import value

SHARDS: Final = 128
"""Fixed at the first start of a database: it decides where every stream lives."""


@lru_cache(maxsize=16_384)
def shard_of(stream: str) -> int:
    """The shard of a stream, the same on every node and in every version: CRC-32 of the name, modulo 128."""
    return crc32(stream.encode()) % SHARDS


class Content(NamedTuple):
    """What an entry's payload holds: its events in their newest form, the importer where the author is another, and
    whom it concerns."""

    events: list[dict[str, Any]]
    recorded_by: str | None
    notices: Sequence[Mapping[str, Any]]


@value(frozen=True, slots=True)
class NewEntry:
    """An accepted command on its way into the log. Its epoch and position are given by the append."""

    stream: str
    seq: int
    op_id: str
    digest: bytes
    payload: bytes
    author: str
    at: str
    recorded_at: str
    # What was packed into the payload, for those who get the entry from memory.
    content: Content | None = field(default=None, compare=False, repr=False)

    def committed(self, shard: int, epoch: int, pos: int) -> Entry:
        """The entry that the log has of it, once it is there."""
        return Entry(
            self.stream,
            self.seq,
            epoch,
            shard,
            pos,
            self.op_id,
            self.digest,
            self.payload,
            self.author,
            self.at,
            self.recorded_at,
            self.content,
        )


@value(frozen=True, slots=True)
class Entry:
    """A committed entry: `seq` is dense per stream, `pos` is dense per shard."""

    stream: str
    seq: int
    epoch: int
    shard: int
    pos: int
    op_id: str
    digest: bytes
    payload: bytes
    author: str
    at: str
    recorded_at: str
    # Not there when the entry was read from the log: `protocol.messages.content_of` asks the payload then.
    content: Content | None = field(default=None, compare=False, repr=False)


def is_cut(entries: Sequence[Entry], limit: int, bytes_max: int | None) -> bool:
    """Whether a read with these bounds may have ended before the log did: one of them was reached."""
    if len(entries) >= limit:
        return True
    return bytes_max is not None and sum(len(entry.payload) for entry in entries) >= bytes_max


class ShardFence(NamedTuple):
    """What a writer believes of a shard: the append happens only where all of it is still true."""

    shard: int
    epoch: int
    head: int


@value(frozen=True, slots=True)
class AppendBatch:
    """Entries of many streams for one statement. `entries[i]` belongs to shard `shard_of(entries[i].stream)`.

    Positions are numbered per shard from `fence.head + 1`, in the order of `entries`.
    """

    session: str
    fences: Sequence[ShardFence]
    entries: Sequence[NewEntry]


@value(frozen=True, slots=True)
class Appended:
    """What an append did. A shard of the batch that is missing in `heads` was lost: nothing of it was written.

    `refused` names streams that the isolating statement left out (a known or repeated opId, a missing predecessor);
    the others of their shard were written, and `heads` holds each shard's head afterwards.
    """

    heads: Mapping[int, int]
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stream's folded state as of `seq`. `at` is the newest content time in it ("" when there is no content yet)."""

    stream: str
    seq: int
    epoch: int
    at: str
    schema_version: int
    state: bytes


@dataclass(frozen=True, slots=True)
class LoadedStream:
    """What is needed to bring a stream to life; `complete` is False when more entries follow the tail."""

    snapshot: Snapshot | None
    tail: Sequence[Entry]
    complete: bool


@dataclass(frozen=True, slots=True)
class ShardRow:
    """A shard as the database has it. `owner_alive` says whether the owner's session still has a row."""

    shard: int
    epoch: int
    head: int
    owner: str | None
    owner_alive: bool


@dataclass(frozen=True, slots=True)
class ClaimedShard:
    """A shard that is ours from now on, under a new epoch."""

    shard: int
    epoch: int
    head: int


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node's session. Every beat changes `lease_until_us` (since 1970). Both are by the database's clock."""

    session: str
    node_id: str
    address: str
    lease_until_us: int
    lease_left_s: float


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer of a stream: when it is due, the stream gets the command that its actor has for that name.

    `seq` is that of the entry that set it, or woke it last. `has_rested`: it was refused, and nothing woke it in time.
    """

    stream: str
    name: str
    due_at: str
    seq: int
    has_rested: bool = False
