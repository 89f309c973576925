"""Requests that are answered: stock keeps the last one of a connection until the next one comes, with its answer.

So what is large of both goes as soon as the answer is written; else an idle connection would keep megabytes. Nobody
misses it: aiohttp writes no response twice.
"""

from __future__ import annotations

from aiohttp import web
from aiohttp.streams import EmptyStreamReader


def let_go(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Drops their bodies. Of a request's that has not come whole stock reads the rest; what it leaves goes, too."""
    if isinstance(response, web.Response):
        response.body = None
    request._read_bytes = None
    body = request.content
    if not isinstance(body, EmptyStreamReader):
        # At once, if it is whole. Not by reading: that has the parser go on, which is amid its work where a body ends.
        body.on_eof(body._buffer.clear)
