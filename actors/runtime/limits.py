"""Every limit of the runtime, by name. The composition root fills them from the settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuntimeLimits:
    """Counts end in `_max`, sizes in `_bytes`, times in `_s`."""

    mailbox_messages_max: int = 1_000
    turn_messages_max: int = 64
    unsettled_entries_max: int = 256
    unsettled_bytes_max: int = 1 << 20
    outcomes_remembered_max: int = 1_000
    rejections_remembered_max: int = 100_000
    rejection_memory_s: float = 60.0
    batch_entries_max: int = 2_000
    batch_bytes_max: int = 4 << 20
    retry_backoff_min_s: float = 0.05
    retry_backoff_max_s: float = 1.0
    snapshot_every_entries: int = 500
    snapshot_every_entries_max: int = 20_000
    snapshot_bytes_per_entry: int = 512
    snapshot_at_passivation_entries: int = 20
    snapshots_waiting_max: int = 64
    idle_passivation_s: float = 300.0
    halted_retry_s: float = 5.0
    actors_memory_max_bytes: int = 256 << 20
    concurrent_loads_max: int = 8
    streams_per_load_max: int = 50
    load_page_entries: int = 1_000
    load_page_bytes: int = 8 << 20
    loop_slice_s: float = 0.005
    crashes_before_quarantine: int = 5
    crash_window_s: float = 60.0
    quarantine_min_s: float = 1.0
    quarantine_max_s: float = 60.0
    ring_entries_max: int = 1_024
    ring_bytes_max: int = 4 << 20
    hub_linger_s: float = 60.0
    resume_entries_max: int = 5_000
    present_users_max: int = 100
    aware_states_max: int = 256
    sweep_interval_s: float = 1.0

    @property
    def load_page(self) -> tuple[int, int]:
        """How much of a log is read at once while it is folded: entries, and bytes of their payloads."""
        return self.load_page_entries, self.load_page_bytes

    def snapshot_entries(self, state_bytes: int) -> int:
        """After how many entries a state of this size is kept again: the larger it is, the more seldom.

        So what snapshots cost stays in proportion to what the log does. Replaying the entries after one takes a few
        times as long as restoring it.
        """
        wanted = min(state_bytes // self.snapshot_bytes_per_entry, self.snapshot_every_entries_max)
        return max(self.snapshot_every_entries, wanted)

    def snapshot_entries_at_passivation(self, state_bytes: int) -> int:
        """The same for a state that leaves memory: in the same proportion."""
        return self.snapshot_at_passivation_entries * self.snapshot_entries(state_bytes) // self.snapshot_every_entries
