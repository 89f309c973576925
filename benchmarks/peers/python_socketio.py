"""Stock python-socketio on aiohttp and uvloop, as its documentation has it: `python python_socketio.py PORT`."""

import asyncio
import sys
from typing import Any

import socketio
import uvloop
from aiohttp import web

sio = socketio.AsyncServer(async_mode="aiohttp", transports=["websocket"], ping_interval=20, ping_timeout=10)


@sio.event  # type: ignore[untyped-decorator]
async def join(sid: str, message: dict[str, Any]) -> dict[str, Any]:
    await sio.enter_room(sid, message["stream"])
    return {"mode": "resume", "cursor": "0.0"}


@sio.event  # type: ignore[untyped-decorator]
async def awareness(_sid: str, message: dict[str, Any]) -> None:
    await sio.emit("awareness", message, room=message["stream"])


async def main(port: int) -> None:
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
