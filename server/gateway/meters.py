"""What the gateway lets be seen. Implementations never raise and never wait."""

from __future__ import annotations

from typing import Protocol


class GatewayMeters(Protocol):
    """`server.telemetry.Meters` fits it."""

    def command_answered(self, kind: str, code: str) -> None:
        """`kind` of the stream, or `none` where it cannot be read; `code` is `accepted` or the error's."""
        ...

    def bad_packet(self) -> None:
        """A packet was refused: it is none, and its client was let go, or it held poison."""
        ...

    def slow_client_ended(self) -> None:
        """A client that does not read was let go."""
        ...

    def conflation_promised(self) -> None:
        """A slow client will get a state instead of the entries that it has missed."""
        ...

    def conflated(self) -> None:
        """A client that was too far behind got a state instead of entries."""
        ...


class Unmetered:
    """Counts nothing."""

    def command_answered(self, kind: str, code: str) -> None:
        """See the port."""

    def bad_packet(self) -> None:
        """See the port."""

    def slow_client_ended(self) -> None:
        """See the port."""

    def conflation_promised(self) -> None:
        """See the port."""

    def conflated(self) -> None:
        """See the port."""
