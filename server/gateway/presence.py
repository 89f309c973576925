"""Presence on the wire: one frame for all followers of a stream."""

from __future__ import annotations

from protocol.wire import PRESENCE, PresenceMessage, PresentUser
from server.gateway.parsers import Parser


class PresenceFrames:
    """A hub tells all its followers the same list in one go, so the newest frame serves them all."""

    def __init__(self) -> None:
        # Parser → the list that was encoded last, and its frame.
        self._newest: dict[str, tuple[list[PresentUser], bytes]] = {}

    def frame(self, parser: Parser, stream: str, present: list[PresentUser]) -> bytes:
        newest = self._newest.get(parser.name)
        if newest is None or newest[0] is not present:
            frame = parser.event(PRESENCE, PresenceMessage(stream=stream, present=present))
            newest = self._newest[parser.name] = (present, frame)
        return newest[1]
