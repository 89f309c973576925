"""WebSocket frames of a server (RFC 6455 §5.2, unmasked), and Engine.IO packets with no Socket.IO packet inside."""

from __future__ import annotations

from struct import pack

import orjson

PING_FRAME = b"\x81\x012"


def text_frame(payload: bytes) -> bytes:
    """A whole text message in one frame."""
    return _frame(0x81, payload)


def binary_frame(payload: bytes) -> bytes:
    """A whole binary message in one frame."""
    return _frame(0x82, payload)


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping (§5.5.3)."""
    return _frame(0x8A, payload)


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
