"""What RFC 6455 asks of a client's frames and aiohttp's reader does not look at."""

from __future__ import annotations

from typing import Final

from aiohttp import WebSocketError, WSCloseCode
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader

_LAST, _OPCODE, _MASKED, _LENGTH = 0x80, 0x0F, 0x80, 0x7F
_BINARY: Final = 2
"""The highest opcode of a data frame; from 8 on they are control frames, which may come in between."""
_EXTENDED: Final = {126: 2, 127: 8}
"""The bytes that a length takes beyond its first."""
_MASK_BYTES: Final = 4
_SHORT_HEAD_BYTES: Final = 2 + _MASK_BYTES

_UNMASKED: Final = "a client's frames are masked (§5.1)"
_ENTANGLED: Final = "one message begins before the other has ended (§5.4)"


class StrictReader(WebSocketReader):
    """Looks at the head of every frame before stock does: at its mask, and whether it may begin a message.

    Stock unmasks what is masked and takes the rest as it is, and it forgets a message that began with an empty frame.
    A message may have `packet_bytes_max` bytes; stock refuses the size that it is given.
    """

    def __init__(self, queue: WebSocketDataQueue, packet_bytes_max: int) -> None:
        super().__init__(queue, packet_bytes_max + 1, compress=False, decode_text=True)
        self._inbox = queue
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

    def feed_data(self, data: bytes | bytearray | memoryview) -> tuple[bool, bytes]:
        """See stock: (whether it is over, what was not read)."""
        if self._is_between and _is_one_frame(data):
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
        good, why = found
        over, rest = super().feed_data(data[:good])
        if not over:
            self._is_broken = True
            self._inbox.set_exception(WebSocketError(WSCloseCode.PROTOCOL_ERROR, why))
        return True, rest

    def _look(self, data: bytes) -> tuple[int, str] | None:
        """How many of the bytes come before a frame that must not be, and why it must not; None if all is well."""
        joined, at = self._head + data, self._to_come
        size = len(joined)
        while at + 2 <= size:
            first, second = joined[at], joined[at + 1]
            body = at + 2 + _EXTENDED.get(second & _LENGTH, 0)
            if body > size:
                break
            why = self._wrong(first, second)
            if why is not None:
                return max(0, at - len(self._head)), why
            length = second & _LENGTH if body == at + 2 else int.from_bytes(joined[at + 2 : body])
            at = body + _MASK_BYTES + length
        self._to_come, self._head = max(0, at - size), joined[at:]
        return None

    def _wrong(self, first: int, second: int) -> str | None:
        if not second & _MASKED:
            return _UNMASKED
        opcode = first & _OPCODE
        if opcode <= _BINARY:
            if opcode and self._has_begun:
                return _ENTANGLED
            self._has_begun = not first & _LAST
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
