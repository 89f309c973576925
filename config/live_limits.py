"""The limits of followers, of their sockets and of event streams."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

from config.limits import KIB, MIB


class LiveLimits(BaseSettings):
    """What followers and their sockets may hold."""

    ring_entries_max: int = Field(
        1024, ge=1, le=1_000_000, description="Entries of a followed stream that stay in memory for resuming."
    )
    ring_bytes_max: int = Field(
        4 * MIB, ge=64 * KIB, le=1024 * MIB, description="Bytes of a followed stream that stay in memory."
    )
    hub_linger_s: float = Field(
        60, ge=0, le=86_400, description="How long a stream's entries stay in memory after its last follower left."
    )
    present_users_max: int = Field(100, ge=1, le=100_000, description="Users whom a presence message names at most.")
    aware_states_max: int = Field(
        256, ge=1, le=100_000, description="Connections that let others see where they look in one stream."
    )
    aware_state_bytes_max: int = Field(KIB, ge=64, le=64 * KIB, description="Size of one such state.")
    aware_streams_per_socket_max: int = Field(
        16, ge=1, le=10_000, description="Streams in which one connection lets others see where it looks."
    )
    resume_entries_max: int = Field(
        5000, ge=1, le=1_000_000, description="Entries that a resume replays; further behind, a snapshot is sent."
    )
    lag_entries_max: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="Entries that a follower may fall behind; then it gets the state where that is smaller.",
    )
    snapshot_part_max_bytes: int = Field(
        256 * KIB, ge=4 * KIB, le=16 * MIB, description="Size of one part of a snapshot."
    )
    snapshots_kept_max_bytes: int = Field(
        64 * MIB, ge=0, le=16 * 1024 * MIB, description="Encoded snapshots that are kept for the next joiners."
    )
    snapshots_sending_max_bytes: int = Field(
        256 * MIB,
        ge=0,
        le=1024 * 1024 * MIB,
        description="Snapshots that are on their way to clients, beside one that may be larger; beyond: overloaded.",
    )
    snapshots_sending_per_user_max_bytes: int = Field(
        32 * MIB,
        ge=0,
        le=1024 * 1024 * MIB,
        description="Those to one user and their bots, beside one that may be larger; the operator has no limit.",
    )
    snapshot_bytes_per_s_min: int = Field(
        16 * KIB,
        ge=1,
        le=1024 * MIB,
        description="How fast a snapshot has to be read, after `slow_follower_grace_s`; who is slower is let go.",
    )
    entries_per_packet_max: int = Field(256, ge=1, le=100_000, description="Entries in one packet to a follower.")
    entries_packet_bytes_max: int = Field(
        256 * KIB, ge=KIB, le=16 * MIB, description="Size of such a packet; a larger entry travels alone."
    )
    presence_interval_s: float = Field(
        0.25, ge=0.01, le=60, description="How often followers are told who is here, if that has changed."
    )
    heads_interval_s: float = Field(5, ge=0.1, le=300, description="How often followers are told the newest cursors.")
    ping_interval_s: float = Field(20, ge=1, le=300, description="Time between two pings of a connection.")
    ping_timeout_s: float = Field(10, ge=1, le=300, description="Time for a pong; after it the connection ends.")
    connections_per_address_max: int = Field(
        10_000,
        ge=1,
        le=10_000_000,
        description="Live connections from one address (IPv6: one /64); behind proxies, see trusted_proxies.",
    )
    http_connections_per_address_max: int = Field(
        5000,
        ge=1,
        le=10_000_000,
        description="Open connections from one address that are no live ones; with trusted_proxies it has no limit.",
    )
    connections_per_user_max: int = Field(
        1000, ge=1, le=10_000_000, description="Live connections of one user; the operator has no limit."
    )
    connect_timeout_s: float = Field(
        10, ge=0.5, le=120, description="Time for a new connection to authenticate itself."
    )
    packet_bytes_max: int = Field(
        256 * KIB + 4 * KIB,
        ge=4 * KIB,
        le=16 * MIB,
        description="Largest packet of a client: a command of 256 KiB and its envelope.",
    )
    connect_packet_bytes_max: int = Field(
        4 * KIB,
        ge=2 * KIB,
        le=16 * MIB,
        description="Largest packet of a client before its CONNECT is accepted: a token and its envelope.",
    )
    read_slice_s: float = Field(
        0.002,
        ge=0.0005,
        le=1,
        description=(
            "Time in each turn of the loop for all who send much, and for little of many; half of it for all that "
            "comes by HTTP; then all others run."
        ),
    )
    json_depth_max: int = Field(32, ge=4, le=200, description="How deep JSON of clients may be nested.")
    poison_per_socket_max: int = Field(
        100,
        ge=1,
        le=100_000,
        description="Harmful values, unknown names and acks of nothing that one connection may send before it ends.",
    )
    joins_per_socket_max: int = Field(200, ge=1, le=100_000, description="Streams that one connection follows.")
    joins_in_flight_max: int = Field(
        64, ge=1, le=10_000, description="Joins of one connection that are under way at the same time."
    )
    commands_in_flight_per_socket_max: int = Field(
        64, ge=1, le=100_000, description="Commands of one connection that wait for their answer."
    )
    transport_buffer_max_bytes: int = Field(
        MIB, ge=64 * KIB, le=256 * MIB, description="Unsent bytes of a connection at which it counts as slow."
    )
    send_buffer_bytes: int = Field(
        128 * KIB, ge=4 * KIB, le=64 * MIB, description="The kernel's buffer for what is sent to a connection."
    )
    slow_follower_grace_s: float = Field(
        5,
        ge=0.1,
        le=300,
        description="After it a slow connection is promised a state, and one that reads nothing all the while ends.",
    )


class EventStreamLimits(BaseSettings):
    """What connections with Server-Sent Events may hold."""

    event_stream_connections_per_user_max: int = Field(
        32, ge=1, le=100_000, description="Event streams that one user has open at the same time."
    )
    event_stream_heartbeat_s: float = Field(
        15, ge=0.1, le=600, description="Time without an entry after which an event stream shows that it lives."
    )
    event_stream_grace_s: float = Field(
        5, ge=0.1, le=300, description="Time for the client of an event stream to read; after it the stream ends."
    )
    event_stream_chunk_entries: int = Field(
        256, ge=1, le=100_000, description="Entries that an event stream sends at once."
    )
    event_stream_chunk_bytes: int = Field(
        256 * KIB, ge=KIB, le=16 * MIB, description="Bytes of them; a larger entry is sent alone."
    )
    event_stream_buffer_bytes: int = Field(
        128 * KIB, ge=4 * KIB, le=64 * MIB, description="Unsent bytes of an event stream, here and in the kernel each."
    )
