"""What is hostile below Socket.IO: broken WebSocket frames, and broken msgpack."""

from __future__ import annotations

import asyncio
import json
import struct

from tests.server.gateway.msgpack_client import packed, unpacked
from tests.server.gateway.raw import RawClient, frames
from tests.server.hostile.scene import Scene
from tests.server.hostile.sending import DEADLINE_S, PROBE, Sending, heard

MSGPACK = "/socket.io-msgpack/?EIO=4&transport=websocket"
CLOSE = 8


def broken_frame(data: bytes) -> Sending:
    """Bytes on a WebSocket that has passed CONNECT; the code of the close frame that comes."""

    async def act(scene: Scene) -> str:
        client = await RawClient.entered(scene.url, scene.tokens["ada"])
        try:
            await client.send(data)
            return await _closed(client)
        finally:
            client.close()

    return Sending("WebSocket", act)


async def _closed(client: RawClient) -> str:
    received = b""
    async with asyncio.timeout(DEADLINE_S):
        while chunk := await asyncio.get_running_loop().sock_recv(client.raw, 1 << 16):
            received += chunk
    codes = [struct.unpack("!H", payload[:2])[0] for opcode, payload in frames(received)[0] if opcode == CLOSE]
    return f"closed {codes[0] if codes else None}"


def msgpack_frames(*sent: bytes | str) -> Sending:
    """Messages on the path for msgpack, behind a good CONNECT; then somebody asks whether anybody still answers."""

    async def act(scene: Scene) -> str:
        async with scene.http.ws_connect(scene.url + MSGPACK) as socket:
            await socket.receive_str()
            await socket.send_bytes(packed("40" + json.dumps({"token": scene.tokens["ada"]})))
            assert unpacked(await socket.receive_bytes()).startswith("40")
            for one in sent:
                if isinstance(one, bytes):
                    await socket.send_bytes(one)
                else:
                    await socket.send_str(one)
            probe = f'42{PROBE}["leave",{{"stream":"profile/{scene.names["nobody"]}"}}]'
            await socket.send_bytes(packed(probe))
            return await heard(socket, sum(isinstance(one, bytes) for one in sent))

    return Sending("msgpack", act)
