"""Answers to one client, and the work that goes on for it beside."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

from protocol.errors import ErrorCode, Rejection
from server.gateway.engine_socket import EngineSocket

UNAVAILABLE = Rejection(ErrorCode.UNAVAILABLE, "the database cannot be asked right now", {"retryAfterS": 1})
STOPPING = Rejection(ErrorCode.UNAVAILABLE, "the server is stopping", {"retryAfterS": 1})
INTERNAL = Rejection(ErrorCode.INTERNAL, "the request failed inside the server")


class Talk:
    """What commands and joins of one connection have in common."""

    def __init__(self, socket: EngineSocket) -> None:
        self.socket = socket
        # Tasks of this connection. They are never cancelled: one that is about to follow must be able to undo that.
        self._tasks: set[asyncio.Task[None]] = set()

    def answer(self, ack_id: int | None, answer: dict[str, Any] | Rejection) -> None:
        """The ack of an event, if one was asked for, now or as the client reads."""
        if ack_id is None:
            return
        socket = self.socket
        if socket.out_bytes > socket.free_bytes:
            socket.hold(partial(self.answer, ack_id, answer))
            return
        content = {"error": answer.as_json()} if isinstance(answer, Rejection) else answer
        socket.write(socket.parser.ack(ack_id, content))

    def tell(self, frame: bytes) -> None:
        """What has to be said behind the answers so far."""
        socket = self.socket
        if socket.out_bytes > socket.free_bytes:
            socket.hold(partial(socket.write, frame))
        else:
            socket.write(frame)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
