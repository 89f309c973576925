"""One client on a plain socket, without a loop of its own, so that a single ack's time is the server's."""

from __future__ import annotations

import base64
import os
import socket
from struct import pack, unpack
from time import perf_counter
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import orjson

from server.ids import SystemIds


class BlockingClient:
    """Speaks the live protocol request by request; events in between are read over."""

    def __init__(self, url: str, token: str) -> None:
        place = urlsplit(url)
        self._socket = socket.create_connection((place.hostname or "127.0.0.1", place.port or 80), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Bytes that were received and not yet read.
        self._buffer = b""
        self._ids = SystemIds()
        self._next_id = 0
        self._upgrade(place.netloc)
        self._receive()
        self._send(b"40" + orjson.dumps({"token": token}))
        answer = self._receive()
        if not answer.startswith(b"40"):
            raise RuntimeError(f"refused: {answer!r}")

    def _upgrade(self, host: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._socket.sendall(request.encode())
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode())

    def _fill(self) -> None:
        received = self._socket.recv(65_536)
        if not received:
            raise ConnectionError("the server ended the connection")
        self._buffer += received

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _send(self, payload: bytes) -> None:
        self._socket.sendall(_masked(payload))

    def _receive(self) -> bytes:
        """The next text message; pings of the engine are answered on the way."""
        while True:
            size = self._take(2)[1]
            if size == 126:
                (size,) = unpack("!H", self._take(2))
            elif size == 127:
                (size,) = unpack("!Q", self._take(8))
            message = self._take(size)
            if message != b"2":
                return message
            self._send(b"3")

    def command(self, stream: str, command_type: str, data: dict[str, Any]) -> float:
        """Sends a command under a new opId: seconds from its first byte to the last one of its ack.

        Raises RuntimeError when it is refused.
        """
        self._next_id += 1
        payload = {"stream": stream, "opId": self._ids.new_id(), "type": command_type, "data": data}
        frame = _masked(b"42%d%b" % (self._next_id, orjson.dumps(["command", payload])))
        expected = b"43%d[" % self._next_id
        began_s = perf_counter()
        self._socket.sendall(frame)
        while not (message := self._receive()).startswith(expected):
            pass
        took_s = perf_counter() - began_s
        answer: dict[str, Any] = orjson.loads(message[len(expected) - 1 :])[0]
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return took_s

    def __enter__(self) -> BlockingClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._socket.close()


def _masked(payload: bytes) -> bytes:
    """A masked text frame; a mask of zeros is a mask (RFC 6455 §5.3 asks browsers for random ones)."""
    size = len(payload)
    head = pack("!BB", 0x81, 0x80 | size) if size < 126 else pack("!BBH", 0x81, 0xFE, size)
    return head + b"\0\0\0\0" + payload
