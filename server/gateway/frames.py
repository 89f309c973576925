"""Bytes on the wire: WebSocket text frames (RFC 6455 §5.2, server to client, so unmasked) around Socket.IO packets.

An entry is encoded once and framed once for everybody who follows its stream.
"""

from __future__ import annotations

from struct import pack
from typing import Any

import orjson

from actors.runtime.publication import Publication
from protocol.base import Message
from protocol.wire import ENTRIES
from server.entry_json import entry_json

_FRAME = "json-frame"

PING_FRAME = b"\x81\x012"


def text_frame(payload: bytes) -> bytes:
    """A whole text message in one frame."""
    return _frame(0x81, payload)


def close_frame(code: int, reason: str) -> bytes:
    """A close frame (§5.5.1); the reason is cut to what fits a control frame."""
    return _frame(0x88, pack("!H", code) + reason.encode()[:123])


def _frame(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return pack("!BB", first, size) + payload
    if size < 65_536:
        return pack("!BBH", first, 126, size) + payload
    return pack("!BBQ", first, 127, size) + payload


def open_frame(sid: str, ping_interval_s: float, ping_timeout_s: float, packet_bytes_max: int) -> bytes:
    """Engine.IO's handshake."""
    handshake = {
        "sid": sid,
        "upgrades": [],
        "pingInterval": int(ping_interval_s * 1000),
        "pingTimeout": int(ping_timeout_s * 1000),
        "maxPayload": packet_bytes_max,
    }
    return text_frame(b"0" + orjson.dumps(handshake))


def connect_frame(sid: str) -> bytes:
    return text_frame(b"40" + orjson.dumps({"sid": sid}))


def connect_error_frame(error: dict[str, Any], namespace: str = "") -> bytes:
    """`message` is what clients show; `data` holds the same error object as a refused ack. "": the main namespace."""
    to = f"{namespace},".encode() if namespace else b""
    return text_frame(b"44%b%b" % (to, orjson.dumps({"message": error["message"], "data": error})))


DISCONNECT_FRAME = text_frame(b"41")


def ack_frame(ack_id: int, answer: dict[str, Any]) -> bytes:
    return text_frame(b"43%d[%b]" % (ack_id, orjson.dumps(answer)))


def event_frame(name: str, message: Message) -> bytes:
    body = orjson.dumps(message.model_dump(mode="python", by_alias=True, exclude_none=True))
    return text_frame(b'42["%b",%b]' % (name.encode(), body))


def raw_event_frame(name: str, body: bytes) -> bytes:
    """An event whose payload is encoded already."""
    return text_frame(b'42["%b",%b]' % (name.encode(), body))


def entries_frame(stream: str, publications: list[Publication]) -> bytes:
    """One `entries` event for one or several entries."""
    if len(publications) == 1:
        publication = publications[0]
        frame = publication.encoded.get(_FRAME)
        if frame is None:
            frame = publication.encoded[_FRAME] = _entries(stream, entry_json(publication))
        return frame
    return _entries(stream, b",".join(map(entry_json, publications)))


def fit(publications: list[Publication], bytes_max: int) -> list[Publication]:
    """The first of them that fit into one packet, at least one."""
    size = 0
    for index, publication in enumerate(publications):
        size += len(entry_json(publication))
        if size > bytes_max and index:
            return publications[:index]
    return publications


def _entries(stream: str, entries: bytes) -> bytes:
    return raw_event_frame(ENTRIES, b'{"stream":"%b","entries":[%b]}' % (stream.encode(), entries))
