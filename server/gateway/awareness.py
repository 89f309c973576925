"""Awareness on the wire: a state is encoded once for each parser."""

from __future__ import annotations

from collections.abc import Iterable

from actors.runtime.awareness import Awareness
from server.gateway.parsers import Parser


def awareness_frame(parser: Parser, stream: str, states: Iterable[Awareness], *, complete: bool = False) -> bytes:
    """An `awareness` event."""
    return parser.awareness(stream, [_encoded(parser, awareness) for awareness in states], complete=complete)


def _encoded(parser: Parser, awareness: Awareness) -> bytes:
    encoded = awareness.encoded.get(parser.name)
    if encoded is None:
        encoded = awareness.encoded[parser.name] = parser.dumps(awareness.wire())
    return encoded
