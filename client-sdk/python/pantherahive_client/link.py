"""One Socket.IO connection, from CONNECT to its end. It is never used twice: whoever reconnects makes a new one."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import aiohttp
import socketio
from socketio.exceptions import SocketIOError

from pantherahive_client.errors import HiveError, Unauthenticated, Unreachable, error_of
from pantherahive_client.models import (
    AwarenessMessage,
    ClosedMessage,
    EntriesMessage,
    HeadsMessage,
    PresenceMessage,
    ResetMessage,
    SnapshotPart,
)
from pantherahive_client.sendable import check_size, packet_bytes
from pantherahive_client.settings import Settings

logger = logging.getLogger("pantherahive_client")

# The Socket.IO library logs whole packets at INFO, and the first one holds the token.
_transport_logger = logging.getLogger("pantherahive_client.transport")
_transport_logger.setLevel(logging.CRITICAL)

_MSGPACK_PATH = "socket.io-msgpack"
"""Where servers speak msgpack, which is smaller than JSON and read faster."""

_GOODBYE_S = 1.0
"""How long either side's goodbye is waited for."""

_REFUSALS = frozenset({1002, 1003, 1007, 1009})
"""Codes with which a server ends a connection over what it was sent (RFC 6455 §7.4.1)."""


class _WebSocket(aiohttp.ClientWebSocketResponse[Any]):
    """Keeps what the Socket.IO library throws away."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Engine.IO's limit for packets to the server, from the first message.
        self.packet_bytes_max: int | None = None
        # Whether the server ended the connection over what it was sent.
        self.was_refused = False
        # Set when nothing more can be read.
        self.exhausted = asyncio.Event()

    async def receive(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - aiohttp's
        message: Any = await super().receive(timeout)
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            self.was_refused |= message.type is aiohttp.WSMsgType.CLOSE and message.data in _REFUSALS
            self.exhausted.set()
        elif self.packet_bytes_max is None and message.data[:1] == "0":
            limit = json.loads(message.data[1:]).get("maxPayload")
            self.packet_bytes_max = limit if isinstance(limit, int) else None
        return message


OnAnswer = Callable[[Any], None]


class Listener(Protocol):
    """Who is told what the server sends, in the order in which it was sent. Its methods do not wait."""

    def on_entries(self, message: EntriesMessage) -> None: ...

    def on_reset(self, message: ResetMessage) -> None: ...

    def on_snapshot(self, message: SnapshotPart) -> None: ...

    def on_heads(self, message: HeadsMessage) -> None: ...

    def on_presence(self, message: PresenceMessage) -> None: ...

    def on_awareness(self, message: AwarenessMessage) -> None: ...

    def on_closed(self, message: ClosedMessage) -> None: ...


class Link:
    """Connects with a token, sends requests in order, hands on what comes."""

    def __init__(self, url: str, listener: Listener, settings: Settings) -> None:
        self._url = url
        self._listener = listener
        self._settings = settings
        # Ends every connection of this link when it is closed, however far it got.
        self._http: aiohttp.ClientSession | None = None
        self._socket: Any = None
        # Requests on their way out: at most one join per project and `in_flight_max` commands.
        self._outgoing: asyncio.Queue[tuple[str, Any, OnAnswer | None]] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        # What the server said when it refused CONNECT.
        self._refusal: HiveError | None = None
        # Why the server ends the connection, where it says so.
        self.parting: str | None = None

    async def open(self, token: str) -> None:
        """Raises what the server refused us with, or Unreachable. `close` has to be called in any case."""
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._settings.connect_timeout_s), ws_response_class=_WebSocket
        )
        self._socket = self._new_socket(self._http)
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                await self._socket.connect(
                    self._url,
                    auth={"token": token},
                    transports=["websocket"],
                    socketio_path=_MSGPACK_PATH,
                    wait_timeout=self._settings.connect_timeout_s,
                )
        except (SocketIOError, aiohttp.ClientError, OSError, TimeoutError, *_UNREADABLE) as error:
            raise self._refusal or self._why_not(error) from error
        self._writer = asyncio.create_task(self._write(), name="pantherahive-writer")

    def _why_not(self, error: BaseException) -> HiveError:
        """Nothing but the token was sent, so that is what a server ends the connection over."""
        if self.was_refused:
            return Unauthenticated("the server takes nothing that looks like this token")
        return Unreachable(str(error) or type(error).__name__)

    @property
    def packet_bytes_max(self) -> int | None:
        """The largest packet that the server takes; None when it has named none."""
        return socket.packet_bytes_max if (socket := self._web_socket) is not None else None

    @property
    def was_refused(self) -> bool:
        """Whether the server ended the connection over what it was sent; known once the connection has ended."""
        return (socket := self._web_socket) is not None and socket.was_refused

    @property
    def _web_socket(self) -> _WebSocket | None:
        socket = self._socket.eio.ws if self._socket is not None else None
        return socket if isinstance(socket, _WebSocket) else None

    def _new_socket(self, http: aiohttp.ClientSession) -> Any:
        socket = socketio.AsyncClient(
            reconnection=False,
            serializer="msgpack",
            logger=_transport_logger,
            engineio_logger=_transport_logger,
            handle_sigint=False,
            http_session=http,
            websocket_extra_options={"max_msg_size": self._settings.message_bytes_max},
        )
        listener = self._listener
        socket.on("entries", self._guarded(listener.on_entries))
        socket.on("reset", self._guarded(listener.on_reset))
        socket.on("snapshot", self._guarded(listener.on_snapshot))
        socket.on("heads", self._guarded(listener.on_heads))
        socket.on("presence", self._guarded(listener.on_presence))
        socket.on("awareness", self._guarded(listener.on_awareness))
        socket.on("closed", self._guarded(self._on_closed))
        socket.on("connect_error", self._on_refused)
        socket.on("disconnect", self._on_ended)
        return socket

    def _guarded(self, take: Callable[[Any], None]) -> Callable[[Any], None]:
        """A message that cannot be read ends the connection: the next one starts from what is known for sure."""

        def taken(message: Any = None) -> None:
            try:
                take(message)
            except _UNREADABLE:
                logger.exception("a message of the server could not be read; connecting anew")
                self._ended.set()

        return taken

    def _on_closed(self, message: ClosedMessage) -> None:
        """One stream, or the whole connection."""
        if message.get("stream") is not None:
            self._listener.on_closed(message)
            return
        self.parting = message["reason"]
        self._ended.set()

    def _on_refused(self, data: Any = None) -> None:
        self._refusal = _refusal_of(data)

    async def _on_ended(self, reason: Any = None) -> None:
        """After the server's DISCONNECT comes its close frame, which says why; the library would not wait for it."""
        socket = self._web_socket
        try:
            if socket is not None and reason == self._socket.reason.SERVER_DISCONNECT:
                async with asyncio.timeout(_GOODBYE_S):
                    await socket.exhausted.wait()
        except TimeoutError:
            logger.debug("the server did not close the connection that it ended")
        finally:
            self._ended.set()

    def send(self, event: str, payload: Mapping[str, Any], on_answer: OnAnswer | None = None) -> None:
        """Sends in the order of the calls. `on_answer` is called at most once, at the answer's place in the order.

        What a server would end the connection over is not sent, and answered here.
        """
        self._outgoing.put_nowait((event, payload, on_answer))

    async def _write(self) -> None:
        try:
            while True:
                event, payload, on_answer = await self._outgoing.get()
                await self._emit(event, payload, self._guarded(on_answer) if on_answer is not None else None)
        except SocketIOError:
            self._ended.set()

    async def _emit(self, event: str, payload: Any, on_answer: OnAnswer | None) -> None:
        try:
            check_size(packet_bytes(payload), self.packet_bytes_max)
        except HiveError as error:
            if on_answer is not None:
                on_answer({"error": {"code": error.wire_code, "message": error.message}})
            else:
                logger.warning("%s was not sent: %s", event, error)
            return
        await self._socket.emit(event, payload, callback=on_answer)

    async def wait_ended(self) -> None:
        """Returns when the connection is over, whoever ended it."""
        await self._ended.wait()

    async def close(self) -> None:
        """Ends the connection and everything that belongs to it."""
        self._ended.set()
        try:
            if self._writer is not None:
                self._writer.cancel()
                await asyncio.wait([self._writer])
            if self._socket is not None:
                await self._hang_up()
        finally:
            if self._http is not None:
                await self._http.close()

    async def _hang_up(self) -> None:
        """Says goodbye where somebody is there to hear it; the transport is cut by `close` anyway."""
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await self._socket.disconnect()
        except (SocketIOError, aiohttp.ClientError, OSError, TimeoutError, *_UNREADABLE) as error:
            logger.debug("the goodbye did not get through: %s", error)


_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What comes out of a message that is not as the protocol says, here and inside the Socket.IO library."""


def _refusal_of(data: Any) -> HiveError | None:
    """What CONNECT_ERROR says: `{message, data}` with our error object as data, or inside it as `error`."""
    if not isinstance(data, dict):
        return None
    for body in (data.get("data"), data):
        inner = body.get("error", body) if isinstance(body, dict) else None
        if isinstance(inner, dict) and "code" in inner:
            return error_of(inner)
    return Unauthenticated(str(data.get("message", "the server refused the connection")))
