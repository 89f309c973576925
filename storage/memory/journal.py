"""The log in memory: the same fences, unique keys and answers as in Postgres. Nothing here waits."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Final

from protocol.faults import DuplicateEntry
from protocol.log import AppendBatch, Appended, Entry, LoadedStream, NewEntry, Snapshot, is_cut, shard_of
from protocol.messages import ERASED_PAYLOAD
from storage.memory.shards import MemoryShards
from storage.memory.snapshots import MemorySnapshots


class MemoryJournal:
    """Fits `actors.ports.Journal` and `storage.ports.ErasableLog`."""

    def __init__(self, shards: MemoryShards | None = None) -> None:
        self.shards: Final = shards or MemoryShards()
        # The entries of each stream by seq.
        self._streams: dict[str, list[Entry]] = defaultdict(list)
        # The same entries of each shard by pos.
        self._logs: dict[int, list[Entry]] = defaultdict(list)
        # The same entries by (stream, opId).
        self._ops: dict[tuple[str, str], Entry] = {}
        self._snapshots = MemorySnapshots()

    def has_entries(self, stream: str) -> bool:
        """Whether anything was ever appended to the stream."""
        return stream in self._streams and bool(self._streams[stream])

    async def open_lane(self) -> MemoryLane:
        """A lane that writes here."""
        return MemoryLane(self)

    async def load(
        self, streams: Sequence[str], tail_max: int, tail_bytes_max: int | None = None
    ) -> Mapping[str, LoadedStream]:
        """See the port."""
        newest = {stream: self._snapshots.newest(stream) for stream in streams}
        return {stream: self._loaded(stream, newest[stream], None, tail_max, tail_bytes_max) for stream in streams}

    async def load_at(
        self, stream: str, seq: int | None, at: str | None, tail_max: int, tail_bytes_max: int | None = None
    ) -> LoadedStream:
        """See the port. With `seq`, the tail ends there and `complete` means "up to there"."""
        return self._loaded(stream, self._snapshots.newest(stream, seq, at), seq, tail_max, tail_bytes_max)

    async def snapshot_before(self, stream: str, seq: int | None, at: str | None) -> int:
        """See the port."""
        snapshot = self._snapshots.newest(stream, seq, at)
        return 0 if snapshot is None else snapshot.seq

    async def read(self, stream: str, after: int, limit: int, bytes_max: int | None = None) -> Sequence[Entry]:
        """See the port."""
        return _cut(self._after(stream, after)[:limit], bytes_max)

    async def read_page(self, stream: str, seq: int, page_entries: int, page_bytes: int) -> Sequence[Entry]:
        """See the port."""
        entries = self._after(stream, seq // page_entries * page_entries)[:page_entries]
        pages = [before // page_bytes for before in _bytes_before(entries)]
        wanted = next(
            (page for entry, page in zip(entries, pages, strict=True) if entry.seq > seq), max(pages, default=0)
        )
        return [entry for entry, page in zip(entries, pages, strict=True) if page == wanted]

    async def read_shard(self, shard: int, after_pos: int, limit: int, bytes_max: int | None = None) -> Sequence[Entry]:
        """See the port."""
        log = self._logs.get(shard, [])
        return _cut(log[max(after_pos, 0) :][:limit], bytes_max)  # positions are dense from 1

    async def find_ops(self, ops: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Entry]:
        """See the port."""
        return {op: self._ops[op] for op in ops if op in self._ops}

    async def find_entries(
        self, places: Sequence[tuple[str, int]], bytes_max: int | None = None
    ) -> Mapping[tuple[str, int], Entry]:
        """See the port."""
        after = [(seq, self._after(stream, seq - 1)[:1]) for stream, seq in dict.fromkeys(places)]
        found = [entries[0] for seq, entries in after if entries and entries[0].seq == seq]
        return {(entry.stream, entry.seq): entry for entry in _cut(found, bytes_max)}

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """See the port."""
        entries = self._after(snapshot.stream, snapshot.seq - 1)
        if not entries or entries[0].seq != snapshot.seq or entries[0].digest:
            self._snapshots.save(snapshot)

    async def erase(self, stream: str, first_seq: int, last_seq: int) -> None:
        """See the port."""
        for entry in self._after(stream, first_seq - 1):
            if entry.seq <= last_seq:
                self._put_again(replace(entry, payload=ERASED_PAYLOAD, digest=b""))

    def _put_again(self, entry: Entry) -> None:
        stream = self._streams[entry.stream]
        stream[bisect_right(stream, entry.seq - 1, key=lambda other: other.seq)] = entry
        self._logs[entry.shard][entry.pos - 1] = entry
        self._ops[entry.stream, entry.op_id] = entry

    async def drop_snapshots(self, stream: str, before_seq: int) -> None:
        """See the port."""
        self._snapshots.drop(stream, before_seq)

    def _after(self, stream: str, seq: int) -> list[Entry]:
        entries = self._streams.get(stream, [])
        return entries[bisect_right(entries, seq, key=lambda entry: entry.seq) :]

    def _loaded(
        self, stream: str, snapshot: Snapshot | None, until: int | None, tail_max: int, bytes_max: int | None
    ) -> LoadedStream:
        entries = self._after(stream, snapshot.seq if snapshot else 0)
        tail = [entry for entry in entries if until is None or entry.seq <= until]
        read = _cut(tail[: tail_max + 1], bytes_max)
        return LoadedStream(snapshot, read[:tail_max], complete=not is_cut(read, tail_max + 1, bytes_max))

    # What a lane does, all of it in one step.

    def append(self, batch: AppendBatch) -> Appended:
        """Raises DuplicateEntry; then nothing of the batch is written."""
        held = self._held(batch)
        entries = [entry for entry in batch.entries if shard_of(entry.stream) in held]
        self._check_unique(entries)
        return Appended(self._write(held, entries))

    def append_isolating(self, batch: AppendBatch) -> Appended:
        """Leaves out what cannot be taken."""
        held = self._held(batch)
        entries = [entry for entry in batch.entries if shard_of(entry.stream) in held]
        refused = self._refused(entries)
        return Appended(self._write(held, [entry for entry in entries if entry.stream not in refused]), refused)

    def _held(self, batch: AppendBatch) -> dict[int, int]:
        """Shard → epoch of those whose fence is true. Raises ValueError for an entry without a fence."""
        fenced = {fence.shard for fence in batch.fences}
        for entry in batch.entries:
            if shard_of(entry.stream) not in fenced:
                raise ValueError(f"{entry.stream} belongs to a shard for which the batch has no fence")
        rows = self.shards.shards
        return {
            fence.shard: fence.epoch
            for fence in batch.fences
            if (rows[fence.shard].owner, rows[fence.shard].epoch, rows[fence.shard].head)
            == (batch.session, fence.epoch, fence.head)
        }

    def _check_unique(self, entries: Iterable[NewEntry]) -> None:
        ops: set[tuple[str, str]] = set()
        seqs: set[tuple[str, int]] = set()
        for entry in entries:
            op, seq = (entry.stream, entry.op_id), (entry.stream, entry.seq)
            if op in ops or seq in seqs or op in self._ops or self._is_stored(entry):
                raise DuplicateEntry(f"{entry.stream} has this seq or opId already")
            ops.add(op)
            seqs.add(seq)

    def _is_stored(self, entry: NewEntry) -> bool:
        later = self._after(entry.stream, entry.seq - 1)
        return bool(later) and later[0].seq == entry.seq

    def _refused(self, entries: Iterable[NewEntry]) -> frozenset[str]:
        refused: set[str] = set()
        seen: set[tuple[str, str]] = set()
        last: dict[str, int] = {}
        for entry in entries:
            key = (entry.stream, entry.op_id)
            stored = self._streams.get(entry.stream)
            before = last.get(entry.stream, stored[-1].seq if stored else 0)
            if key in self._ops or key in seen or entry.seq != before + 1:
                refused.add(entry.stream)
            seen.add(key)
            last[entry.stream] = entry.seq
        return frozenset(refused)

    def _write(self, held: Mapping[int, int], entries: Iterable[NewEntry]) -> dict[int, int]:
        for new in entries:
            shard = shard_of(new.stream)
            row = self.shards.shards[shard]
            row.head += 1
            entry = new.committed(shard, held[shard], row.head)
            self._keep(replace(entry, content=None))  # a log gives its payload alone
        return {shard: self.shards.shards[shard].head for shard in held}

    def _keep(self, entry: Entry) -> None:
        stream = self._streams[entry.stream]
        # By seq also when a caller writes with a gap, as the usual statement lets it.
        stream.insert(bisect_right(stream, entry.seq, key=lambda other: other.seq), entry)
        self._logs[entry.shard].append(entry)
        self._ops[entry.stream, entry.op_id] = entry


def _bytes_before(entries: Sequence[Entry]) -> list[int]:
    """For each entry what the payloads before it come to."""
    return list(accumulate((len(entry.payload) for entry in entries), initial=0))[: len(entries)]


def _cut(entries: Sequence[Entry], bytes_max: int | None) -> Sequence[Entry]:
    if bytes_max is None:
        return entries
    return [entry for entry, before in zip(entries, _bytes_before(entries), strict=True) if before < bytes_max]


class MemoryLane:
    """Fits `actors.ports.AppendLane`. Every append is decided at once."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal

    async def append(self, batch: AppendBatch) -> Appended:
        """See the port."""
        return self._journal.append(batch)

    async def append_isolating(self, batch: AppendBatch) -> Appended:
        """See the port."""
        return self._journal.append_isolating(batch)

    async def abandon(self) -> None:
        """Nothing is ever undecided here."""

    async def close(self) -> None:
        """Nothing to close."""
