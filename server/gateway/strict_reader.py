"""What RFC 6455 asks of a client's frames and aiohttp's reader does not look at."""

from __future__ import annotations

from typing import Final

from aiohttp import WebSocketError, WSCloseCode
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader

_LAST, _OPCODE, _MASKED, _LENGTH = 0x80, 0x0F, 0x80, 0x7F
_BINARY: Final = 2
"""The highest opcode with which a message begins."""
_EXTENDED: Final = {126: 2, 127: 8}
"""The bytes that a length takes beyond its first."""
_MASK_BYTES: Final = 4
_SHORT_HEAD_BYTES: Final = 2 + _MASK_BYTES

_CONTROL: Final = 8
"""The lowest opcode of a control frame, which is no part of a message, and which stock keeps small."""

_UNMASKED: Final = "a client's frames are masked (§5.1)"
_ENTANGLED: Final = "one message begins before the other has ended (§5.4)"


class StrictReader(WebSocketReader):
    """Looks at the head of every frame before stock does: at its mask, and whether it may begin a message.

    Stock unmasks what is masked and takes the rest as it is, and it forgets a message that began with an empty frame.
    A message may have `packet_bytes_max` bytes, and for some time less: see `limit_packets`. What has more is refused
    at the head of the frame with which it has, before any of that is kept.
    """

    def __init__(self, queue: WebSocketDataQueue, packet_bytes_max: int) -> None:
        super().__init__(queue, packet_bytes_max + 1, compress=False, decode_text=True)
        self._inbox = queue
        # What a message may have at present, and what the present one has so far.
        self._bytes_max = packet_bytes_max
        self._message_bytes = 0
        # Bytes of the present frame that are still to come.
        self._to_come = 0
        # The beginning of a head whose rest is still to come.
        self._head = b""
        # Whether a message has begun that has not ended.
        self._has_begun = False
        # Whether what comes next begins a frame, and no message is under way.
        self._is_between = True
        # Whether a wrong frame has come, behind which nothing is read.
        self._is_broken = False

    @property
    def to_come(self) -> int:
        """The bytes of the present frame that are still to come, as far as its head is known."""
        return self._to_come

    def limit_packets(self, bytes_max: int) -> None:
        """From the next frame on a message may have so many bytes, and never more than stock takes."""
        self._bytes_max = bytes_max

    def feed_data(self, data: bytes | bytearray | memoryview) -> tuple[bool, bytes]:
        """See stock: (whether it is over, what was not read)."""
        if self._is_between and len(data) <= self._bytes_max and _is_one_frame(data):
            return super().feed_data(data)
        if self._is_broken:
            super().feed_data(b"")  # what stock has set aside until its queue has room
            return True, b""
        data = bytes(data)
        found = self._look(data)
        if found is None:
            self._is_between = not (self._to_come or self._head or self._has_begun)
            return super().feed_data(data)
        self._is_between = False
        good, error = found
        bytes_max = self._bytes_max
        over, rest = super().feed_data(data[:good])
        if good and not over and self._bytes_max > bytes_max:  # by what came before it
            self._to_come, self._head = 0, b""
            return self.feed_data(data[good:])
        if not over:
            self._is_broken = True
            self._inbox.set_exception(error)
        return True, rest

    def _look(self, data: bytes) -> tuple[int, WebSocketError] | None:
        """How many of the bytes come before a frame that must not be, and why it must not; None if all is well."""
        joined, at = self._head + data, self._to_come
        size = len(joined)
        while at + 2 <= size:
            first, second = joined[at], joined[at + 1]
            body = at + 2 + _EXTENDED.get(second & _LENGTH, 0)
            if body > size:
                break
            length = second & _LENGTH if body == at + 2 else int.from_bytes(joined[at + 2 : body])
            error = self._wrong(first, second, length)
            if error is not None:
                return max(0, at - len(self._head)), error
            at = body + _MASK_BYTES + length
        self._to_come, self._head = max(0, at - size), joined[at:]
        return None

    def _wrong(self, first: int, second: int, length: int) -> WebSocketError | None:
        if not second & _MASKED:
            return WebSocketError(WSCloseCode.PROTOCOL_ERROR, _UNMASKED)
        opcode = first & _OPCODE
        if opcode and opcode <= _BINARY and self._has_begun:
            return WebSocketError(WSCloseCode.PROTOCOL_ERROR, _ENTANGLED)
        if opcode >= _CONTROL:
            return None
        size = length + (self._message_bytes if self._has_begun else 0)
        if size > self._bytes_max:
            return WebSocketError(WSCloseCode.MESSAGE_TOO_BIG, f"{size} bytes, and {self._bytes_max} are taken")
        if opcode <= _BINARY:
            self._has_begun, self._message_bytes = not first & _LAST, size
        return None


def _is_one_frame(data: bytes | bytearray | memoryview) -> bool:
    """Whether it is a whole message in one masked frame, as almost all that arrives is, and nothing else."""
    size = len(data)
    if size < _SHORT_HEAD_BYTES or data[0] < _LAST:
        return False
    length = data[1] - _MASKED
    if length < 126:
        return size == _SHORT_HEAD_BYTES + length
    return length == 126 and size == _SHORT_HEAD_BYTES + 2 + int.from_bytes(data[2:4])
