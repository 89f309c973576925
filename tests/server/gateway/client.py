"""A Socket.IO client of our own: every packet is seen, in order, and nothing happens behind the test's back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from actors.project.decider import ProjectActor
from actors.project.state import ProjectState
from actors.runtime.actor import EntryMeta, restored, shown
from protocol.cursors import Cursor
from protocol.messages import decode_event
from tests.server.clock import RandomIds

DEADLINE_S = 10.0
QUERY = "EIO=4&transport=websocket"


class Ended(Exception):
    """The server ended the connection."""


class LiveClient:
    """One WebSocket that speaks Engine.IO and Socket.IO. It reads only when a test waits for something."""

    path = "socket.io"

    def __init__(self, session: ClientSession, socket: ClientWebSocketResponse) -> None:
        self.session = session
        self.socket = socket
        self.answers_pings = True
        # Engine.IO's own: sid and limits.
        self.handshake: dict[str, Any] = {}
        # What came and was not an answer: (event, payload), in order.
        self.events: list[tuple[str, Any]] = []
        # Answers by ack id, with the number of events that came before.
        self.acks: dict[int, Any] = {}
        # Ids of answers in the order of their arrival.
        self.ack_order: list[int] = []
        # Other Socket.IO packets: CONNECT, CONNECT_ERROR, DISCONNECT.
        self.control: list[str] = []
        self.pings = 0
        # How many answers were asked for; the newest ack id.
        self.asked = 0

    @classmethod
    async def open(cls, url: str, query: str = QUERY, **options: Any) -> Self:
        """The WebSocket with Engine.IO's handshake behind it, and no CONNECT yet."""
        session = ClientSession()
        try:
            socket = await session.ws_connect(f"{url}/{cls.path}/?{query}", max_msg_size=0, autoclose=True, **options)
        except BaseException:
            await session.close()
            raise
        client = cls(session, socket)
        opening = await client.read()
        assert opening.startswith("0"), opening
        client.handshake = json.loads(opening[1:])
        return client

    @classmethod
    async def connect(cls, url: str, token: str, **options: Any) -> Self:
        """Past CONNECT."""
        client = await cls.open(url, **options)
        await client.send("40" + json.dumps({"token": token}))
        await client.until(lambda: bool(client.control))
        assert client.control[0].startswith("40"), client.control
        return client

    async def send(self, text: str) -> None:
        await self.socket.send_str(text)

    async def read(self) -> str:
        """The next text. Raises Ended."""
        async with asyncio.timeout(DEADLINE_S):
            message = await self.socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise Ended(self.socket.close_code)
        return str(message.data)

    async def step(self) -> None:
        """Takes the next packet in. Raises Ended."""
        text = await self.read()
        if text == "2":
            self.pings += 1
            if self.answers_pings:
                await self.send("3")
        elif text.startswith("42"):
            name, payload = json.loads(text[2:])
            self.events.append((name, payload))
        elif text.startswith("43"):
            number, _, body = text[2:].partition("[")
            self.acks[int(number)] = json.loads("[" + body)[0]
            self.ack_order.append(int(number))
        else:
            self.control.append(text)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Reads until it holds. Raises Ended, TimeoutError."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                await self.step()

    async def until_end(self) -> int | None:
        """Reads to the end; the close code."""
        try:
            await self.until(lambda: False)
        except Ended:
            return self.socket.close_code
        raise AssertionError("unreachable")

    async def emit(self, event: str, payload: Any) -> int:
        """Sends an event that wants an answer; its ack id."""
        self.asked += 1
        await self.send(f"42{self.asked}" + json.dumps([event, payload]))
        return self.asked

    async def answer(self, ack_id: int) -> Any:
        await self.until(lambda: ack_id in self.acks)
        return self.acks[ack_id]

    async def ask(self, event: str, payload: Any) -> Any:
        return await self.answer(await self.emit(event, payload))

    async def join(self, stream: str, cursor: str | None = None) -> Any:
        return await self.ask("join", {"stream": stream} | ({"cursor": cursor} if cursor else {}))

    async def command(self, stream: str, kind: str, data: dict[str, Any], op_id: str | None = None) -> Any:
        return await self.ask("command", command(stream, kind, data, op_id))

    def of(self, name: str) -> list[Any]:
        """The payloads of one event."""
        return [payload for event, payload in self.events if event == name]

    def entries(self, stream: str) -> list[dict[str, Any]]:
        """All entries of a stream, in the order in which they came."""
        return [entry for packet in self.of("entries") if packet["stream"] == stream for entry in packet["entries"]]

    async def until_seq(self, stream: str, seq: int) -> None:
        """Reads until the entry, or a state as new, has come."""
        await self.until(lambda: self.seq(stream) >= seq)

    def seq(self, stream: str) -> int:
        """How far this client has come."""
        for name, payload in reversed(self.events):
            if name == "entries" and payload["stream"] == stream:
                return int(payload["entries"][-1]["seq"])
            if name == "snapshot" and payload["stream"] == stream and payload["part"] == payload["parts"]:
                return Cursor.parse(payload["cursor"]).seq
        return 0

    async def close(self) -> None:
        await self.socket.close()
        await self.session.close()

    async def abort(self) -> None:
        """Goes without a word."""
        transport = self.socket.get_extra_info("socket") and self.socket._writer.transport
        if transport is not None:
            transport.abort()
        await self.leave()

    async def leave(self) -> None:
        """Lets go of the connection at once, as the collector would complain of one that it has to let go itself."""
        self.socket._response.close()
        await self.session.close()


def command(stream: str, kind: str, data: dict[str, Any], op_id: str | None = None) -> dict[str, Any]:
    """The payload of a `command` event."""
    return {"stream": stream, "opId": op_id or RandomIds().new_id(), "type": kind, "data": data}


class Replica:
    """A project as a client sees it: the state's parts, then the entries, each checked to be the next one."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self._actor = ProjectActor()
        self._parts: list[dict[str, Any]] = []
        self.state: ProjectState = self._actor.initial(stream)
        self.cursor = Cursor(0, 0)

    def take(self, events: list[tuple[str, Any]]) -> None:
        """Everything that came, in its order."""
        for name, payload in events:
            if payload.get("stream") != self.stream:
                continue
            if name == "snapshot":
                self._take_part(payload)
            elif name == "entries":
                for entry in payload["entries"]:
                    self._take_entry(entry)

    def _take_part(self, payload: dict[str, Any]) -> None:
        if payload["part"] == 1:
            self._parts = []
        assert payload["part"] == len(self._parts) + 1
        self._parts.append(payload["state"])
        if payload["part"] == payload["parts"]:
            self.state = restored(self._actor, self.stream, self._parts)
            self.cursor = Cursor.parse(payload["cursor"])

    def _take_entry(self, entry: dict[str, Any]) -> None:
        assert entry["seq"] == self.cursor.seq + 1, f"after {self.cursor}: {entry['seq']}"
        meta = EntryMeta(entry["seq"], entry["opId"], entry["author"], entry["at"], entry["recordedAt"])
        for event in entry["events"]:
            decoded: Any = decode_event(event)
            self._actor.evolve(self.state, decoded, meta)
        self.cursor = Cursor(entry["seq"], entry["epoch"])

    def view(self) -> dict[str, Any]:
        return merged(list(shown(self._actor.parts(self.state))))


def merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Parts as one object: collections are put together by id."""
    whole: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if isinstance(value, list):
                records = whole.setdefault(name, {})
                records.update({record.get("id") or record["userId"]: record for record in value})
            else:
                whole[name] = value
    return whole
