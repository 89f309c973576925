"""Runs the HTTP application on connections of our own (`server.request_handler`)."""

from __future__ import annotations

from aiohttp import hdrs, web

from server.gateway.doors import Doors
from server.middleware import SWITCHED, HttpMeters
from server.request_handler import TimedServer
from server.request_times import RequestTimes
from server.unread_answers import ANSWERS


class HttpRunner(web.AppRunner):
    """An AppRunner on our server. The access log is the middleware's.

    `doors` count the connections of each address; None where all of them are those of a proxy.
    """

    def __init__(
        self,
        app: web.Application,
        times: RequestTimes,
        doors: Doors | None,
        meters: HttpMeters,
        *,
        shutdown_timeout: float,
    ) -> None:
        super().__init__(app, access_log=None, shutdown_timeout=shutdown_timeout)
        app.on_response_prepare.append(self._part)
        # Whether every answer is the last one of its connection.
        self._is_parting = False
        self._times = times
        self._doors = doors
        self._meters = meters

    def part(self) -> None:
        """From now on every answer says that it is the last one of its connection (RFC 9112 §9.6).

        Then a client sends its next request elsewhere, and not to a connection that is just being closed.
        """
        self._is_parting = True

    async def _part(self, request: web.Request, response: web.StreamResponse) -> None:
        del request
        if self._is_parting and response.status != SWITCHED:
            response.force_close()
            response.headers[hdrs.CONNECTION] = "close"

    async def _make_server(self) -> web.Server:
        return TimedServer(await super()._make_server(), self._times, self._doors, self._meters, self.app[ANSWERS])
