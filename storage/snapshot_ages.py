"""Which snapshots of a stream are kept as they grow old. The same rule for Postgres and for memory.

So, when snapshots are made every I entries, the state as of any past seq is reached by replaying at most I entries
within the newest 5,000 seqs, and at most 2,000 + I before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

SNAPSHOTS_NEWEST_KEPT: Final = 2
"""The newest ones, which are kept whatever their distance."""
SNAPSHOTS_ALL_KEPT_SEQS: Final = 5_000
"""All snapshots within so many seqs of the newest one are kept."""
SNAPSHOTS_OLDER_SPACING_SEQS: Final = 2_000
"""Of the older ones the first of every so many seqs is kept: it never changes later."""


def kept_seqs(seqs: Sequence[int]) -> Sequence[int]:
    """Of the ascending seqs of a stream's snapshots those that stay."""
    kept: list[int] = []
    buckets: set[int] = set()
    for index, seq in enumerate(seqs):
        young = index >= len(seqs) - SNAPSHOTS_NEWEST_KEPT or seq > seqs[-1] - SNAPSHOTS_ALL_KEPT_SEQS
        bucket = seq // SNAPSHOTS_OLDER_SPACING_SEQS
        if young or bucket not in buckets:
            kept.append(seq)
        buckets.add(bucket)
    return kept
