"""What the actors need from outside, as `typing.Protocol`s. `storage` fits them without importing this file.

Error tree of the ports (defined in `protocol.faults`, so that both sides can name them):

    StorageFault
    ├── OutcomeUnknown      a write was sent and its fate is not known: claim again, then look
    ├── NotApplied          the database said no, or was never asked; nothing happened: try again
    └── DuplicateEntry      a unique key was hit; nothing of the batch happened: isolate
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from protocol.log import (
    AppendBatch,
    Appended,
    ClaimedShard,
    DueTimer,
    Entry,
    LoadedStream,
    NodeRow,
    ShardRow,
    Snapshot,
)


class Clock(Protocol):
    """Two readings: the calendar for people, the monotonic one for waiting."""

    def now(self) -> str:
        """The canonical instant (UTC, milliseconds, `Z`)."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that only grow, suspend included where the system can tell."""
        ...


class Ids(Protocol):
    """Where new identifiers and random steps come from."""

    def new_id(self) -> str:
        """A UUIDv7 as text."""
        ...

    def epoch_step(self) -> int:
        """A random step ≥ 1 by which an epoch grows (at most 2^20)."""
        ...


class AppendLane(Protocol):
    """One connection that writes. It is used by one caller at a time, and never cancelled."""

    async def append(self, batch: AppendBatch) -> Appended:
        """The usual statement. Raises DuplicateEntry, NotApplied, OutcomeUnknown."""
        ...

    async def append_isolating(self, batch: AppendBatch) -> Appended:
        """The statement that leaves out streams whose entries cannot be taken. Raises NotApplied, OutcomeUnknown."""
        ...

    async def abandon(self) -> None:
        """Ends the backend, so that whatever it was doing is decided, and connects anew on the next use.

        Raises NotApplied while the database cannot be asked; call again.
        """
        ...

    async def close(self) -> None: ...


class Journal(Protocol):
    """The log. Reads raise NotApplied while the database is away."""

    async def open_lane(self) -> AppendLane: ...

    async def load(
        self, streams: Sequence[str], tail_max: int, tail_bytes_max: int | None = None
    ) -> Mapping[str, LoadedStream]:
        """For each stream its newest snapshot and at most `tail_max` entries after it, in one round trip.

        A tail ends with the entry with which its payloads reach `tail_bytes_max` (≥ 1).
        """
        ...

    async def load_at(
        self, stream: str, seq: int | None, at: str | None, tail_max: int, tail_bytes_max: int | None = None
    ) -> LoadedStream:
        """The newest snapshot with `snapshot.seq <= seq` and `snapshot.at <= at` (None: no bound), and what follows."""
        ...

    async def snapshot_before(self, stream: str, seq: int | None, at: str | None) -> int:
        """The seq of the snapshot that `load_at` would load, without loading it; 0 when there is none."""
        ...

    async def read(self, stream: str, after: int, limit: int, bytes_max: int | None = None) -> Sequence[Entry]:
        """Entries with `seq > after`, ascending, up to the one with which their payloads reach `bytes_max` (≥ 1)."""
        ...

    async def read_page(self, stream: str, seq: int, page_entries: int, page_bytes: int) -> Sequence[Entry]:
        """The page with the first entry after `seq`, whole as far as it is written.

        Seqs fall into runs of `page_entries`. A page begins with a run, and within it with every entry before which
        the run's payloads pass a multiple of `page_bytes`: pages do not overlap, and only the newest one grows. Where
        the run has no entry after `seq` it is the run's last page; none where it is empty. Entries that are missing
        let entries beyond the run in.
        """
        ...

    async def read_shard(self, shard: int, after_pos: int, limit: int, bytes_max: int | None = None) -> Sequence[Entry]:
        """Entries with `pos > after_pos`, ascending: the shard's own log. `bytes_max` as in `read`."""
        ...

    async def find_ops(self, ops: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Entry]:
        """The entries of (stream, opId) pairs that are in the log."""
        ...

    async def find_entries(
        self, places: Sequence[tuple[str, int]], bytes_max: int | None = None
    ) -> Mapping[tuple[str, int], Entry]:
        """The entries at (stream, seq) pairs, of any streams, in their order; those that are not there are missing.

        They end with the one with which their payloads reach `bytes_max` (≥ 1).
        """
        ...

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keeps it (a second one of the same stream and seq is ignored) and thins the older ones with age."""
        ...


class Ownership(Protocol):
    """Sessions with leases, and who may write which shard. Raises NotApplied, OutcomeUnknown."""

    async def open_session(self, session: str, node_id: str, address: str, lease_s: float) -> None:
        """Ends the earlier session of this `node_id`, if there is one, and begins this one."""
        ...

    async def beat(self, session: str, lease_s: float) -> bool:
        """Prolongs the lease by the database's clock. False: the session was ended by somebody; stop writing."""
        ...

    async def reap(self, seen: Mapping[str, int]) -> Sequence[str]:
        """Ends those of these sessions that still have the `lease_until_us` that was seen, and names them."""
        ...

    async def close_session(self, session: str) -> None: ...

    async def nodes(self) -> Sequence[NodeRow]: ...

    async def shards(self) -> Sequence[ShardRow]: ...

    async def claim(self, session: str, seen: Mapping[int, int], step: int) -> Sequence[ClaimedShard]:
        """Takes shards by compare-and-swap on `seen` (shard → epoch): those of nobody, this session or an ended one."""
        ...


class Timers(Protocol):
    """The table of timers. It is written by a consumer of the log and read by the owner of the shard."""

    async def due(
        self,
        shards: Sequence[int],
        until: str,
        limit: int,
        *,
        behind: DueTimer | None = None,
        without: Collection[str] = (),
    ) -> Sequence[DueTimer]:
        """Timers of these shards with `due_at <= until`, and those that have rested until then.

        In the order of (due_at, stream, name), those that come after `behind`; none of the streams `without`.
        """
        ...

    async def done(self, timer: DueTimer) -> None:
        """Forgets a timer, unless it was set anew or woken meanwhile."""
        ...

    async def rest(self, timer: DueTimer, until: str) -> None:
        """Keeps a timer out of `due` up to `until`, unless it was set anew or woken meanwhile."""
        ...


class RuntimeMeters(Protocol):
    """What the runtime lets be seen. Implementations never raise and never wait."""

    def batch_appended(self, entries: int, streams: int, seconds: float) -> None: ...

    def gate_opened(self, held_s: float) -> None: ...

    def actor_activated(self, kind: str, replayed: int, seconds: float) -> None: ...

    def actor_passivated(self, kind: str) -> None: ...

    def actor_crashed(self, kind: str) -> None: ...

    def stream_halted(self, kind: str) -> None: ...

    def append_failed(self, reason: str) -> None: ...
