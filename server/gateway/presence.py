"""Presence on the wire: one frame for all followers of a stream."""

from __future__ import annotations

from protocol.wire import PRESENCE, PresenceMessage, PresentUser
from server.gateway.frames import event_frame


class PresenceFrames:
    """A hub tells all its followers the same list in one go, so the newest frame serves them all."""

    def __init__(self) -> None:
        # The list that was encoded last, and its frame.
        self._newest: tuple[list[PresentUser], bytes] | None = None

    def frame(self, stream: str, present: list[PresentUser]) -> bytes:
        if self._newest is None or self._newest[0] is not present:
            self._newest = (present, event_frame(PRESENCE, PresenceMessage(stream=stream, present=present)))
        return self._newest[1]
