"""Bare TCP with WebSocket frames: for clients that do not read, die half-way, or speak nonsense."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from typing import Self
from urllib.parse import urlsplit

from tests.server.gateway.client import DEADLINE_S


def masked(payload: bytes, opcode: int = 1) -> bytes:
    """A frame as clients send it (RFC 6455 §5.3)."""
    mask = os.urandom(4)
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65_536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def frames(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole (opcode, payload) frames of a server, and what is left over."""
    found = []
    while len(data) >= 2:
        size, start = data[1] & 0x7F, 2
        if size == 126 and len(data) >= 4:
            size, start = struct.unpack("!H", data[2:4])[0], 4
        elif size == 127 and len(data) >= 10:
            size, start = struct.unpack("!Q", data[2:10])[0], 10
        elif size >= 126:
            break
        if len(data) < start + size:
            break
        found.append((data[0] & 0x0F, data[start : start + size]))
        data = data[start + size :]
    return found, data


class RawClient:
    """A TCP connection with a small receive buffer."""

    def __init__(self, raw: socket.socket, host: str) -> None:
        self.raw = raw
        self.host = host
        # What was received and is not a whole frame yet.
        self._rest = b""

    @classmethod
    async def connected(cls, url: str) -> Self:
        """TCP only."""
        address = urlsplit(url)
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, (address.hostname, address.port))
        return cls(raw, address.netloc)

    @classmethod
    async def entered(cls, url: str, token: str) -> Self:
        """Past CONNECT."""
        client = await cls.connected(url)
        await client.send(client.upgrade() + client.connect(token))
        head = b""
        while b"\r\n\r\n" not in head:
            head += await client._receive()
        client._rest = head.partition(b"\r\n\r\n")[2]
        packets: list[str] = []
        while len(packets) < 2:
            packets += await client.read()
        assert packets[1].startswith("40"), packets
        return client

    def upgrade(self) -> bytes:
        """The HTTP request."""
        return (
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {self.host}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        ).encode()

    def connect(self, token: str) -> bytes:
        return masked(b"40" + json.dumps({"token": token}).encode())

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.raw, data)

    async def emit(self, number: int, event: str, payload: object) -> None:
        await self.send(masked(f"42{number}{json.dumps([event, payload])}".encode()))

    async def _receive(self) -> bytes:
        async with asyncio.timeout(DEADLINE_S):
            data = await asyncio.get_running_loop().sock_recv(self.raw, 1 << 16)
        if not data:
            raise ConnectionResetError("the server closed")
        return data

    async def read(self) -> list[str]:
        """The next texts, at least one. Raises ConnectionResetError at the end."""
        while True:
            found, self._rest = frames(self._rest)
            if texts := [payload.decode() for opcode, payload in found if opcode == 1]:
                return texts
            self._rest += await self._receive()

    async def until_end(self) -> None:
        """Reads until the server has closed."""
        try:
            while True:
                await self.read()
        except ConnectionResetError:
            self.close()

    async def farewell(self) -> tuple[int, str]:
        """Code and reason of the close frame."""
        while True:
            found, self._rest = frames(self._rest)
            for opcode, payload in found:
                if opcode == 8:
                    return int.from_bytes(payload[:2]), payload[2:].decode()
            self._rest += await self._receive()

    def reset(self) -> None:
        """Cuts the connection off (RST)."""
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.raw.close()

    def close(self) -> None:
        self.raw.close()
