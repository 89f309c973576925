"""The limits of the server, each by name. Reaching one is an explicit answer, never a growing queue.

Units stand last in the names: `_s` seconds, `_bytes`, `_max` a largest number.
"""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

KIB = 1024
MIB = 1024 * KIB


class RuntimeLimits(BaseSettings):
    """What actors may hold, and when they are set aside."""

    mailbox_messages_max: int = Field(
        1000, ge=1, le=1_000_000, description="Messages that wait for one actor; beyond that: overloaded."
    )
    unsettled_entries_max: int = Field(
        256, ge=1, le=10_000, description="Entries of one actor that may wait for their commit."
    )
    unsettled_bytes_max: int = Field(
        MIB, ge=64 * KIB, le=256 * MIB, description="Bytes of one actor's entries that may wait for their commit."
    )
    outcomes_remembered_max: int = Field(
        1000, ge=1, le=1_000_000, description="Outcomes of its last entries that an actor answers retries from."
    )
    rejections_remembered_max: int = Field(
        100_000, ge=1, le=10_000_000, description="Rejections that the process remembers for retries."
    )
    rejection_memory_s: float = Field(
        60, ge=1, le=3600, description="How long a rejection is remembered; longer than any command's deadline."
    )
    command_deadline_s: float = Field(
        30, ge=0.1, le=600, description="How long a command may wait for its outcome before it is answered `timeout`."
    )
    batch_entries_max: int = Field(2000, ge=1, le=100_000, description="Entries in one append statement.")
    batch_bytes_max: int = Field(
        4 * MIB, ge=256 * KIB, le=256 * MIB, description="Bytes of payload in one append statement."
    )
    lanes: int = Field(2, ge=1, le=64, description="Connections that append; a shard belongs to one of them.")
    snapshot_every_entries: int = Field(
        500, ge=1, le=1_000_000, description="Entries after which an actor's state is kept as a snapshot."
    )
    snapshot_every_entries_max: int = Field(
        20_000, ge=1, le=1_000_000, description="The same of the largest states, which are kept more seldom."
    )
    snapshot_bytes_per_entry: int = Field(
        512, ge=1, le=MIB, description="A state is kept again after one entry for so many bytes of it, at least."
    )
    snapshot_at_passivation_entries: int = Field(
        20, ge=1, le=1_000_000, description="An actor that leaves memory is snapshot if it grew by so many entries."
    )
    snapshots_waiting_max: int = Field(
        64, ge=1, le=10_000, description="Snapshots that wait to be written; beyond that they are made later."
    )
    idle_passivation_s: float = Field(
        300, ge=0.1, le=86_400, description="Idle time after which an actor leaves memory."
    )
    halted_retry_s: float = Field(
        5, ge=0.1, le=86_400, description="Time after which a halted stream that is asked tries its log again."
    )
    actors_memory_max_bytes: int = Field(
        256 * MIB, ge=MIB, le=1024 * 1024 * MIB, description="Estimated memory of all actors; the idlest leave first."
    )
    concurrent_loads_max: int = Field(
        8, ge=1, le=10_000, description="Statements that load actors from the log at the same time."
    )
    streams_per_load_max: int = Field(50, ge=1, le=10_000, description="Actors that one such statement loads.")
    load_page_entries: int = Field(
        1000, ge=10, le=100_000, description="Entries that are read at once while an actor is replayed."
    )
    load_page_bytes: int = Field(
        8 * MIB,
        ge=KIB,
        le=1024 * MIB,
        description="Bytes of one actor's entries with which such a read ends.",
    )
    loop_slice_s: float = Field(
        0.005,
        ge=0.0005,
        le=1,
        description="Time after which long work, and the turns of all actors together, let everybody else run.",
    )
    turn_messages_max: int = Field(
        64, ge=1, le=100_000, description="Messages that one actor handles at most before another gets its turn."
    )
    retry_backoff_min_s: float = Field(
        0.05, ge=0.001, le=60, description="The first pause before the database is asked again."
    )
    retry_backoff_max_s: float = Field(
        1, ge=0.001, le=300, description="The longest pause before the database is asked again."
    )
    crashes_before_quarantine: int = Field(
        5, ge=1, le=1000, description="Crashes within the window that put an actor into quarantine."
    )
    crash_window_s: float = Field(60, ge=1, le=86_400, description="The window in which crashes are counted.")
    quarantine_min_s: float = Field(
        1, ge=0.01, le=3600, description="The first pause of an actor in quarantine; it doubles each time."
    )
    quarantine_max_s: float = Field(60, ge=0.01, le=86_400, description="The longest pause of an actor in quarantine.")
    sweep_interval_s: float = Field(
        1, ge=0.05, le=60, description="How often idle actors and forgotten records are looked for."
    )
    lease_s: float = Field(5, ge=1, le=300, description="Life of a node's lease; after it others may take its shards.")
    beat_interval_s: float = Field(1, ge=0.1, le=60, description="How often a node prolongs its lease.")
    lease_wait_s: float = Field(
        2, ge=0, le=60, description="How long a read waits for the renewal of the lease after the database stood still."
    )
    timer_poll_interval_s: float = Field(1, ge=0.05, le=60, description="How often due timers are looked up.")
    erasure_interval_s: float = Field(
        60, ge=0.05, le=86_400, description="How often purged projects are looked for that still lie in the log."
    )


class ExportLimits(BaseSettings):
    """What exports may cost."""

    export_at_once_max: int = Field(8, ge=1, le=10_000, description="Exports that are written at the same time.")
    export_per_user_max: int = Field(
        2, ge=1, le=10_000, description="Those of one user and their bots; the operator has no limit of its own."
    )
    export_grace_s: float = Field(
        30, ge=0.1, le=600, description="Time to read what was sent of an export; after it the export is cut off."
    )
    export_bytes_per_s_min: int = Field(
        64 * KIB,
        ge=1,
        le=1024 * MIB,
        description="How fast an export has to be read as a whole; after `export_grace_s` a slower one is cut off.",
    )
    export_chunk_bytes: int = Field(
        64 * KIB, ge=4 * KIB, le=16 * MIB, description="Bytes of an export that are written at once, and kept unsent."
    )
    export_stretch_entries: int = Field(
        256, ge=1, le=100_000, description="Entries of the log that an export reads at once."
    )
    export_stretch_bytes: int = Field(
        MIB, ge=64 * KIB, le=256 * MIB, description="Bytes of them; a larger entry is read alone."
    )


class PastLimits(BaseSettings):
    """What looks into the past (`asOf`, comparisons, restorations, retries over REST) may hold."""

    past_at_once_max: int = Field(
        4,
        ge=1,
        le=1_000,
        description="Looks into the past that are worked at at the same time, one or two states each.",
    )
    past_at_once_per_user_max: int = Field(2, ge=1, le=1_000, description="Those of one user.")
    past_waiting_max: int = Field(
        256, ge=0, le=100_000, description="Looks into the past that wait for their turn; beyond that: overloaded."
    )
    past_waiting_per_user_max: int = Field(
        64, ge=0, le=100_000, description="Those of one user. Users take turns, whoever came first."
    )


class RestLimits(BaseSettings):
    """What one HTTP request may cost."""

    page_bytes_max: int = Field(
        4 * MIB,
        ge=64 * KIB,
        le=256 * MIB,
        description="Size at which a page of a list ends, after one item at least, whatever its `limit`.",
    )

    request_body_max_bytes: int = Field(
        256 * KIB + 4 * KIB,
        ge=KIB,
        le=256 * MIB,
        description="Largest body of a request: a command of 256 KiB and its envelope; beyond that: too_large.",
    )
    public_body_max_bytes: int = Field(
        8 * KIB,
        ge=KIB,
        le=256 * MIB,
        description="Largest body where no token is needed: to register, to log in, to renew; beyond that: too_large.",
    )
    derived_behind_max_s: float = Field(
        1, ge=0.01, le=60, description="How long a derived read with `minSeq` waits for its projection."
    )
    page_size_default: int = Field(100, ge=1, le=10_000, description="Items of a page when `limit` is not given.")
    page_size_max: int = Field(1000, ge=1, le=10_000, description="The largest `limit` of a page.")
    request_head_timeout_s: float = Field(
        15, ge=0.1, le=600, description="Time for the headers of a request; after it the connection ends."
    )
    request_body_timeout_s: float = Field(
        60, ge=0.1, le=3600, description="Time for the body of a request; after it the request is refused."
    )
    request_body_silence_s: float = Field(
        15, ge=0.1, le=3600, description="How long nothing of a body may come; after it the request is refused."
    )
    request_body_bytes_per_s_min: int = Field(
        100,
        ge=1,
        le=MIB,
        description="Bytes of a body per second, on average, from `request_body_silence_s` on; slower is refused.",
    )
    answer_unread_timeout_s: float = Field(
        60, ge=0.1, le=3600, description="How long a client may take nothing of an answer; after it it is cut off."
    )
    answer_bytes_per_s_min: int = Field(
        16 * KIB,
        ge=1,
        le=1024 * MIB,
        description="How fast an answer of more than 64 KiB has to be read, after `answer_unread_timeout_s`; "
        "who is slower is cut off.",
    )
    answers_unread_max_bytes: int = Field(
        128 * MIB,
        ge=0,
        le=1024 * 1024 * MIB,
        description="Large answers that are not written out yet, beside one that may be larger; no more are held.",
    )
    answers_unread_per_user_max_bytes: int = Field(
        32 * MIB,
        ge=0,
        le=1024 * 1024 * MIB,
        description="Those to one user and their bots, or to one address before a token; not for the operator.",
    )
    bodies_arriving_max_bytes: int = Field(
        128 * MIB,
        ge=0,
        le=1024 * 1024 * MIB,
        description="Bodies of more than 8 KiB that are not read to their end yet, beside one that may be larger; "
        "no more are read.",
    )
    bodies_arriving_per_user_max_bytes: int = Field(
        32 * MIB,
        ge=0,
        le=1024 * 1024 * MIB,
        description="Those of one user and their bots, or of one address before a token; not for the operator.",
    )
    keepalive_s: float = Field(75, ge=1, le=3600, description="Time that a connection may wait for its next request.")
    ready_check_timeout_s: float = Field(
        2, ge=0.1, le=60, description="Time for one check of /readyz; longer counts as not ready."
    )
    loop_lag_interval_s: float = Field(0.25, ge=0.01, le=60, description="How often the lag of the loop is measured.")
    shutdown_grace_s: float = Field(
        10, ge=0, le=600, description="Time for requests in flight and open connections when the server stops."
    )


class DatabaseLimits(BaseSettings):
    """How many connections to Postgres, and how much waiting for it, the server allows itself."""

    database_read_connections_max: int = Field(8, ge=1, le=1000, description="Connections that read.")
    database_write_connections_max: int = Field(
        4, ge=2, le=1000, description="Connections that write, lanes not counted: accounts, read tables, snapshots."
    )
    database_ownership_connections_max: int = Field(
        2, ge=1, le=100, description="Connections for the session's lease and the claims of shards."
    )
    database_connect_timeout_s: float = Field(5, ge=0.1, le=300, description="Time for a new connection.")
    database_acquire_timeout_s: float = Field(5, ge=0.1, le=300, description="Time to wait for a free connection.")
    database_read_deadline_s: float = Field(
        5,
        ge=0.1,
        le=300,
        description="Time for a read that a request waits for, a repetition on a fresh connection included; "
        "after it: unavailable.",
    )
    database_read_timeout_s: float = Field(
        10, ge=0.1, le=300, description="Time for one statement that reads, such as the loading of actors."
    )
    database_write_timeout_s: float = Field(10, ge=0.1, le=300, description="Time for one statement that writes.")
    database_claim_lock_timeout_s: float = Field(
        2, ge=0.05, le=60, description="Time that a claim of shards waits for their rows."
    )
    database_append_timeout_s: float = Field(
        30,
        ge=0.1,
        le=300,
        description="Time for one append; then it is ended and its outcome looked up.",
    )
    database_transaction_idle_timeout_s: float = Field(
        5, ge=0.1, le=60, description="Time that a transaction may stand still; after it Postgres ends it."
    )


class ConsumerLimits(BaseSettings):
    """What the consumers of the log (read tables, timers) take at once and keep in memory."""

    consumer_batch_entries_max: int = Field(
        2000, ge=1, le=100_000, description="Entries that a consumer writes in one transaction; fewer after a failure."
    )
    consumer_batch_bytes_max: int = Field(
        8 * MIB, ge=KIB, le=1024 * MIB, description="Bytes of these entries with which the transaction is full."
    )
    consumer_backoff_first_s: float = Field(
        0.1, ge=0.001, le=60, description="A consumer's first pause after the database failed it."
    )
    consumer_backoff_max_s: float = Field(
        0.5,
        ge=0.001,
        le=300,
        description="A consumer's longest pause after the database failed it; lists wait a second for consumers.",
    )
    consumer_queue_entries_per_shard_max: int = Field(
        10_000, ge=1, le=1_000_000, description="Entries of one shard that wait in memory; others are read again."
    )
    consumer_queue_payload_bytes_max: int = Field(
        32 * MIB, ge=KIB, le=16 * 1024 * MIB, description="Bytes of all entries that wait in memory for one consumer."
    )
    projector_pause_s: float = Field(
        0.1, ge=0, le=1, description="How long entries gather for the read tables while nobody waits for them."
    )
    notifier_pause_s: float = Field(0.05, ge=0, le=60, description="How long entries gather before people are told.")
    timekeeper_pause_s: float = Field(0.5, ge=0, le=60, description="How long entries gather for the table of timers.")
    append_stalled_after_s: float = Field(
        5, ge=0.1, le=3600, description="How long an entry waits for the log before /readyz says not ready."
    )
    consumer_stalled_after_s: float = Field(
        30, ge=1, le=3600, description="How long a consumer is without progress before /readyz says not ready."
    )
