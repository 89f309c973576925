"""Snapshots in memory, thinned with age as in Postgres."""

from __future__ import annotations

from protocol.log import Snapshot
from storage.snapshot_ages import kept_seqs


class MemorySnapshots:
    """The snapshots of all streams."""

    def __init__(self) -> None:
        # Stream → seq → snapshot.
        self._by_stream: dict[str, dict[int, Snapshot]] = {}

    def newest(self, stream: str, seq: int | None = None, at: str | None = None) -> Snapshot | None:
        """The newest one within both bounds. Canonical instants compare as text, and "" is before all of them."""
        fitting = [
            snapshot
            for snapshot in self._by_stream.get(stream, {}).values()
            if (seq is None or snapshot.seq <= seq) and (at is None or snapshot.at <= at)
        ]
        return max(fitting, key=lambda snapshot: snapshot.seq, default=None)

    def drop(self, stream: str, before_seq: int) -> None:
        """Forgets those of earlier entries."""
        snapshots = self._by_stream.get(stream, {})
        self._by_stream[stream] = {seq: snapshot for seq, snapshot in snapshots.items() if seq >= before_seq}

    def save(self, snapshot: Snapshot) -> None:
        """Keeps the first one of a seq, and drops what has become too old for its place."""
        snapshots = self._by_stream.setdefault(snapshot.stream, {})
        snapshots.setdefault(snapshot.seq, snapshot)
        self._by_stream[snapshot.stream] = {seq: snapshots[seq] for seq in kept_seqs(sorted(snapshots))}
