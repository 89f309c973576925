"""Judges a run: does what clients and followers saw fit the log, and is the log whole?

No search is needed: every accepted operation says its place, so the order is known, and one sort with one sweep
decides. The statements are named I1 … I8 after their usual list: contiguity, durability, uniqueness, real-time order,
no phantom, streams.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from pantherahive_client.fold import evolve
from pantherahive_client.project_state import ProjectState, from_parts
from protocol.log import shard_of
from tests.chaos.history import Accepted, Following, History, Log, LogEntry, Operation, Rejected, digest_of_entry


class Kind(StrEnum):
    """What can be wrong."""

    SEQ_NOT_DENSE = "a stream's seq is not 1, 2, 3 …"
    POS_NOT_DENSE = "a shard's pos is not 1, 2, 3 …"
    WRONG_SHARD = "an entry lies in another shard than its stream"
    WRONG_HEAD = "a shard's head is not its last position"
    EPOCH_FELL = "an epoch falls along the log"
    OP_TWICE = "an operation is in the log more than once"
    ACK_LOST = "an acknowledged operation is not in the log"
    ACK_ELSEWHERE = "an acknowledged operation is not at the place that the ack named"
    REJECTED_IN_LOG = "a rejected operation is in the log"
    ANSWERS_DIFFER = "a retry got another answer than the first one"
    OUT_OF_ORDER = "an operation that began after another one's ack stands before it"
    NOT_ASKED_FOR = "an entry that no client sent"
    WRONG_CURSOR = "a follower was promised to go on elsewhere than it asked for"
    NEEDLESS_RESET = "a follower was reset although its cursor is in the log"
    FOLLOWER_GAP = "a follower missed an entry"
    FOLLOWER_DOUBLE = "a follower got an entry again"
    FOLLOWER_PHANTOM = "a follower got an entry that is not in the log"
    WRONG_CONTENT = "a follower got an entry with other content than the log's"
    WRONG_SNAPSHOT = "a snapshot is not the fold of the log"


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise: which one, and where."""

    kind: Kind
    where: str

    def __str__(self) -> str:
        return f"{self.kind.name}: {self.kind.value} ({self.where})"


Streams = Mapping[str, Sequence[LogEntry]]
"""Stream → its entries by seq."""


def check(history: History, log: Log) -> list[Violation]:
    """Everything that is wrong; nothing is wrong when the list is empty.

    Entries are compared with what was asked for only in streams to which the history's operations were sent, and
    snapshots only of projects.
    """
    streams = _by_stream(log)
    return [
        *_check_streams(streams),
        *_check_shards(log),
        *_check_outcomes(history, streams),
        *_check_order(history, streams),
        *_check_followings(history.followings, streams),
        *_check_snapshots(history.followings, streams),
    ]


def _by_stream(log: Log) -> dict[str, list[LogEntry]]:
    streams: defaultdict[str, list[LogEntry]] = defaultdict(list)
    for entry in log.entries:
        streams[entry.stream].append(entry)
    for entries in streams.values():
        entries.sort(key=lambda entry: entry.seq)
    return dict(streams)


def _check_streams(streams: Streams) -> Iterator[Violation]:
    for stream, entries in streams.items():
        for number, entry in enumerate(entries, 1):
            if entry.seq != number:
                yield Violation(Kind.SEQ_NOT_DENSE, f"{stream}: {entry.seq} where {number} should be")
                break
        for earlier, later in pairwise(entries):
            if later.epoch < earlier.epoch:
                yield Violation(Kind.EPOCH_FELL, f"{stream}: {earlier.epoch} → {later.epoch} at seq {later.seq}")
        for op_id, times in Counter(entry.op_id for entry in entries).items():
            if times > 1:
                yield Violation(Kind.OP_TWICE, f"{stream}: {op_id}, {times} times")


def _check_shards(log: Log) -> Iterator[Violation]:
    shards: defaultdict[int, list[LogEntry]] = defaultdict(list)
    for entry in log.entries:
        if entry.shard != shard_of(entry.stream):
            yield Violation(Kind.WRONG_SHARD, f"{entry.stream} in shard {entry.shard}")
        shards[entry.shard].append(entry)
    for shard, (head, epoch) in log.heads.items():
        entries = sorted(shards.pop(shard, []), key=lambda entry: entry.pos)
        yield from _check_shard(shard, entries, head, epoch)
    for shard in shards:
        yield Violation(Kind.WRONG_HEAD, f"shard {shard} has entries and no head")


def _check_shard(shard: int, entries: Sequence[LogEntry], head: int, epoch: int) -> Iterator[Violation]:
    for number, entry in enumerate(entries, 1):
        if entry.pos != number:
            yield Violation(Kind.POS_NOT_DENSE, f"shard {shard}: {entry.pos} where {number} should be")
            break
    for earlier, later in pairwise(entries):
        if later.epoch < earlier.epoch:
            yield Violation(Kind.EPOCH_FELL, f"shard {shard}: {earlier.epoch} → {later.epoch} at pos {later.pos}")
    last = entries[-1].pos if entries else 0
    if head != last:
        yield Violation(Kind.WRONG_HEAD, f"shard {shard}: head {head}, last position {last}")
    if entries and entries[-1].epoch > epoch:
        yield Violation(Kind.EPOCH_FELL, f"shard {shard}: an entry of epoch {entries[-1].epoch}, the shard at {epoch}")


def _check_outcomes(history: History, streams: Streams) -> Iterator[Violation]:
    places = {(stream, entry.op_id): entry for stream, entries in streams.items() for entry in entries}
    for operation in history.operations:
        yield from _check_outcome(operation, places.get((operation.stream, operation.op_id)))
    sent = {(operation.stream, operation.op_id) for operation in history.operations}
    addressed = {operation.stream for operation in history.operations}
    for (stream, op_id), entry in places.items():
        if stream in addressed and (stream, op_id) not in sent:
            yield Violation(Kind.NOT_ASKED_FOR, f"{stream}: seq {entry.seq}, {op_id}")


def _check_outcome(operation: Operation, entry: LogEntry | None) -> Iterator[Violation]:
    where = f"{operation.client}, {operation.command} {operation.op_id} to {operation.stream}"
    answers = operation.answers
    for answer in answers:
        match answer:
            case Accepted() if entry is None:
                yield Violation(Kind.ACK_LOST, f"{where}, acknowledged as {answer.seq}.{answer.epoch}")
            case Accepted() if entry is not None and (entry.seq, entry.epoch) != (answer.seq, answer.epoch):
                told = f"acknowledged as {answer.seq}.{answer.epoch}, found at {entry.seq}.{entry.epoch}"
                yield Violation(Kind.ACK_ELSEWHERE, f"{where}, {told}")
            case Rejected() if entry is not None:
                yield Violation(Kind.REJECTED_IN_LOG, f"{where}, rejected as {answer.code}, found at {entry.seq}")
            case _:
                continue
    if any(answer != answers[0] for answer in answers[1:]):
        yield Violation(Kind.ANSWERS_DIFFER, f"{where}: {answers}")


def _check_order(history: History, streams: Streams) -> Iterator[Violation]:
    """Walks through time: whatever begins stands behind everything whose ack had been received by then.

    What the client does not know and the log has is held to it too.
    """
    places = {(stream, entry.op_id): entry.seq for stream, entries in streams.items() for entry in entries}
    moments: list[tuple[float, int, Operation, int]] = []
    for operation in history.operations:
        seq = places.get((operation.stream, operation.op_id))
        if seq is None:
            continue
        moments.append((operation.invoked_s, 0, operation, seq))
        if operation.returned_s is not None:
            moments.append((operation.returned_s, 1, operation, seq))
    acked: defaultdict[str, int] = defaultdict(int)
    for _, is_return, operation, seq in sorted(moments, key=lambda moment: moment[:2]):
        if is_return:
            acked[operation.stream] = max(acked[operation.stream], seq)
        elif seq <= acked[operation.stream]:
            told = f"{operation.op_id} at {seq}, sent after the ack of {acked[operation.stream]}"
            yield Violation(Kind.OUT_OF_ORDER, f"{operation.stream}: {told}")


def _check_followings(followings: Iterable[Following], streams: Streams) -> Iterator[Violation]:
    digests = {
        stream: [digest_of_entry(entry.wire) for entry in entries]
        for stream, entries in streams.items()
        if stream in {following.stream for following in followings}
    }
    for following in followings:
        entries = streams.get(following.stream, [])
        yield from _check_join(following, entries)
        yield from _check_run(following, entries, digests.get(following.stream, []))


def _check_join(following: Following, entries: Sequence[LogEntry]) -> Iterator[Violation]:
    where = f"{following.follower} of {following.stream}"
    asked = following.asked
    if following.mode == "resume" and following.cursor != asked:
        yield Violation(Kind.WRONG_CURSOR, f"{where}: asked for {asked}, got {following.cursor}")
    is_known = asked is not None and (asked.seq == 0 or _has(entries, asked.seq, asked.epoch))
    if following.mode == "reset" and following.reason != "behind" and is_known:
        yield Violation(Kind.NEEDLESS_RESET, f"{where}: {asked}, because {following.reason}")
    if following.mode == "resume" and not is_known:
        yield Violation(Kind.WRONG_CURSOR, f"{where}: resumed at {asked}, which is not in the log")
    if following.mode != "resume" and not _has(entries, following.cursor.seq, following.cursor.epoch):
        yield Violation(Kind.WRONG_CURSOR, f"{where}: a state as of {following.cursor}, which is not in the log")


def _has(entries: Sequence[LogEntry], seq: int, epoch: int) -> bool:
    return 1 <= seq <= len(entries) and entries[seq - 1].epoch == epoch


def _check_run(following: Following, entries: Sequence[LogEntry], digests: Sequence[bytes]) -> Iterator[Violation]:
    where = f"{following.follower} of {following.stream}"
    expected = following.cursor.seq + 1
    for seen in following.seen:
        if seen.seq < expected:
            yield Violation(Kind.FOLLOWER_DOUBLE, f"{where}: {seen.seq} after {expected - 1}")
        elif seen.seq > expected:
            yield Violation(Kind.FOLLOWER_GAP, f"{where}: {seen.seq} after {expected - 1}")
        expected = max(expected, seen.seq + 1)
        if not 1 <= seen.seq <= len(entries) or entries[seen.seq - 1].op_id != seen.op_id:
            yield Violation(Kind.FOLLOWER_PHANTOM, f"{where}: {seen.seq}, {seen.op_id}")
        elif digests[seen.seq - 1] != seen.digest or entries[seen.seq - 1].epoch != seen.epoch:
            yield Violation(Kind.WRONG_CONTENT, f"{where}: {seen.seq}")


def _check_snapshots(followings: Iterable[Following], streams: Streams) -> Iterator[Violation]:
    """Folds each project's log once, with the client's own replica, and looks at it where a snapshot was sent."""
    wanted: defaultdict[str, list[Following]] = defaultdict(list)
    for following in followings:
        if following.has_state and following.stream.startswith("project/"):
            wanted[following.stream].append(following)
    for stream, group in wanted.items():
        state, seq = ProjectState(), 0
        entries = streams.get(stream, [])
        for following in sorted(group, key=lambda one: one.cursor.seq):
            for entry in entries[seq : following.cursor.seq]:
                evolve(state, _wire_entry(entry))
            seq = max(seq, following.cursor.seq)
            if from_parts(following.parts).as_json() != state.as_json():
                yield Violation(Kind.WRONG_SNAPSHOT, f"{following.follower} of {stream} as of {following.cursor}")


def _wire_entry(entry: LogEntry) -> Any:
    return entry.wire
