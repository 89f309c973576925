"""The forms that Socket.IO packets have on the wire. A client chooses one by the path that it connects to.

Everything that goes to several clients is encoded once for each parser: its frames are whole WebSocket frames, which
are written to one client after the other as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Protocol

from actors.runtime.hub import CloseReason
from actors.runtime.publication import Publication
from protocol.base import Message
from protocol.wire import CLOSED, ClosedMessage
from server.gateway.packets import Packet


class Parser(Protocol):
    """One form. `is_binary`: its packets travel in binary messages instead of Engine.IO's text ones."""

    name: str
    path: str
    is_binary: bool

    def __hash__(self) -> int:
        """There is one of each form in a gateway, so what was encoded is found by it."""
        ...

    def decode(self, message: Any, depth_max: int) -> Packet:
        """The packet of a client: `bytes` if it is binary, else text without Engine.IO's type digit.

        Raises BadPacket.
        """
        ...

    def connected(self, sid: str) -> bytes: ...

    def connect_error(self, error: dict[str, Any], namespace: str = "/") -> bytes:
        """`message` is what clients show; `data` holds the same error object as a refused ack."""
        ...

    def disconnect(self) -> bytes: ...

    def ack(self, ack_id: int, answer: dict[str, Any]) -> bytes: ...

    def event(self, name: str, message: Message) -> bytes: ...

    def dumps(self, value: Any) -> bytes:
        """A value as it stands inside of packets."""
        ...

    def snapshot(self, stream: str, cursor: str, part: tuple[int, int], state: bytes) -> bytes:
        """A `snapshot` event; `part` is (number, of how many), `state` encoded already."""
        ...

    def awareness(self, stream: str, states: Sequence[bytes], *, complete: bool) -> bytes:
        """An `awareness` event of states that are encoded already."""
        ...

    def entry(self, publication: Publication) -> bytes:
        """An entry as it stands inside of packets; encoded once."""
        ...

    def entries(self, stream: str, publications: Sequence[Publication]) -> bytes:
        """One `entries` event for one or several entries that follow each other; built once."""
        ...


@lru_cache(maxsize=8)
def closed_frame(parser: Parser, reason: CloseReason, stream: str | None = None) -> bytes:
    """A `closed` event. Thousands may be told the same in one turn, so the newest few are kept."""
    return parser.event(CLOSED, ClosedMessage(stream=stream, reason=reason))


class NewestRun:
    """The frame of the newest several entries: all followers of a stream who are live get the same ones in one tick."""

    def __init__(self) -> None:
        # First and last entry of the run, and its frame.
        self._newest: tuple[Publication, Publication, bytes] | None = None

    def frame(self, publications: Sequence[Publication], build: Callable[[], bytes]) -> bytes:
        """The frame of these entries, which follow each other."""
        newest, first, last = self._newest, publications[0], publications[-1]
        if newest is not None and newest[0] is first and newest[1] is last:
            return newest[2]
        frame = build()
        self._newest = (first, last, frame)
        return frame


def fit(publications: list[Publication], bytes_max: int, entry: Callable[[Publication], bytes]) -> list[Publication]:
    """The first of them that fit into one packet as `entry` encodes them, at least one."""
    size = 0
    for index, publication in enumerate(publications):
        size += len(entry(publication))
        if size > bytes_max and index:
            return publications[:index]
    return publications
