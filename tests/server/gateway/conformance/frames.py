"""Frames as clients send them (RFC 6455 §5.2), right or wrong, and the two forms of what is in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from struct import pack
from typing import Final

from tests.server.gateway.msgpack_client import packed

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
"""Opcodes."""
_MASK: Final = b"\x37\xfa\x21\x3d"


@dataclass(frozen=True)
class Dialect:
    """A path of the server, and how Engine.IO messages are put there."""

    name: str
    path: str
    opcode: int
    encode: Callable[[str], bytes]


JSON: Final = Dialect("json", "socket.io", TEXT, str.encode)
MSGPACK: Final = Dialect("msgpack", "socket.io-msgpack", BINARY, packed)


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    last: bool = True,
    reserved: int = 0,
    mask: bytes | None = _MASK,
    form: int = 0,
) -> bytes:
    """One frame. `form`: the number of bytes that its length takes (1, 3 or 9) where that is not the shortest."""
    size, masks = len(payload), 0x80 if mask is not None else 0
    first = (0x80 if last else 0) | reserved << 4 | opcode
    if form == 9 or size > 0xFFFF:
        head = pack("!BBQ", first, masks | 127, size)
    elif form == 3 or size > 125:
        head = pack("!BBH", first, masks | 126, size)
    else:
        head = pack("!BB", first, masks | size)
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[index & 3] for index, byte in enumerate(payload))


def pieces(payload: bytes, opcode: int, *cuts: int, between: bytes = b"") -> bytes:
    """A message in fragments, cut at these places; other frames may come in between."""
    edges = [0, *cuts, len(payload)]
    found = []
    for number, (start, end) in enumerate(pairwise(edges)):
        last = number == len(cuts)
        found.append(frame(payload[start:end], CONTINUATION if number else opcode, last=last))
    return between.join(found)


def close(code: int, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(pack("!H", code) + reason, CLOSE)
