"""A client of bare TCP that says in words what a server answers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import socket
import struct
from collections.abc import Sequence
from typing import Any, Final, Self

from tests.server.gateway.conformance.case import Case
from tests.server.gateway.conformance.frames import BINARY, CLOSE, PONG, TEXT, Dialect, frame
from tests.server.gateway.msgpack_client import unpacked
from tests.server.gateway.raw import RawClient, frames

QUERY: Final = "EIO=4&transport=websocket"
KEY: Final = "MDEyMzQ1Njc4OWFiY2RlZg=="
_GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PROBE: Final = "2probe"
_ANSWER: Final = "pong probe"
_PACKET: Final = re.compile(r"4(\d)((?:/[^,\[{]*,)?)(\d*)(.*)", re.DOTALL)
_KINDS: Final = ("CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR")


def request(
    path: str, query: str = QUERY, method: str = "GET", version: str = "1.1", **headers: str | Sequence[str] | None
) -> bytes:
    """An upgrade. Headers replace those that belong to it, underscores for dashes; None leaves one out.

    One that is given several values comes as often.
    """
    fields: dict[str, str | Sequence[str] | None] = {
        "Host": "localhost",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, values in fields.items() for value in _each(values)]
    return "\r\n".join([f"{method} /{path}/?{query} HTTP/{version}", *lines, "", ""]).encode()


def _each(values: str | Sequence[str] | None) -> Sequence[str]:
    if values is None:
        return ()
    return [values] if isinstance(values, str) else values


class Peer(RawClient):
    """One connection, in the form of one path."""

    def __init__(self, raw: socket.socket, host: str) -> None:
        super().__init__(raw, host)
        # Frames that were received and not told yet.
        self._found: list[tuple[int, bytes]] = []

    @classmethod
    async def to(cls, url: str, case: Case, dialect: Dialect, token: str) -> Self:
        """As far as the case wants to begin."""
        peer = await cls.connected(url)
        if case.start != "http":
            await peer.send(request(dialect.path))
            assert (await peer.head()).startswith(b"HTTP/1.1 101")
            assert (await peer.word()).startswith("OPEN")
        if case.start == "entered":
            connect = dialect.encode("40" + json.dumps({"token": token}))
            await peer.send(frame(connect, dialect.opcode))
            assert await peer.asked_word() == "CONNECT sid"
        return peer

    async def head(self) -> bytes:
        """The head of the HTTP answer."""
        while b"\r\n\r\n" not in self._rest:
            self._rest += await self._receive()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return head

    async def said(self, data: bytes) -> str:
        """What comes of it."""
        try:
            await self.send(data + frame(_PROBE.encode()))
        except ConnectionError:
            await asyncio.sleep(0)  # it has closed before it had read all; why stands in what it sent
        words: list[str] = []
        while (word := await self.asked_word()) not in (_ANSWER, "closed"):
            words.append(word)
        return ", ".join([*words, "open" if word == _ANSWER else word])

    async def word(self) -> str:
        """The next frame, in words; `closed` at the end of the connection."""
        while not self._found:
            self._found, self._rest = frames(self._rest)
            try:
                self._rest += b"" if self._found else await self._receive()
            except ConnectionError:
                return "closed"
        return _told(*self._found.pop(0))

    async def asked_word(self) -> str:
        """The next one but for Engine.IO's pings, which are the server's own."""
        while (word := await self.word()) == "ping":
            pass
        return word

    async def answer_to_upgrade(self, upgrade: bytes) -> str:
        """The status, with the version that is asked for; of a good one also Engine.IO's handshake.

        What RFC 6455 asks of the head is checked.
        """
        await self.send(upgrade)
        head = (await self.head()).decode().lower()
        status = head.split()[1]
        if status != "101":
            return f"{status}, version 13" if "\r\nsec-websocket-version: 13\r\n" in head else status
        assert "\r\nupgrade: websocket" in head
        assert "\r\nconnection: upgrade" in head
        assert f"\r\nsec-websocket-accept: {_accept(KEY).lower()}" in head
        extensions = "extensions" if "sec-websocket-extensions" in head else "no extensions"
        return f"101, {extensions}, {await self.word()}"


def _accept(key: str) -> str:
    return base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()


def _told(opcode: int, payload: bytes) -> str:
    if opcode == TEXT:
        return _packet(payload.decode())
    if opcode == BINARY:
        return _packet(unpacked(payload))
    if opcode == CLOSE:
        return f"close {struct.unpack('!H', payload[:2])[0]}" if payload else "close"
    assert opcode == PONG
    return (
        f"PONG {payload.decode()!r}" if len(payload) < 16 else f"PONG of {len(payload)} bytes {set(payload.decode())}"
    )


def _packet(text: str) -> str:
    if text.startswith("0"):
        return "OPEN " + " ".join(sorted(json.loads(text[1:])))
    if not text.startswith("4"):
        return {"2": "ping", "3": "pong", "3probe": _ANSWER}[text]
    found = _PACKET.fullmatch(text)
    assert found is not None, text
    kind, namespace, number, body = found.groups()
    words = [_KINDS[int(kind)], namespace.rstrip(","), number, _summary(int(kind), json.loads(body) if body else None)]
    return " ".join(word for word in words if word)


def _summary(kind: int, data: Any) -> str:
    if kind == 0:
        return " ".join(data)
    if kind == 2:
        return str(data[0])
    if kind == 3:
        [answer] = data
        return str(answer["error"]["code"]) if "error" in answer else "ok"
    return str(data["data"]["code"]) if kind == 4 else ""
