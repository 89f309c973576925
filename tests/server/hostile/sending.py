"""Ways of sending something hostile. Each says where it goes, and what came: `400 invalid`, `closed 1002` …"""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp import WSMsgType, WSServerHandshakeError
from yarl import URL

from tests.server.clock import RandomIds
from tests.server.gateway.client import LiveClient
from tests.server.gateway.msgpack_client import unpacked
from tests.server.hostile.scene import Scene

DEADLINE_S: Final = 10.0
NOTHING: Final = object()
SOCKET: Final = "/socket.io/?EIO=4&transport=websocket"
PROBE: Final = 999_999
"""The ack id of the harmless question that is asked behind a hostile one: whether anybody still answers."""

_WANTS_ANSWER: Final = re.compile(r"42[0-9]{1,15}\[")

Headers = Sequence[tuple[str, str]]
Token = Callable[[Scene], str]


@dataclass(frozen=True)
class Sending:
    """One try: where it goes, and what does it."""

    where: str
    act: Callable[[Scene], Awaitable[str]]


def rest(
    method: str,
    path: str,
    body: Any = NOTHING,
    *,
    who: str = "ada",
    token: Token | None = None,
    raw: bytes | None = None,
    headers: Headers = (),
) -> Sending:
    """A request. `who` "" sends no token. `raw` is a body as it stands."""

    async def act(scene: Scene) -> str:
        given = [(name, scene.filled(value)) for name, value in headers]
        data = raw if raw is not None else None if body is NOTHING else json.dumps(scene.filled(body)).encode()
        names = {name.lower() for name, _ in given}
        if data is not None and "content-type" not in names:
            given.append(("Content-Type", "application/json"))
        bearer = token(scene) if token is not None else scene.tokens[who] if who else None
        if bearer is not None and "authorization" not in names:
            given.append(("Authorization", f"Bearer {bearer}"))
        address = URL(scene.url + scene.filled(path), encoded=True)
        skip = ["Content-Type"]
        async with scene.http.request(
            method,
            address,
            data=io.BytesIO(data) if data else data,
            headers=given,
            skip_auto_headers=skip,
            allow_redirects=False,
        ) as response:
            return told(response.status, response.content_type, await response.read())

    return Sending(f"`{method} {path.partition('?')[0]}`", act)


def told(status: int, content_type: str, body: bytes) -> str:
    """Status and code of an answer. A refusal that is no problem document is a defect."""
    if status < 400:
        return str(status)
    assert content_type == "application/problem+json", (status, content_type, body[:200])
    document = orjson.loads(body)
    assert document["status"] == status, document
    assert "Traceback" not in document["detail"], document
    return f"{status} {document['code']}"


def wire(*chunks: bytes, where: str = "TCP") -> Sending:
    """Bytes as they stand; what comes until the server closes, or has answered and waits."""

    async def act(scene: Scene) -> str:
        address = urlsplit(scene.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            for chunk in chunks:
                writer.write(scene.filled(chunk.decode("latin-1")).encode("latin-1"))
            await writer.drain()
            return await _answers(reader)
        finally:
            writer.close()

    return Sending(where, act)


async def _answers(reader: asyncio.StreamReader) -> str:
    """The answers on a connection up to its end; the server has to end it."""
    found: list[str] = []
    async with asyncio.timeout(DEADLINE_S):
        while head := await _head(reader):
            lines = head.decode("latin-1").split("\r\n")
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
            body = await reader.readexactly(int(fields.get("content-length", 0)))
            found.append(told(int(lines[0].split()[1]), fields.get("content-type", ""), body))
            if fields.get("connection", "").lower() == "close" and not await reader.read(1):
                return ", ".join([*found, "closed"])
    return ", ".join([*found, "closed"])


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The head of the next answer; empty at the end."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return b""


def connect(text: str | None, *, path: str = SOCKET, headers: Headers = (), token: Token | None = None) -> Sending:
    """A WebSocket, and on it the text of a Socket.IO CONNECT (None: nothing). `{token}` in it is replaced."""

    async def act(scene: Scene) -> str:
        try:
            async with scene.http.ws_connect(scene.url + scene.filled(path), headers=dict(headers)) as socket:
                await socket.receive_str()
                if text is not None:
                    bearer = token(scene) if token is not None else ""
                    await socket.send_str(scene.filled(text).replace("{token}", bearer))
                return await heard(socket)
        except WSServerHandshakeError as refused:
            return str(refused.status)

    return Sending("CONNECT", act)


def frames(*sent: str | bytes, who: str = "ada", path: str = SOCKET) -> Sending:
    """What is sent behind a good CONNECT: text or binary frames. Then somebody asks whether anybody still answers."""

    async def act(scene: Scene) -> str:
        async with scene.http.ws_connect(scene.url + path) as socket:
            await socket.receive_str()
            await socket.send_str("40" + json.dumps({"token": scene.tokens[who]}))
            assert (await socket.receive_str()).startswith("40")
            for one in sent:
                if isinstance(one, bytes):
                    await socket.send_bytes(one)
                else:
                    await socket.send_str(scene.filled(one))
            if not socket.closed:
                await socket.send_str(f'42{PROBE}["leave",{{"stream":"profile/{scene.names["nobody"]}"}}]')
            return await heard(socket, awaited(sent))

    return Sending("frame", act)


def dialogue(*events: tuple[str, Any], who: str = "ada") -> Sending:
    """Events on one connection, each sent when the one before it was answered; the answer to the last one."""

    async def act(scene: Scene) -> str:
        client = await LiveClient.connect(scene.url, scene.tokens[who])
        try:
            answers = [await client.ask(event, scene.filled(payload)) for event, payload in events]
        finally:
            await client.close()
        return f"ack {_code(answers[-1])}"

    return Sending(f"`{events[-1][0]}`", act)


def emit(event: str, payload: Any, who: str = "ada") -> Sending:
    """An event with one argument, and its answer."""
    return Sending(f"`{event}`", frames(f"421{json.dumps([event, payload])}", who=who).act)


def command(stream: str, kind: Any, data: Any, who: str = "ada", **fields: Any) -> Sending:
    """A command over the socket with an `opId` of its own."""

    async def act(scene: Scene) -> str:
        payload = {"stream": stream, "opId": RandomIds().new_id(), "type": kind, "data": data, **fields}
        return await emit("command", payload, who).act(scene)

    return Sending(
        f"command `{kind}`" if isinstance(kind, str) and kind.isalpha() and len(kind) < 30 else "command", act
    )


def awaited(sent: Sequence[str | bytes]) -> int:
    """How many answers these frames want."""
    return sum(isinstance(one, str) and _WANTS_ANSWER.match(one) is not None for one in sent)


async def heard(socket: aiohttp.ClientWebSocketResponse, answers: int = 0) -> str:
    """What came: answers, refusals, the end. Waits for the probe's answer, and so many others, or the end."""
    found: list[str] = []
    probed = False
    async with asyncio.timeout(DEADLINE_S):
        async for message in socket:
            text = unpacked(message.data) if message.type is WSMsgType.BINARY else str(message.data)
            if text.startswith(f"43{PROBE}"):
                probed = True
            elif text.startswith("43"):
                found.append(f"ack {_code(json.loads(text[text.index('[') :])[0])}")
            if probed and len(found) >= answers:
                return ", ".join(found or ["ignored"])
            if text.startswith("40"):
                return "connected"
            if text.startswith("44"):
                found.append(f"CONNECT_ERROR {_code(json.loads(text[text.index('{') :]))}")
                if text.startswith("44/"):
                    return ", ".join(found)
    return ", ".join([*found, f"closed {socket.close_code}"])


def _code(answer: Mapping[str, Any]) -> str:
    error = answer.get("error", answer.get("data", answer))
    return str(error["code"] if "code" in error else answer.get("mode", "ok"))


def several(*sendings: Sending) -> Sending:
    """One after the other; what came of the last one."""

    async def act(scene: Scene) -> str:
        came = ""
        for one in sendings:
            came = await one.act(scene)
        return came

    return Sending(sendings[-1].where, act)
