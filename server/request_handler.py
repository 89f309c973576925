"""One connection of HTTP, with what aiohttp leaves open: time limits for requests that do not come whole, and problem
documents for what is no HTTP at all.

A connection has to show the headers of a request in time, and then its body; stock waits for ever for both, even for
the rest of a malformed body, and answers malformed requests with text that quotes them. It has to take its answers,
too. Only seams that subclasses may override are used, and these of the protocol's own fields: `_messages`, `_waiter`,
`_request_count`, `_message_tail`, `_upgraded`, `_payload_parser`, `_parser`, `_reading_paused`, `_buffer_paused`,
`_resume_reading_if_drained`; and `_drain_helper` and `_handle_request`, whose errors would keep what a client did not
read or send to its end. Of a request that is answered `server.answered` empties `_read_bytes`, and the `_buffer` of its
body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import partial
from typing import Any, Final, cast

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import _ErrInfo

from protocol.errors import ErrorCode, Rejection
from server.addresses import place_of
from server.answered import let_go
from server.arrival import Arrival, BodyBroken
from server.expectations import noting_expectations
from server.farewells import Farewells
from server.frames import forget_frames
from server.gateway.doors import Doors
from server.gateway.turns import Turns
from server.held_bytes import holder_in
from server.middleware import REQUEST_ID, HttpMeters, set_security_headers
from server.pieces import is_last
from server.piecewise import LINE_S, PIECES_MAX, PiecewiseHandler
from server.request_end import NEWEST_BYTES, goes_on
from server.request_times import RequestTimes
from server.rest.problems import INTERNAL, problem
from server.tcp import bound_unsent
from server.turned_away import turn_away
from server.unread import Unread
from server.unread_answers import UnreadAnswers, counted_bytes

log = structlog.get_logger("pantherahive.http")

MALFORMED: Final = Rejection(ErrorCode.INVALID, "this is no request in HTTP/1.1")
HEAD_TOO_LARGE: Final = Rejection(ErrorCode.TOO_LARGE, "the request line, or a header, is too large")
CRUMBLED: Final = Rejection(ErrorCode.INVALID, "the body has too many small chunks, or too much around them")
TOO_SLOW: Final = Rejection(ErrorCode.INVALID, "the request did not arrive in time")

_LINGER_S: Final = 5.0


class RequestTooSlow(Exception):
    """The headers of a request began and did not end in time."""


class TimedRequestHandler(PiecewiseHandler):
    """One connection. At any time at most one wait for the client is limited: for headers, or for a body."""

    __slots__ = (
        *("_address", "_answers", "_broken", "_doors", "_ends_amid", "_farewells", "_gone"),
        *("_head_began", "_is_answered", "_meters", "_newest", "_patience", "_seen", "_times", "_unread"),
    )

    def __init__(self, server: TimedServer, **options: Any) -> None:
        super().__init__(server, server.turns, **options)
        self._times = server.times
        self._doors = server.doors
        self._meters = server.meters
        self._farewells = server.farewells
        self._answers = server.answers
        # Whose place at the doors is taken, while it is.
        self._address: str | None = None
        # The end of the wait, while there is one.
        self._patience: asyncio.TimerHandle | None = None
        # How a body ended that was not whole, which is the connection's last one.
        self._broken: BodyBroken | None = None
        # How many requests have been looked at.
        self._seen = 0
        # Whether the client has sent anything of the request whose headers are waited for.
        self._head_began = False
        # Whether what has come ends amid the headers of a request, and its last bytes.
        self._ends_amid = False
        self._newest = b""
        # Whether the newest request has its answer: it takes no upgrade any more, also if its body is still to come.
        self._is_answered = False
        # What the client has not read yet, as long as the connection is ours.
        self._unread: Unread | None = None
        # Its end, where that is waited for.
        self._gone: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)
        if not self._enters(stream):
            turn_away(stream)
            return
        super().connection_made(transport)
        if (shared := stream.get_extra_info("socket")) is not None:
            bound_unsent(shared, self._times.send_buffer_bytes)
        self._unread = Unread(stream, self._times.unread_s, self._times.answer_bytes_per_s_min)
        self._wait(self._times.head_timeout_s)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_waiting()
        self._forget_pieces()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        if self._unread is not None:
            self._unread.leave()
            self._unread = None
        if self._doors is not None and self._address is not None:
            self._doors.leave(self._address)
            self._address = None
        self._farewells.add(partial(super().connection_lost, exc))

    def _enters(self, transport: asyncio.Transport) -> bool:
        """Takes a place until the connection ends, or is a WebSocket, which the gateway counts."""
        peer = transport.get_extra_info("peername")
        address = place_of(peer[0]) if isinstance(peer, tuple) else None
        if self._doors is None or address is None:
            return True
        if not self._doors.enter(address):
            return False
        self._address = address
        return True

    async def start(self) -> None:
        """See stock. What is left of the last answer still has to be read."""
        try:
            await super().start()
        finally:
            forget_frames(self._broken)
            if self._unread is not None:
                self._unread.watch()

    async def _handle_request(
        self,
        request: web.BaseRequest,
        start_time: float | None,
        request_handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    ) -> tuple[web.StreamResponse, bool]:
        """See stock. A client that hung up is told by the result: the task that would keep the error is kept by it."""
        self._go_on()
        try:
            return await super()._handle_request(request, start_time, request_handler)
        except ConnectionError as error:
            forget_frames(error)
            return web.Response(), True  # nobody gets it
        finally:
            forget_frames(request.content.exception())

    async def _drain_helper(self) -> None:
        """See stock, whose frame has the future that keeps the error."""
        try:
            await super()._drain_helper()
        except ConnectionError as error:
            forget_frames(error)
            raise

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is not None:
            self._unread.watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.note_taken()

    def _parse(self, data: bytes) -> None:
        count, arrival, body = self._request_count, self._body, self._begun_body()
        had_bytes, late = body.total_bytes if body is not None else 0, body if not self._messages else None
        super()._parse(data)
        if late is not None and late.is_eof() and self._parser is not None:
            self._parser.message_consumed()  # it was taken before it was counted, and the queue would be full too early
            super()._parse(b"")
        if arrival is not None and arrival.is_crumbled(len(data) - arrival.body.total_bytes + had_bytes):
            self._stop_listening()
            if not self._is_answered:
                self._end_body(CRUMBLED)
            elif not self._request_in_progress:
                self._say_farewell()  # stock waits for the rest of the body, or for the client to hang up
        if self._request_count != count and self._messages:
            message, body = self._messages[-1]
            had_bytes, self._is_answered = 0, False
            if isinstance(message, _ErrInfo):
                forget_frames(message.exc)  # stock's frame has the message, and the data
            else:
                self._pieces.begin(message)
        if data:
            self._note_end(data, body, body.total_bytes - had_bytes if body is not None else 0)
        self._look(has_come=bool(data))
        if self._is_answered:
            self._decline_upgrade()

    def _note_end(self, data: bytes, body: StreamReader | None, body_bytes: int) -> None:
        """`body`: the newest request's, that has got `body_bytes` of the data; None: its headers are still to come."""
        if body is None:
            self._ends_amid = True
        elif body.is_eof():
            self._ends_amid = goes_on(self._newest, data, body_bytes)
        self._newest = (self._newest + data[-NEWEST_BYTES:])[-NEWEST_BYTES:]

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """See stock. What is behind an upgrade that was declined is read from here on."""
        if isinstance(request.content.exception(), BodyBroken) or is_last(request._message):
            resp.force_close()
        if not self._messages:
            self._is_answered = True
            self._decline_upgrade()
        size_bytes = counted_bytes(request, resp)
        if size_bytes:
            paced = self._unread.paced() if self._unread is not None else nullcontext()
            with self._answers.holding(holder_in(request), size_bytes), paced:
                finished = await super().finish_response(request, resp, start_time)
        else:
            finished = await super().finish_response(request, resp, start_time)
        if self._unread is not None:
            self._unread.watch()  # the kernel may have it all, and the client nothing
        let_go(request, finished[0])
        self._look(has_come=False)
        if self._is_deaf:
            await self._linger()
        return finished

    async def _linger(self) -> None:
        """Until the client hangs up, who sends on: to close before would cost it the answer (RFC 9112 §9.6)."""
        self._say_farewell()
        if self.transport is not None:
            self._gone = asyncio.get_running_loop().create_future()
            await asyncio.wait({self._gone}, timeout=_LINGER_S)

    def _say_farewell(self) -> None:
        """Nothing comes behind what is written."""
        if self.transport is not None and self.transport.can_write_eof():
            self.transport.write_eof()

    def _decline_upgrade(self) -> None:
        """If there is one; before stock does it: what comes behind is HTTP, which the parser has to get in pieces."""
        if not self._upgraded or self._payload_parser is not None or self._parser is None:
            return
        self._parser.set_upgraded(False)
        self._upgraded = False
        behind = self._message_tail + self._pieces.take_all()
        self._message_tail, self._newest = b"", b""
        self._forget_pieces()
        if behind:
            self.data_received(behind)
        if self._buffer_paused:
            self._resume_reading_if_drained()

    def _look(self, *, has_come: bool) -> None:
        """What is waited for from now on. `has_come`: whether the client has just sent something."""
        now_s = asyncio.get_running_loop().time()
        if self._payload_parser is not None or self._upgraded:
            self._stop_waiting()  # a WebSocket: the gateway has its own limits
        elif self._request_count != self._seen and self._messages:
            self._seen = self._request_count
            self._end_body(MALFORMED)  # nothing but an error can come behind a body that is not whole
            self._stop_waiting()
            body = self._messages[-1][1]
            if not body.is_eof():
                self._body = Arrival(body, self._times.body, now_s)
                self._wait(self._body.due_s(is_read=True) - now_s)
            elif self._ends_amid:
                self._wait_for_head()
        elif self._body is not None:
            if self._body.body.is_eof():
                self._stop_waiting()
                if self._ends_amid:
                    self._wait_for_head()
            elif has_come:
                self._body.came(now_s)
        elif has_come:
            self._wait_for_head()

    def _wait_for_head(self) -> None:
        """Something of the next request has come."""
        self._head_began = True
        if self._patience is None:
            self._wait(self._times.head_timeout_s)

    def _wait(self, seconds: float) -> None:
        self._patience = asyncio.get_running_loop().call_later(seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        self._body, self._head_began = None, False
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _too_slow(self) -> None:
        self._patience = None
        if self._pieces:
            self._wait(LINE_S)
        elif self._body is not None:
            is_read = not (self._reading_paused or self._buffer_paused)
            left_s = self._body.due_s(is_read=is_read) - asyncio.get_running_loop().time()
            if left_s > 0:
                self._wait(left_s)
            else:
                self._end_body(TOO_SLOW)
        elif self._head_began:
            self._answer_slow_head()
        else:
            self.force_close()

    def _end_body(self, why: Rejection) -> None:
        """Whoever reads it answers so, and the connection ends behind the answer. One that is whole stays as it is."""
        if self._body is not None and not self._body.body.is_eof():
            self._broken = BodyBroken(why)
            self._body.body.set_exception(self._broken)
        self._body = None

    def _answer_slow_head(self) -> None:
        """As if the parser had found an error, so that the answer takes its turn."""
        self._request_count += 1
        self._messages.append((_ErrInfo(status=400, exc=RequestTooSlow(), message=""), EMPTY_PAYLOAD))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """What could not be read, or failed outside of every handler. Nothing of the request is quoted or logged."""
        del message
        if isinstance(exc, ConnectionError) and self.transport is None:
            raise exc  # the client hung up: there is nobody to answer
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is under way already")
        if status >= 500:
            log.error("a request failed outside of its handler", exc_info=exc)
        else:
            log.info("a request could not be read", remote=request.remote, why=type(exc).__name__)
        response = problem(_rejection(status, exc))
        if REQUEST_ID not in request:  # no middleware has seen it
            self._meters.malformed_answered(response.status)
        set_security_headers(response, "-")
        response.force_close()
        return response


def _rejection(status: int, exc: BaseException | None) -> Rejection:
    if status >= 500:
        return INTERNAL
    match exc:
        case LineTooLong():
            return HEAD_TOO_LARGE
        case RequestTooSlow():
            return TOO_SLOW
        case _:
            return MALFORMED


class TimedServer(web.Server):
    """Makes our protocol for every connection."""

    def __init__(
        self, stock: web.Server, times: RequestTimes, doors: Doors | None, meters: HttpMeters, answers: UnreadAnswers
    ) -> None:
        super().__init__(stock.request_handler, request_factory=noting_expectations(stock.request_factory))
        self.times = times
        self.doors = doors
        self.meters = meters
        self.answers = answers
        self.turns = Turns(times.read_slice_s / 2, pieces_max=PIECES_MAX)  # bytes of HTTP wait rather than frames
        self.farewells = Farewells()

    def __call__(self) -> web.RequestHandler:
        return TimedRequestHandler(
            self,
            loop=self._loop,
            keepalive_timeout=self.times.keepalive_s,
            access_log=None,
            # Compressed bodies are refused; unpacking them first would be work for strangers.
            auto_decompress=False,
        )
