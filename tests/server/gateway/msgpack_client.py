"""The Socket.IO client of the tests on the path for msgpack: it speaks text to the test and msgpack to the server."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import msgpack
from aiohttp import WSMsgType

from tests.server.gateway.client import DEADLINE_S, Ended, LiveClient

_PACKET = re.compile(r"4(\d)(?:(/[^,]*),)?(\d*)(.*)", re.DOTALL)


def packed(text: str) -> bytes:
    """A Socket.IO packet in Engine.IO's text form, as msgpack."""
    found = _PACKET.fullmatch(text)
    assert found is not None, text
    kind, namespace, number, body = found.groups()
    packet: dict[str, Any] = {"type": int(kind), "nsp": namespace or "/", "options": {"compress": True}}
    if body:
        packet["data"] = json.loads(body)
    if number:
        packet["id"] = int(number)
    return msgpack.packb(packet)


def unpacked(data: bytes) -> str:
    """The other way; what JavaScript's parser would refuse fails here."""
    packet = msgpack.unpackb(data)
    assert set(packet) <= {"type", "nsp", "data", "id"}, packet
    kind, namespace = packet["type"], packet["nsp"]
    assert kind in range(5), packet
    assert ("data" in packet) is (kind != 1), packet
    assert isinstance(packet.get("data"), dict if kind in (0, 4) else list if kind != 1 else type(None))
    to = "" if namespace == "/" else f"{namespace},"
    return f"4{kind}{to}{packet.get('id', '')}{json.dumps(packet['data']) if 'data' in packet else ''}"


class MsgpackClient(LiveClient):
    """Engine.IO's own packets stay text."""

    path = "socket.io-msgpack"

    async def send(self, text: str) -> None:
        if text.startswith("4"):
            await self.socket.send_bytes(packed(text))
        else:
            await self.socket.send_str(text)

    async def read(self) -> str:
        async with asyncio.timeout(DEADLINE_S):
            message = await self.socket.receive()
        if message.type is WSMsgType.BINARY:
            return unpacked(message.data)
        if message.type is not WSMsgType.TEXT:
            raise Ended(self.socket.close_code)
        assert not message.data.startswith("4"), message.data
        return str(message.data)
