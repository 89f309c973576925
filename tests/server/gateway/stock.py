"""python-socketio as it comes, behind a real HTTP server on loopback: what our gateway is compared with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import socketio
from aiohttp import web


class Stock:
    """The server, and what its handlers saw."""

    def __init__(self, **options: Any) -> None:
        settings = {"async_mode": "aiohttp", "transports": ["websocket"], "async_handlers": False}
        self.server = socketio.AsyncServer(**settings | options)
        self.url = ""
        # What `connect` does before it lets somebody in.
        self.at_connect: Callable[[], Any] | None = None
        self.events: list[Any] = []
        self.disconnected: list[str] = []
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self.server.on("command", self._command)

    async def _connect(self, sid: str, environ: Any, auth: Any) -> None:
        if self.at_connect is not None:
            answer = self.at_connect()
            if asyncio.iscoroutine(answer):
                await answer

    async def _disconnect(self, sid: str, reason: Any = None) -> None:
        self.disconnected.append(sid)

    async def _command(self, sid: str, payload: Any = None) -> Any:
        self.events.append(payload)
        return {}

    @property
    def members(self) -> int:
        """Of the room of everybody."""
        return len(self.server.manager.rooms.get("/", {}).get(None, {}))


@asynccontextmanager
async def a_stock(**options: Any) -> AsyncIterator[Stock]:
    """A running one; what it leaves behind is cancelled."""
    before = asyncio.all_tasks()
    stock = Stock(**options)
    app = web.Application()
    stock.server.attach(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    stock.url = f"http://{host}:{port}"
    try:
        yield stock
    finally:
        await stock.server.shutdown()
        await runner.cleanup()
        left = asyncio.all_tasks() - before - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
