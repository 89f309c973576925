"""What every HTTP request passes: a request id, the access log, problem documents, security headers, CORS."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware
from multidict import CIMultiDict

from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.faults import StorageFault
from server.expectations import refusing_unmet
from server.frames import forget_frames
from server.origins import may_call
from server.rate_limits import Allowance
from server.rest.problems import INTERNAL, problem, problem_of_http, rate_headers

log = structlog.get_logger("pantherahive.http")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID: Final = web.RequestKey("request_id", str)
CROSS_ORIGIN: Final = web.RequestKey("cross_origin", Mapping)
"""The headers that CORS adds to the answer."""
USER_ID: Final = web.RequestKey("user_id", str)
"""Set by the routes that know it, for the access log."""
ALLOWANCE: Final = web.RequestKey("allowance", Allowance)
"""Set by the routes that count against a quota, for the headers that tell what is left of it."""
OP_ID: Final = web.RequestKey("op_id", str)
"""Set by the routes that send a command, for the header by which it can be undone."""
OP_ID_HEADER: Final = "Op-Id"

CLIENT_GONE: Final = 499
SWITCHED: Final = 101
EVENT_STREAM: Final = "text/event-stream"
"""Its "request" lasts as long as the connection, which is no answer's time."""
PREFLIGHT_S: Final = 600
IDENTITY: Final = "identity"
"""No coding: the only one that bodies may have, which a refusal names (RFC 9110 §15.5.16)."""
ENCODED: Final = Rejection(
    ErrorCode.UNSUPPORTED_MEDIA_TYPE, "bodies with a Content-Encoding (compressed ones) are not accepted"
)
UNAVAILABLE: Final = Rejection(
    ErrorCode.UNAVAILABLE, "the database cannot be asked at the moment; try again", {"retryAfterS": 1}
)

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
_CORS_REQUEST_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-Id"
)
EXPOSED: Final = (
    "Content-Location",
    "Derived-As-Of",
    "Derived-Seq",
    "Derived-State",
    "ETag",
    "Link",
    "Location",
    "Op-Id",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Stream-State",
    "X-Request-Id",
)
"""The headers of answers that pages of other origins may read: all that the OpenAPI document names."""


class HttpMeters(Protocol):
    """What HTTP lets be seen."""

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None: ...

    def malformed_answered(self, status: int) -> None:
        """Something that was no whole request was answered: it has no method, no route and no time."""
        ...


def http_middlewares(meters: HttpMeters, allowed_origins: Sequence[str], new_id: Callable[[], str]) -> list[Middleware]:
    """The middlewares, outermost first."""
    return [_observing(meters, new_id), refusing_unmet, _cross_origin(frozenset(allowed_origins)), _problems]


def route_of(request: web.Request) -> str:
    """The route's template: bounded in number and free of ids, so fit for a metric's label."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """A signal handler (`on_response_prepare`), so that no answer of the application escapes it."""
    set_security_headers(response, request.get(REQUEST_ID, "-"))
    response.headers.update(request.get(CROSS_ORIGIN, {}))
    if (op_id := request.get(OP_ID)) is not None and response.status < 300:
        response.headers[OP_ID_HEADER] = op_id
    if (allowance := request.get(ALLOWANCE)) is not None and "RateLimit" not in response.headers:
        response.headers.update(rate_headers(allowance))


def set_security_headers(response: web.StreamResponse, request_id: str) -> None:
    """The headers of every answer; which software serves, and in which version, is nobody's business."""
    for name, value in _SECURITY_HEADERS:
        response.headers.setdefault(name, value)
    response.headers[hdrs.SERVER] = "PantheraHive"
    response.headers["X-Request-Id"] = request_id


def _observing(meters: HttpMeters, new_id: Callable[[], str]) -> Middleware:
    @web.middleware
    async def observing(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
        request[REQUEST_ID] = request_id
        started = time.perf_counter()
        status, is_live = CLIENT_GONE, False
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                response = await handler(request)
                status = response.status
                is_live = response.content_type == EVENT_STREAM and request.method != hdrs.METH_HEAD
                return response
            except asyncio.CancelledError:
                raise
            except web.HTTPException as error:
                status = error.status
                raise
            finally:
                seconds = time.perf_counter() - started
                if not is_live:
                    meters.request_answered(_method_of(request), route_of(request), status, seconds)
                log.info(
                    "request",
                    method=request.method,
                    path=request.path[:200],
                    status=status,
                    milliseconds=round(seconds * 1000, 2),
                    remote=request.remote,
                    **({"user_id": request[USER_ID]} if USER_ID in request else {}),
                )

    return observing


def _method_of(request: web.Request) -> str:
    """Made-up methods must not become labels."""
    return request.method if request.method in hdrs.METH_ALL else "OTHER"


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        _refuse_encoding(request)
        return await handler(request)
    except Rejected as refused:
        answer = problem(refused.rejection)
        if refused.rejection is ENCODED:
            answer.headers[hdrs.ACCEPT_ENCODING] = IDENTITY
        return answer
    except web.HTTPException as error:
        if error.status < 400 or error.content_type == "application/problem+json":
            raise
        forget_frames(error)  # stock's route keeps it, and its frame has the route
        answer = problem_of_http(error)
        if isinstance(error, web.HTTPMethodNotAllowed):
            answer.headers[hdrs.ALLOW] = _allowed(request, error)
        return answer
    except StorageFault as fault:
        log.warning("storage fault", fault=type(fault).__name__, route=route_of(request))
        return problem(UNAVAILABLE)
    except Exception as error:
        if error is request.content.exception():
            raise ConnectionAbortedError("the client hung up amid its body") from error
        log.exception("a handler failed", route=route_of(request))
        return problem(INTERNAL)


def _refuse_encoding(request: web.Request) -> None:
    """Here for every route, also for those that never read a body. Nothing is unpacked: see `server.request_handler`.

    An empty field names no coding; `identity` is none (RFC 9110 §8.4).
    """
    named = ",".join(request.headers.getall(hdrs.CONTENT_ENCODING, []))
    codings = {coding.strip().lower() for coding in named.split(",")}
    if request.can_read_body and codings - {"", IDENTITY}:
        raise Rejected(ENCODED)


def _cross_origin(allowed: frozenset[str]) -> Middleware:
    """CORS for the pages that may call; bearer tokens only, never cookies."""

    @web.middleware
    async def cross_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = (request.headers.get(hdrs.ORIGIN) or None) if may_call(request, allowed) else None
        request[CROSS_ORIGIN] = _cross_origin_headers(origin)
        if request.method != hdrs.METH_OPTIONS:
            return await handler(request)
        response = _options(request)
        if origin is not None:
            response.headers.update(_preflight(response.headers.get(hdrs.ALLOW, "")))
        return response

    return cross_origin


def _cross_origin_headers(origin: str | None) -> Mapping[str, str]:
    """Added when the answer begins, which may be long before its handler is done."""
    headers: dict[str, str] = {hdrs.VARY: "Origin, Authorization"}
    if origin is not None:
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = ", ".join(EXPOSED)
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return headers


def _preflight(methods: str) -> CIMultiDict[str]:
    return CIMultiDict(
        {
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: methods,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _CORS_REQUEST_HEADERS,
            hdrs.ACCESS_CONTROL_MAX_AGE: str(PREFLIGHT_S),
        }
    )


def _options(request: web.Request) -> web.Response:
    """What may be done with an address (RFC 9110 §9.3.7): aiohttp's refusal of OPTIONS knows it."""
    refusal = request.match_info.http_exception
    if isinstance(refusal, web.HTTPMethodNotAllowed):
        return web.Response(status=204, headers={hdrs.ALLOW: _allowed(request, refusal)})
    return problem_of_http(web.HTTPNotFound())


def _allowed(request: web.Request, refusal: web.HTTPMethodNotAllowed) -> str:
    """The methods of an address, as `Allow` has them.

    aiohttp adds those of every template that fits: of `/v1/users/login` also those of `/v1/users/{userId}`.
    """
    resources = request.app.router.resources()
    own = {route.method for resource in resources if resource.canonical == request.path for route in resource}
    return ", ".join(sorted({*(own or refusal.allowed_methods), hdrs.METH_OPTIONS}))
