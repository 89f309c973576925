"""The gateway's limits, by name. The composition root fills them from the settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    """Counts end in `_max`, sizes in `_bytes`, times in `_s`."""

    packet_bytes_max: int = 260 << 10
    connect_packet_bytes_max: int = 4 << 10
    read_slice_s: float = 0.002
    json_depth_max: int = 32
    poison_per_socket_max: int = 100
    joins_per_socket_max: int = 200
    joins_in_flight_max: int = 64
    commands_in_flight_per_socket_max: int = 64
    command_deadline_s: float = 30.0
    transport_buffer_max_bytes: int = 1 << 20
    slow_follower_grace_s: float = 5.0
    resume_entries_max: int = 5000
    lag_entries_max: int = 1000
    snapshot_part_max_bytes: int = 256 << 10
    snapshots_kept_max_bytes: int = 64 << 20
    snapshots_sending_max_bytes: int = 256 << 20
    snapshots_sending_per_user_max_bytes: int = 32 << 20
    snapshot_bytes_per_s_min: int = 16 << 10
    entries_per_packet_max: int = 256
    entries_packet_bytes_max: int = 256 << 10
    heads_interval_s: float = 5.0
    aware_state_bytes_max: int = 1 << 10
    aware_streams_per_socket_max: int = 16
    presence_interval_s: float = 0.25
    ping_interval_s: float = 20.0
    ping_timeout_s: float = 10.0
    connections_per_address_max: int = 10_000
    connections_per_user_max: int = 1000
    trusted_proxies: int = 0
    connect_timeout_s: float = 10.0
    send_buffer_bytes: int = 128 << 10
