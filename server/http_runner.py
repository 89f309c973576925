"""Runs the HTTP application with what aiohttp leaves open: time limits for requests that do not come whole, and problem
documents for what is no HTTP at all.

A connection has to show the headers of a request in time, and then its body; stock waits for ever for both, and answers
malformed requests with text that quotes them. Only seams that subclasses may override are used, and these of the
protocol's own fields: `_messages`, `_waiter`, `_request_count`, `_upgraded`, `_payload_parser`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
from aiohttp import StreamReader, web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import _ErrInfo

from protocol.errors import ErrorCode, Rejected, Rejection
from server.farewells import Farewells
from server.middleware import set_security_headers
from server.rest.problems import INTERNAL, problem

log = structlog.get_logger("pantherahive.http")

MALFORMED: Final = Rejection(ErrorCode.INVALID, "this is no request in HTTP/1.1")
HEAD_TOO_LARGE: Final = Rejection(ErrorCode.TOO_LARGE, "the request line, or a header, is too large")
TOO_SLOW: Final = Rejection(ErrorCode.INVALID, "the request did not arrive in time")


class RequestTooSlow(Exception):
    """The headers of a request began and did not end in time."""


@dataclass(frozen=True, slots=True)
class RequestTimes:
    """How long a client may take: for the headers, then for the body, and between two requests."""

    head_timeout_s: float = 15.0
    body_timeout_s: float = 60.0
    keepalive_s: float = 75.0


class TimedRequestHandler(web.RequestHandler):
    """One connection. At any time at most one wait for the client is limited: for headers, or for a body."""

    __slots__ = ("_body", "_farewells", "_head_began", "_patience", "_times")

    def __init__(self, server: web.Server, times: RequestTimes, farewells: Farewells, **options: Any) -> None:
        super().__init__(server, **options)
        self._times = times
        self._farewells = farewells
        # The end of the wait, while there is one.
        self._patience: asyncio.TimerHandle | None = None
        # The body that is waited for.
        self._body: StreamReader | None = None
        # Whether the client has sent anything of the request whose headers are waited for.
        self._head_began = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wait(self._times.head_timeout_s)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_waiting()
        self._farewells.add(partial(super().connection_lost, exc))

    def data_received(self, data: bytes) -> None:
        seen = self._request_count
        super().data_received(data)
        if self._payload_parser is not None or self._upgraded:
            self._stop_waiting()  # a WebSocket: the gateway has its own limits
        elif self._request_count != seen and self._messages:
            self._stop_waiting()
            body = self._messages[-1][1]
            if not body.is_eof():
                self._body = body
                self._wait(self._times.body_timeout_s)
        elif self._body is not None:
            if self._body.is_eof():
                self._stop_waiting()
        else:
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
        if self._body is not None:
            self._body.set_exception(Rejected(TOO_SLOW))  # whoever reads it answers so
            self._body = None
        elif self._head_began:
            self._answer_slow_head()
        else:
            self.force_close()

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
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is under way already")
        if status >= 500:
            log.error("a request failed outside of its handler", exc_info=exc)
        else:
            log.info("a request could not be read", remote=request.remote, why=type(exc).__name__)
        response = problem(_rejection(status, exc))
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

    def __init__(self, handler: Any, times: RequestTimes, **options: Any) -> None:
        super().__init__(handler, **options)
        self._times = times
        self._farewells = Farewells()

    def __call__(self) -> web.RequestHandler:
        return TimedRequestHandler(
            self,
            self._times,
            self._farewells,
            loop=self._loop,
            keepalive_timeout=self._times.keepalive_s,
            access_log=None,
            # Compressed bodies are refused; unpacking them first would be work for strangers.
            auto_decompress=False,
        )


class HttpRunner(web.AppRunner):
    """An AppRunner on our server. The access log is the middleware's."""

    def __init__(self, app: web.Application, times: RequestTimes, *, shutdown_timeout: float) -> None:
        super().__init__(app, access_log=None, shutdown_timeout=shutdown_timeout)
        self._times = times

    async def _make_server(self) -> web.Server:
        stock = await super()._make_server()
        return TimedServer(stock.request_handler, self._times, request_factory=stock.request_factory)
