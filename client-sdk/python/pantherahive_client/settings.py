"""The client's limits, all in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from pantherahive_client.backoff import Backoff


@dataclass(frozen=True, slots=True)
class Settings:
    """Change with `Settings(deadline_s=60)`. Times in seconds."""

    deadline_s: float = 30.0
    """How long a command is tried before DeadlineExceeded."""
    connect_patience_s: float = 30.0
    """How long `async with Client(...)` and opening a project wait for the server."""
    connect_timeout_s: float = 10.0
    """One attempt to connect."""
    request_timeout_s: float = 30.0
    """One REST request."""
    in_flight_max: int = 32
    """Commands without an answer, per client; further ones wait."""
    pending_max: int = 256
    """Commands per project whose effect is shown before it is confirmed; further ones show theirs with their entry."""
    refusals_max: int = 3
    """Connections in a row that the server may end over what was sent; then commands and states get PacketRefused."""
    unread_entries_max: int = 1024
    """Entries kept for a reader of `events()`; beyond them following pauses until the reader has caught up."""
    unread_characters_max: int = 8 * 1024 * 1024
    """The same, by the size of their texts."""
    message_bytes_max: int = 16 * 1024 * 1024
    """The largest message that is accepted from the server."""
    token_margin_s: float = 30.0
    """A token is renewed this long before its end when a connection is made."""
    steady_after_s: float = 5.0
    """A connection that lived this long resets the back-off."""
    reconnect: Backoff = field(default_factory=lambda: Backoff(0.1, 5.0))
    retry: Backoff = field(default_factory=lambda: Backoff(0.1, 5.0))
