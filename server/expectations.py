"""What a request expects of the server (RFC 9110 §10.1.1): that it says 100 before it waits for the body, or nothing.

aiohttp looks at `Expect` before any middleware, for paths that are not there too, and quotes what it does not know. So
the field of such a request is taken from the message, and the refusal takes the way of all others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.http import RawRequestMessage
from aiohttp.typedefs import Handler
from multidict import CIMultiDict, CIMultiDictProxy

from protocol.errors import ErrorCode, Rejection
from server.rest.problems import problem

CONTINUE: Final = "100-continue"
"""The only expectation that there is."""
UNMET: Final = web.RequestKey("unmet", bool)
"""Whether anything else was expected."""
EXPECTATION_UNMET: Final = Rejection(ErrorCode.INVALID, f"nothing but {CONTINUE} may be expected")

MakeRequest = Callable[..., web.BaseRequest]


def noting_expectations(make: MakeRequest) -> MakeRequest:
    """Makes requests of messages as `make` does; what aiohttp gets to see of `Expect` is what it can meet."""

    def make_noting(message: RawRequestMessage, *rest: Any) -> web.BaseRequest:
        if hdrs.EXPECT not in message.headers:
            return make(message, *rest)
        headers = CIMultiDict(message.headers)
        named = {one.strip().lower() for text in headers.popall(hdrs.EXPECT) for one in text.split(",")} - {""}
        if named == {CONTINUE}:
            headers[hdrs.EXPECT] = CONTINUE
        request = make(message._replace(headers=CIMultiDictProxy(headers)), *rest)
        # HTTP/1.0 knows no expectations: it said whatever it liked there.
        request[UNMET] = bool(named - {CONTINUE}) and message.version >= HttpVersion11
        return request

    return make_noting


@web.middleware
async def refusing_unmet(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Before anything is looked at that the request asks for."""
    return problem(EXPECTATION_UNMET) if request.get(UNMET) else await handler(request)
