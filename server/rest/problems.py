"""Errors over HTTP: RFC 9457 problem documents with the codes of the live protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import orjson
from aiohttp import hdrs, web

from protocol.errors import HTTP_STATUS, ErrorCode, ErrorResponse, Rejection
from server.rate_limits import Allowance, Quota

PROBLEM_TYPE: Final = "urn:pantherahive:error:"
CONTENT_TYPE: Final = "application/problem+json"

INTERNAL = Rejection(ErrorCode.INTERNAL, "something failed inside the server; the request id names it in the log")

_TITLES: Mapping[ErrorCode, str] = MappingProxyType(
    {
        ErrorCode.INVALID: "The request does not fit its schema",
        ErrorCode.UNAUTHENTICATED: "Authentication is needed",
        ErrorCode.TOKEN_EXPIRED: "The token has expired",
        ErrorCode.FORBIDDEN: "Not allowed",
        ErrorCode.NOT_FOUND: "Not found",
        ErrorCode.METHOD_NOT_ALLOWED: "The method is not allowed here",
        ErrorCode.CONFLICT: "The change conflicts with another",
        ErrorCode.ALREADY_EXISTS: "It exists already",
        ErrorCode.OP_ID_REUSED: "The key was used for another request",
        ErrorCode.PRECONDITION_FAILED: "The precondition does not hold",
        ErrorCode.TOO_LARGE: "The request is too large",
        ErrorCode.UNSUPPORTED_MEDIA_TYPE: "The media type is not supported",
        ErrorCode.RULE_BROKEN: "A rule does not permit it",
        ErrorCode.RATE_LIMITED: "Too many requests",
        ErrorCode.OVERLOADED: "The server is overloaded",
        ErrorCode.UNAVAILABLE: "The service is not available",
        ErrorCode.TIMEOUT: "No answer in time",
        ErrorCode.STREAM_HALTED: "The stream is halted",
        ErrorCode.INTERNAL: "Something failed inside the server",
    }
)
_WAIT_DEFAULT_S: Mapping[ErrorCode, int] = MappingProxyType(
    {ErrorCode.RATE_LIMITED: 1, ErrorCode.OVERLOADED: 1, ErrorCode.UNAVAILABLE: 1}
)
_CODE_OF_STATUS: Mapping[int, ErrorCode] = MappingProxyType(
    {
        401: ErrorCode.UNAUTHENTICATED,
        403: ErrorCode.FORBIDDEN,
        404: ErrorCode.NOT_FOUND,
        405: ErrorCode.METHOD_NOT_ALLOWED,
        409: ErrorCode.CONFLICT,
        412: ErrorCode.PRECONDITION_FAILED,
        413: ErrorCode.TOO_LARGE,
        415: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        422: ErrorCode.RULE_BROKEN,
        429: ErrorCode.RATE_LIMITED,
        503: ErrorCode.UNAVAILABLE,
        504: ErrorCode.TIMEOUT,
    }
)


def problem_document(rejection: Rejection) -> ErrorResponse:
    """The document of a rejection."""
    return ErrorResponse(
        type=PROBLEM_TYPE + rejection.code.value,
        title=_TITLES[rejection.code],
        status=HTTP_STATUS[rejection.code],
        detail=rejection.message,
        code=rejection.code,
        retryable=rejection.retryable,
        details=dict(rejection.details),
    )


def problem(rejection: Rejection) -> web.Response:
    """The response of a rejection, with `Retry-After` and `WWW-Authenticate` where they belong."""
    document = problem_document(rejection)
    return web.Response(
        status=document.status,
        body=orjson.dumps(document.model_dump(mode="json", by_alias=True)),
        content_type=CONTENT_TYPE,
        headers=_headers(rejection),
    )


def problem_of_http(error: web.HTTPException) -> web.Response:
    """What aiohttp itself refused (no route, wrong method, too large …) as a problem document."""
    code = _CODE_OF_STATUS.get(error.status, ErrorCode.INVALID if error.status < 500 else ErrorCode.INTERNAL)
    response = problem(Rejection(code, _TITLES[code].lower()))
    if hdrs.SEC_WEBSOCKET_VERSION in error.headers:  # which would have been taken
        response.headers[hdrs.SEC_WEBSOCKET_VERSION] = error.headers[hdrs.SEC_WEBSOCKET_VERSION]
    return response


def rate_headers(allowance: Allowance) -> dict[str, str]:
    """What a quota is and what is left of it (draft-ietf-httpapi-ratelimit-headers-10)."""
    quota = allowance.quota
    return {
        "RateLimit-Policy": f'"{quota.name}";q={quota.most};w={math.ceil(quota.window_s)}',
        "RateLimit": f'"{quota.name}";r={allowance.remaining};t={math.ceil(allowance.full_in_s)}',
    }


def _headers(rejection: Rejection) -> dict[str, str]:
    headers: dict[str, str] = {}
    wait_s = rejection.details.get("retryAfterS", _WAIT_DEFAULT_S.get(rejection.code))
    if isinstance(wait_s, int | float):
        headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
    match rejection.code:
        case ErrorCode.RATE_LIMITED if "limit" in rejection.details:
            told = rejection.details
            quota = Quota(told["limit"], told["quota"], told["windowS"])
            headers |= rate_headers(Allowance(quota, 0, told["retryAfterS"]))
        case ErrorCode.UNAUTHENTICATED:
            headers["WWW-Authenticate"] = "Bearer"
        case ErrorCode.TOKEN_EXPIRED:
            headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        case _:
            pass  # the others are told by status and body alone
    return headers
