"""Awareness on the wire: a state is encoded once for each parser, and what changed in a tick is one frame for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from actors.runtime.awareness import Awareness
from actors.runtime.hub import Following
from server.gateway.parsers import Parser

Changes = Mapping[Following, Awareness]


class AwarenessFrames:
    """A hub tells all its followers the same changes in one go, so the newest frame serves all but their senders."""

    def __init__(self) -> None:
        # Parser → the changes that were encoded last, and their frame.
        self._newest: dict[str, tuple[Changes, bytes]] = {}

    def frame(self, parser: Parser, following: Following, changes: Changes) -> bytes | None:
        """What a place is told of the changes: not its own, so perhaps nothing."""
        if following in changes:
            others = [awareness for place, awareness in changes.items() if place is not following]
            return _frame(parser, following.hub.stream, others) if others else None
        newest = self._newest.get(parser.name)
        if newest is None or newest[0] is not changes:
            frame = _frame(parser, following.hub.stream, changes.values())
            newest = self._newest[parser.name] = (changes, frame)
        return newest[1]


def complete_frame(parser: Parser, following: Following) -> bytes:
    """All states but the place's own."""
    states = following.hub.awareness.of_others(following)
    return _frame(parser, following.hub.stream, states, complete=True)


def _frame(parser: Parser, stream: str, states: Iterable[Awareness], *, complete: bool = False) -> bytes:
    return parser.awareness(stream, [_encoded(parser, awareness) for awareness in states], complete=complete)


def _encoded(parser: Parser, awareness: Awareness) -> bytes:
    encoded = awareness.encoded.get(parser.name)
    if encoded is None:
        encoded = awareness.encoded[parser.name] = parser.dumps(awareness.wire())
    return encoded
