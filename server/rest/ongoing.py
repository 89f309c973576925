"""Answers that go on for long, as event streams and exports do: whether they still may, and how they are cut off."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from actors.runtime.hub import CloseReason
from server.frames import forget_frames
from server.rest.access import has_hung_up

CHECK_S: Final = 0.25
"""How often it is asked whether the client is still there, and may go on."""

WhyOver = Callable[[], CloseReason | None]
"""Why an answer that goes on has to end now; None while it may go on."""


async def attend(
    request: web.Request, ended: asyncio.Future[CloseReason], over: WhyOver, *works: asyncio.Task[None]
) -> None:
    """Lets an answer go on until one of its works is over, its client is gone, or it has `ended`.

    `over` is asked often. No work goes on after it, also where nothing is read of what was written; what came of the
    works is theirs to tell.
    """
    either: set[asyncio.Future[Any]] = {ended, *works}
    try:
        while not (await asyncio.wait(either, timeout=CHECK_S, return_when=asyncio.FIRST_COMPLETED))[0]:
            if has_hung_up(request):
                break
            if (reason := over()) is not None:
                ended.set_result(reason)
    finally:
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)


async def head_of(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """The answer to a HEAD: the headers, and the end (RFC 9110 §9.3.2). The connection may go on."""
    await response.prepare(request)
    await response.write_eof()
    return response


async def write_within(response: web.StreamResponse, chunk: bytes, seconds: float) -> None:
    """Returns when the client has read enough for more. Raises ConnectionError; TimeoutError: it does not read."""
    try:
        async with asyncio.timeout(seconds):
            await response.write(chunk)
    except TimeoutError as error:
        forget_frames(error)  # the limit's frame has the task, which keeps the error when it ends by it
        raise


def cut(request: web.Request) -> None:
    """Ends the connection with nothing more of what is not sent yet."""
    if request.transport is not None:
        request.transport.abort()


def bound_buffers(request: web.Request, size_bytes: int) -> None:
    """The kernel would hide megabytes for a client that does not read."""
    transport = request.transport
    if transport is None:
        return
    transport.set_write_buffer_limits(high=size_bytes)
    bound: socket.socket | None = transport.get_extra_info("socket")
    if bound is not None:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size_bytes)
