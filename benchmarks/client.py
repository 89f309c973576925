"""The leanest client that speaks the live protocol, so that the server is what is measured."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson

from server.ids import SystemIds

_ids = SystemIds()


class LeanClient:
    """One connection: commands with acks, joins, and a count of the entries that came."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        # Ack id → who waits.
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._next_id = 0
        # Entries that were received, and set whenever one is.
        self.entries = 0
        self._came = asyncio.Event()
        self.cursor: str | None = None
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, http: aiohttp.ClientSession, url: str, token: str) -> LeanClient:
        """Through the handshake of Engine.IO and Socket.IO."""
        socket = await http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket", max_msg_size=0)
        await socket.receive_str()
        await socket.send_str("40" + orjson.dumps({"token": token}).decode())
        answer = await socket.receive_str()
        if not answer.startswith("40"):
            raise RuntimeError(f"refused: {answer}")
        return cls(socket)

    async def ask(self, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The ack of an event."""
        self._next_id += 1
        waiting = self._waiting[self._next_id] = asyncio.get_running_loop().create_future()
        await self._socket.send_str(f"42{self._next_id}{orjson.dumps([event, payload]).decode()}")
        answer: dict[str, Any] = await waiting
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    async def command(self, stream: str, command_type: str, data: dict[str, Any]) -> dict[str, Any]:
        """The ack of a command under a new opId."""
        return await self.ask("command", {"stream": stream, "opId": _ids.new_id(), "type": command_type, "data": data})

    async def join(self, stream: str, cursor: str | None = None) -> dict[str, Any]:
        request: dict[str, Any] = {"stream": stream}
        if cursor is not None:
            request["cursor"] = cursor
        answer = await self.ask("join", request)
        self.cursor = answer["cursor"]
        return answer

    async def _read(self) -> None:
        async for message in self._socket:
            text: str = message.data
            if text == "2":
                await self._socket.send_str("3")
            elif text.startswith("43"):
                start = text.index("[")
                self._waiting.pop(int(text[2:start])).set_result(orjson.loads(text[start:])[0])
            elif text.startswith('42["entries"'):
                entries = orjson.loads(text[2:])[1]["entries"]
                self.entries += len(entries)
                self._came.set()
                self.cursor = f"{entries[-1]['seq']}.{entries[-1]['epoch']}"

    async def received(self, entries: int) -> None:
        """Waits until so many entries have come."""
        while self.entries < entries:
            self._came.clear()
            await self._came.wait()

    async def close(self) -> None:
        self._reader.cancel()
        await self._socket.close()
