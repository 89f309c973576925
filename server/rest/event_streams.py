"""Server-Sent Events (HTML Living Standard §9.2): a stream's entries, live, for clients without Socket.IO.

An open connection is a place in the hub, a cursor and a wake-up, like a follower on the socket. Nothing is queued for
it: what it does not read in time it gets from the log, or it is let go.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Final

import orjson
from aiohttp import hdrs, web

from actors.ports import Clock
from actors.runtime.feeds import Feeds, Joined
from actors.runtime.hub import CloseReason, Following
from actors.runtime.publication import Publication
from protocol.cursors import START, Cursor
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal
from protocol.faults import StorageFault
from server.entry_json import entry_json
from server.gateway.parsers import fit
from server.rest.ongoing import WhyOver, attend, bound_buffers, cut, head_of, write_within
from server.streams import granted

log = logging.getLogger("pantherahive.events")

MEDIA_TYPE: Final = "text/event-stream"
_HEADERS: Final = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_HEARTBEAT: Final = b": still here\n\n"
_RETRY_S: Final = 0.5
_PARTING_S: Final = 0.5
"""For the last words to who may read nothing more; then the connection is cut."""

_STOPPING: Final = Rejection(ErrorCode.UNAVAILABLE, "the server is stopping", {"retryAfterS": 1})
_TOO_MANY: Final = Rejection(
    ErrorCode.OVERLOADED,
    "too many event streams of this user are open",
    {"limit": "event-streams-per-user", "retryAfterS": 5},
)


@dataclass(frozen=True, slots=True)
class EventStreamLimits:
    """`connections_per_user_max` at one time, the operator's together; `grace_s` to read what was sent."""

    connections_per_user_max: int = 32
    heartbeat_s: float = 15.0
    grace_s: float = 5.0
    chunk_entries: int = 256
    chunk_bytes: int = 256 << 10
    buffer_bytes: int = 128 << 10


class EventStreams:
    """All open connections of this kind."""

    def __init__(self, feeds: Feeds, clock: Clock, deadline_s: float, limits: EventStreamLimits | None = None) -> None:
        self._feeds = feeds
        self._clock = clock
        self._deadline_s = deadline_s
        self.limits = limits if limits is not None else EventStreamLimits()
        # The connections that are open.
        self._open: set[EventStream] = set()
        # The same, counted by user.
        self._per_user: Counter[str] = Counter()
        # Whether the server ends: nobody may begin to follow.
        self._stopping = False

    def __len__(self) -> int:
        return len(self._open)

    def stop(self) -> None:
        """Ends all of them; their clients come again with the last cursor."""
        self._stopping = True
        for stream in list(self._open):
            stream.end("shutdown")

    async def serve(
        self, request: web.Request, principal: Principal, stream: str, cursor: Cursor | int, over: WhyOver
    ) -> web.StreamResponse:
        """Sends entries after the cursor until somebody has enough. `over` is asked often whether it may go on.

        A HEAD gets the headers, and takes no place.
        Raises Rejected before anything was sent, and StorageFault.
        """
        if self._stopping:
            raise Rejected(_STOPPING)
        if request.method == hdrs.METH_HEAD:
            granted(await self._feeds.permitted(principal, stream, self._clock.monotonic_s() + self._deadline_s))
            return await head_of(request, web.StreamResponse(headers=_HEADERS))
        if self._per_user[principal.id] >= self.limits.connections_per_user_max:
            raise Rejected(_TOO_MANY)
        connection = EventStream(principal, self._feeds, self.limits)
        self._open.add(connection)
        self._per_user[principal.id] += 1
        try:
            place = cursor if isinstance(cursor, Cursor) else await self._feeds.cursor_at(stream, cursor)
            deadline_s = self._clock.monotonic_s() + self._deadline_s
            joined = granted(await self._feeds.trail(connection, stream, place, deadline_s))
            try:
                return await connection.run(request, joined, over)
            finally:
                joined.following.leave()
        finally:
            self._open.discard(connection)
            self._per_user[principal.id] -= 1
            if not self._per_user[principal.id]:
                del self._per_user[principal.id]


class EventStream:
    """One connection. Fits `actors.runtime.hub.Follower`."""

    def __init__(self, principal: Principal, feeds: Feeds, limits: EventStreamLimits) -> None:
        self._principal = principal
        self._feeds = feeds
        self._limits = limits
        # Set when there is something to pull.
        self._news = asyncio.Event()
        # Why it ends, once it does.
        self._ended: asyncio.Future[CloseReason] = asyncio.get_running_loop().create_future()

    @property
    def principal(self) -> Principal:
        return self._principal

    @property
    def crowd(self) -> None:
        """Presence and awareness are told on the socket."""
        return

    def wake(self, following: Following) -> None:
        self._news.set()

    def following_replaced(self, stream: str) -> None:
        """Nobody joins twice here."""

    def following_closed(self, stream: str, reason: CloseReason) -> None:
        self.end(reason)

    def end(self, reason: CloseReason) -> None:
        """The first reason counts."""
        if not self._ended.done():
            self._ended.set_result(reason)

    async def run(self, request: web.Request, joined: Joined, over: WhyOver) -> web.StreamResponse:
        """Answers the request, and goes on until the end. The client may be gone at any time."""
        response = web.StreamResponse(headers=_HEADERS)
        response.force_close()  # nobody waits for another request behind it
        await response.prepare(request)
        bound_buffers(request, self._limits.buffer_bytes)
        pump = asyncio.create_task(self._pump(response, joined), name="event stream")
        await attend(request, self._ended, over, pump)
        _note_failure(pump, joined.following)
        if self._ended.done():
            await self._part(request, response, self._ended.result())
        else:
            cut(request)
        return response

    async def _pump(self, response: web.StreamResponse, joined: Joined) -> None:
        """Ends by an exception only: what it has to say is never over."""
        following = joined.following
        await self._write(response, _opening(joined))
        while True:
            self._news.clear()
            publications = following.pull(self._limits.chunk_entries)
            if publications is None:
                publications = await self._read_log(following)
            elif not publications:
                await self._wait(response)
                continue
            if publications:
                fitting = fit(publications, self._limits.chunk_bytes, entry_json)
                following.seq = fitting[-1].entry.seq
                await self._write(response, b"".join(map(_message, fitting)))

    async def _read_log(self, following: Following) -> list[Publication]:
        """The next entries from the log; empty, after a pause, when it cannot give them yet."""
        try:
            publications = await self._feeds.catch_up(following)
        except StorageFault as fault:
            log.warning("an event stream cannot catch up yet: %s", fault)
            publications = []
        if not publications:
            await asyncio.sleep(_RETRY_S)
        return publications

    async def _wait(self, response: web.StreamResponse) -> None:
        """For news, with a sign of life now and then, which also tells us of clients whose network is gone."""
        try:
            async with asyncio.timeout(self._limits.heartbeat_s):
                await self._news.wait()
        except TimeoutError:
            await self._write(response, _HEARTBEAT)

    async def _write(self, response: web.StreamResponse, chunk: bytes) -> None:
        await write_within(response, chunk, self._limits.grace_s)

    async def _part(self, request: web.Request, response: web.StreamResponse, reason: CloseReason) -> None:
        """Says why, if that can be said at once. Who does not read is cut off."""
        if request.transport is None:
            return
        asyncio.get_running_loop().call_later(_PARTING_S, request.transport.abort)
        try:
            async with asyncio.timeout(_PARTING_S):
                await response.write(_said("closed", {"reason": reason}))
                await response.write_eof()
        except (TimeoutError, ConnectionError):
            cut(request)


def _note_failure(pump: asyncio.Task[None], following: Following) -> None:
    """It ends by itself when the client is gone or does not read, and by a defect."""
    failure = None if pump.cancelled() else pump.exception()
    if isinstance(failure, TimeoutError):
        user, stream = following.follower.principal.id, following.hub.stream
        log.info("an event stream that is not read is cut off: reason slow, user %s, stream %s", user, stream)
    elif failure is not None and not isinstance(failure, ConnectionError):
        log.error("an event stream failed", exc_info=failure)


def _opening(joined: Joined) -> bytes:
    """How it begins: `resume` after the cursor, or `reset`, after which everything comes from the beginning."""
    said: dict[str, object] = {"mode": joined.mode, "cursor": str(joined.cursor), "halted": joined.halted}
    if joined.reason is None:
        return _said("joined", said)
    return b"id: %b\n" % str(START).encode() + _said("joined", {**said, "reason": joined.reason})


def _said(name: str, data: dict[str, object]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(data))


def _message(publication: Publication) -> bytes:
    return b"id: %b\nevent: entry\ndata: %b\n\n" % (str(publication.cursor).encode(), entry_json(publication))
