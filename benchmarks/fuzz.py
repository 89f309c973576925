"""Fuzzes the live protocol: `python -m benchmarks --only fuzz`, and a short run in the tests.

Connections come one after the other. Each sends gentle noise, waits until the server has answered a ping behind it,
sends one harsh packet and goes, or is let go. What the server has not demonstrably handled is not counted.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from time import monotonic

import orjson

from benchmarks.noise import BINARY, PROBE, Noise, frame, packed

_ANSWER = b"\x81\x063probe"
_BEFORE_SHARE, _BINARY_SHARE, _HTTP_SHARE = 0.3, 0.4, 0.02
"""Of the connections: those that never authenticate themselves, those with msgpack, those that do not get so far."""
_GENTLE_BEFORE, _GENTLE_AFTER = 20, 60
_PATIENCE_S = 20.0
_ADDRESSES = 50
_RECEIVE_BYTES = 1 << 20
_TAIL_BYTES = 64
_UPGRADE = (
    "GET /{path}/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Gone(Exception):
    """The server has ended the connection before it answered."""


class Silent(Exception):
    """The server has neither answered nor ended the connection in time."""


@dataclass(slots=True)
class Tally:
    """What was sent and what came of it."""

    packets: int = 0
    before: int = 0
    connections: int = 0
    # Ended by the server before it had answered what was behind gentle noise.
    cut: int = 0
    # The server has forgotten somebody.
    silent: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.packets:,} packets ({self.before:,} before authentication) on {self.connections:,} connections in "
            f"{self.seconds:.0f} s; {self.cut:,} ended amid gentle noise, {self.silent} without an answer"
        )


@dataclass(slots=True)
class Fuzzer:
    """Noise against one server. `tokens` are of people who may follow some of the streams."""

    host: str
    port: int
    tokens: Sequence[str]
    streams: Sequence[str]
    seed: int = 1
    tally: Tally = field(default_factory=Tally)
    # Set from elsewhere to end a run early.
    stopped: bool = False

    def run(self, packets: int) -> Tally:
        """Until so many more have been handled."""
        random = Random(f"{self.seed}/{self.tally.packets}")
        began_s, until = monotonic(), self.tally.packets + packets
        while self.tally.packets < until and not self.stopped:
            self.tally.connections += 1
            try:
                self._one(random)
            except Silent:
                self.tally.silent += 1
        self.tally.seconds += monotonic() - began_s
        return self.tally

    def _one(self, random: Random) -> None:
        if random.random() < _HTTP_SHARE:
            self._not_even_http(random)
            return
        binary, before = random.random() < _BINARY_SHARE, random.random() < _BEFORE_SHARE
        noise = Noise(random, self.streams, binary=binary)
        hello = b"" if before else _connect_packet(random.choice(self.tokens), binary=binary)
        count = _GENTLE_BEFORE if before else _GENTLE_AFTER
        gentle = [noise.before() if before else noise.gentle() for _ in range(count)]
        with self._upgraded(binary=binary) as raw:
            try:
                raw.sendall(hello + b"".join(gentle) + frame(PROBE))
                _until(raw, _ANSWER)
            except (Gone, ConnectionError):
                self.tally.cut += 1
                self._count(1, before=before)
                return
            self._count(count + 1, before=before)
            _say_last(raw, noise.harsh())

    def _count(self, packets: int, *, before: bool) -> None:
        self.tally.packets += packets
        self.tally.before += packets if before else 0

    def _socket(self) -> socket.socket:
        raw = socket.socket()
        raw.settimeout(_PATIENCE_S)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.bind((f"127.0.0.{1 + self.tally.connections % _ADDRESSES}", 0))
        raw.connect((self.host, self.port))
        return raw

    def _upgraded(self, *, binary: bool) -> socket.socket:
        raw = self._socket()
        path = "socket.io-msgpack" if binary else "socket.io"
        raw.sendall(_UPGRADE.format(path=path, host=f"{self.host}:{self.port}").encode())
        return raw

    def _not_even_http(self, random: Random) -> None:
        texts = (
            random.randbytes(random.randint(1, 300)),
            b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * random.randint(1, 20_000),
            b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /socket.io/?EIO=3&transport=websocket&sid=%0aforged HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc",
        )
        with self._socket() as raw:
            self.tally.packets += 1
            self.tally.before += 1
            _say_last(raw, random.choice(texts))


def _connect_packet(token: str, *, binary: bool) -> bytes:
    if binary:
        return frame(packed({"type": 0, "nsp": "/", "data": {"token": token}}), BINARY)
    return frame(b"40" + orjson.dumps({"token": token}))


def _until(raw: socket.socket, wanted: bytes) -> None:
    """Reads over everything until it comes. Raises Gone, Silent."""
    tail = b""
    deadline_s = monotonic() + _PATIENCE_S
    while wanted not in tail:
        tail = tail[-_TAIL_BYTES:] + _received(raw, deadline_s)


def _received(raw: socket.socket, deadline_s: float) -> bytes:
    if monotonic() > deadline_s:
        raise Silent
    try:
        data = raw.recv(_RECEIVE_BYTES)
    except TimeoutError:
        raise Silent from None
    if not data:
        raise Gone
    return data


def _say_last(raw: socket.socket, last: bytes) -> None:
    """Sends it and nothing more; the server has to come to an end, whatever it was. Raises Silent."""
    deadline_s = monotonic() + _PATIENCE_S
    try:
        raw.sendall(last)
        raw.shutdown(socket.SHUT_WR)
        while True:
            _received(raw, deadline_s)
    except TimeoutError:
        raise Silent from None
    except (Gone, OSError):
        pass  # ended by the server, before or after the last word
