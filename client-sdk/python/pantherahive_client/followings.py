"""All streams that a client follows: who is told what comes."""

from __future__ import annotations

from pantherahive_client.errors import HiveError
from pantherahive_client.following import Following
from pantherahive_client.models import (
    AwarenessMessage,
    ClosedMessage,
    EntriesMessage,
    HeadsMessage,
    PresenceMessage,
    ResetMessage,
    SnapshotPart,
)
from pantherahive_client.outbox import Sender


class Followings:
    """A `link.Listener`. A stream is followed once per client."""

    def __init__(self) -> None:
        # Stream → what follows it.
        self._by_stream: dict[str, Following] = {}
        # The connection; None while there is none.
        self._link: Sender | None = None
        # Why nothing can be followed any more.
        self._ended: HiveError | None = None

    def add(self, following: Following) -> None:
        """Starts following. Raises ValueError for a second time, and what ended the client."""
        if following.stream in self._by_stream:
            raise ValueError(f"{following.stream} is open already in this client")
        if self._ended is not None:
            raise self._ended
        self._by_stream[following.stream] = following
        if self._link is not None:
            following.connected(self._link)

    def remove(self, following: Following) -> None:
        """Stops following."""
        if self._by_stream.get(following.stream) is following:
            del self._by_stream[following.stream]

    # ------------------------------------------------------------------ the connection

    def connected(self, link: Sender) -> None:
        """All join anew, from where they are."""
        self._link = link
        for following in self._all():
            following.connected(link)

    def disconnected(self) -> None:
        """All wait for the next connection."""
        self._link = None
        for following in self._all():
            following.disconnected()

    def connection_over(self, *, refused: bool) -> None:
        """`refused`: the server ended it over what was sent."""
        for following in self._all():
            following.company.connection_over(refused=refused)

    def end(self, why: HiveError) -> None:
        """There will be no other connection."""
        self._ended = why
        for following in self._all():
            following.end(why)

    def _all(self) -> list[Following]:
        return list(self._by_stream.values())

    # ------------------------------------------------------------------ what the server says

    def on_entries(self, message: EntriesMessage) -> None:
        """See link.Listener."""
        if (following := self._by_stream.get(message["stream"])) is not None:
            following.take_entries(message)

    def on_reset(self, message: ResetMessage) -> None:
        """See link.Listener."""
        if (following := self._by_stream.get(message["stream"])) is not None:
            following.take_reset(message)

    def on_snapshot(self, message: SnapshotPart) -> None:
        """See link.Listener."""
        if (following := self._by_stream.get(message["stream"])) is not None:
            following.take_part(message)

    def on_heads(self, message: HeadsMessage) -> None:
        """See link.Listener."""
        for stream, head in message["heads"].items():
            if (following := self._by_stream.get(stream)) is not None:
                following.take_head(head)

    def on_presence(self, message: PresenceMessage) -> None:
        """See link.Listener."""
        if (following := self._by_stream.get(message["stream"])) is not None:
            following.company.take_present(message["present"])

    def on_awareness(self, message: AwarenessMessage) -> None:
        """See link.Listener."""
        if (following := self._by_stream.get(message["stream"])) is not None:
            following.company.take_awareness(message)

    def on_closed(self, message: ClosedMessage) -> None:
        """See link.Listener."""
        if (following := self._by_stream.get(message.get("stream") or "")) is not None:
            following.take_closed(message["reason"])
