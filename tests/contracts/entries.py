"""Streams on chosen shards, entries and batches, said shortly."""

from collections.abc import Sequence
from functools import cache
from itertools import count
from uuid import NAMESPACE_OID, uuid5

from protocol.log import AppendBatch, ClaimedShard, NewEntry, ShardFence, shard_of

AT = "2026-01-31T12:00:00.000Z"
RECORDED_AT = "2026-01-31T12:00:00.125Z"


@cache
def stream_on(shard: int, number: int = 0) -> str:
    """The `number`th of a fixed row of streams that belong to the shard."""
    names = (f"project/{uuid5(NAMESPACE_OID, str(index))}" for index in count())
    fitting = (name for name in names if shard_of(name) == shard)
    for _ in range(number):
        next(fitting)
    return next(fitting)


def op(name: str) -> str:
    """An opId that follows from a name."""
    return str(uuid5(NAMESPACE_OID, f"op {name}"))


def entry(stream: str, seq: int, op_name: str | None = None, at: str = AT) -> NewEntry:
    """An entry whose contents follow from stream and seq."""
    return NewEntry(
        stream=stream,
        seq=seq,
        op_id=op(f"{stream} {seq}" if op_name is None else op_name),
        digest=b"digest",
        payload=f"payload {seq}".encode(),
        author="external:github:ada",
        at=at,
        recorded_at=RECORDED_AT,
    )


def fence(claimed: ClaimedShard, written: int = 0) -> ShardFence:
    """The fence of a shard as it was claimed, `written` entries later."""
    return ShardFence(claimed.shard, claimed.epoch, claimed.head + written)


def batch(session: str, fences: Sequence[ShardFence], *entries: NewEntry) -> AppendBatch:
    """A batch."""
    return AppendBatch(session, fences, entries)
