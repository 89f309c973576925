"""Socket.IO packets as text with JSON, the default form: `socket.io-parser` of JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from actors.runtime.publication import Publication
from protocol.base import Message
from protocol.poison import LONE_SURROGATE, find_poison, may_hold_poison
from protocol.wire import AWARENESS, ENTRIES, SNAPSHOT
from server.entry_json import entry_json
from server.gateway.frames import text_frame
from server.gateway.packets import (
    AckPacket,
    BadPacket,
    ConnectPacket,
    DisconnectPacket,
    EventPacket,
    ForeignConnectPacket,
    Packet,
    PoisonedEvent,
    clean,
    event_packet,
    foreign_connect,
)
from server.gateway.parsers import NewestRun

CONNECT, DISCONNECT, EVENT, ACK = "0", "1", "2", "3"
"""Types of packets that clients send."""

MAIN = "/"
"""The namespace that is served; it need not be written out."""

_FRAME = "json-frame"
_ACK_ID_DIGITS_MAX = 15
_DISCONNECT_FRAME = text_frame(b"41")


class JsonParser:
    """Fits `server.gateway.parsers.Parser`. Frames begin with Engine.IO's `4` for a message."""

    name = "json"
    path = "socket.io"
    is_binary = False

    def __init__(self) -> None:
        self._run = NewestRun()

    def decode(self, message: str, depth_max: int) -> Packet:
        """See the port."""
        kind, rest = message[:1], message[1:]
        if rest.startswith("/"):
            namespace, _, rest = rest.partition(",")
            if namespace != MAIN:
                return _foreign(kind, namespace, rest, depth_max)
        if kind == EVENT:
            return _event(rest, depth_max)
        if kind == CONNECT:
            return ConnectPacket(_clean_json(rest, depth_max) if rest else None)
        if kind == DISCONNECT and not rest:
            return DisconnectPacket()
        if kind == ACK:
            ack_id, body = _leading_number(rest)
            if ack_id is None or not isinstance(_clean_json(body, depth_max), list):
                raise BadPacket("an ack needs an id and a list")
            return AckPacket()
        raise BadPacket("unknown packet type")

    def connected(self, sid: str) -> bytes:
        """See the port."""
        return text_frame(b"40" + orjson.dumps({"sid": sid}))

    def connect_error(self, error: dict[str, Any], namespace: str = MAIN) -> bytes:
        """See the port."""
        to = b"" if namespace == MAIN else f"{namespace},".encode()
        return text_frame(b"44%b%b" % (to, orjson.dumps({"message": error["message"], "data": error})))

    def disconnect(self) -> bytes:
        """See the port."""
        return _DISCONNECT_FRAME

    def ack(self, ack_id: int, answer: dict[str, Any]) -> bytes:
        """See the port."""
        return text_frame(b"43%d[%b]" % (ack_id, orjson.dumps(answer)))

    def event(self, name: str, message: Message) -> bytes:
        """See the port."""
        body = orjson.dumps(message.model_dump(mode="python", by_alias=True, exclude_none=True))
        return _event_frame(name, body)

    def dumps(self, value: Any) -> bytes:
        """See the port."""
        return orjson.dumps(value)

    def snapshot(self, stream: str, cursor: str, part: tuple[int, int], state: bytes) -> bytes:
        """See the port."""
        head = b'{"stream":"%b","cursor":"%b","part":%d,"parts":%d,"state":' % (stream.encode(), cursor.encode(), *part)
        return _event_frame(SNAPSHOT, b"%b%b}" % (head, state))

    def awareness(self, stream: str, states: Sequence[bytes], *, complete: bool) -> bytes:
        """See the port."""
        said = b'{"stream":"%b","states":[%b]%b}'
        last = b',"complete":true' if complete else b""
        return _event_frame(AWARENESS, said % (stream.encode(), b",".join(states), last))

    def entry(self, publication: Publication) -> bytes:
        """See the port."""
        return entry_json(publication)

    def entries(self, stream: str, publications: Sequence[Publication]) -> bytes:
        """See the port."""
        if len(publications) > 1:
            return self._run.frame(publications, lambda: _entries(stream, b",".join(map(entry_json, publications))))
        encoded = publications[0].encoded
        frame = encoded.get(_FRAME)
        if frame is None:
            frame = encoded[_FRAME] = _entries(stream, entry_json(publications[0]))
        return frame


def _event_frame(name: str, body: bytes) -> bytes:
    return text_frame(b'42["%b",%b]' % (name.encode(), body))


def _entries(stream: str, entries: bytes) -> bytes:
    return _event_frame(ENTRIES, b'{"stream":"%b","entries":[%b]}' % (stream.encode(), entries))


def _foreign(kind: str, namespace: str, body: str, depth_max: int) -> ForeignConnectPacket:
    if kind != CONNECT:
        raise BadPacket("only the main namespace is served, and nobody is in another")
    packet = foreign_connect(namespace)
    if body:
        _clean_json(body, depth_max)
    return packet


def _event(rest: str, depth_max: int) -> EventPacket | PoisonedEvent:
    ack_id, body = _leading_number(rest)
    if not may_hold_poison(body, depth_max):
        return event_packet(_json(body), None, ack_id)
    try:
        arguments = _json(body)
    except BadPacket:
        if ack_id is None or not _holds_lone_surrogates(body):
            raise
        return PoisonedEvent(LONE_SURROGATE, ack_id)
    return event_packet(arguments, find_poison(arguments, depth_max), ack_id)


def _leading_number(text: str) -> tuple[int | None, str]:
    rest = text.lstrip("0123456789")
    digits = len(text) - len(rest)
    if digits > _ACK_ID_DIGITS_MAX:
        raise BadPacket("the ack id is too long")
    return (int(text[:digits]) if digits else None), rest


def _holds_lone_surrogates(text: str) -> bool:
    """Whether text that is no JSON is that but for them: a page that cuts a text within an emoji means no harm."""
    without = text.replace("\\ud", "\\u0").replace("\\uD", "\\u0")  # an escape stays one, whatever stands before it
    if without == text:
        return False
    try:
        orjson.loads(without)
    except orjson.JSONDecodeError:
        return False
    return True


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise BadPacket("not JSON") from error


def _clean_json(text: str, depth_max: int) -> Any:
    return clean(_json(text), depth_max)
