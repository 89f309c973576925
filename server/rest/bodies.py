"""Request bodies and answers in JSON: strict on the way in, canonical on the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import orjson
from aiohttp import web
from pydantic import ValidationError

from protocol.base import Message
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.messages import invalid
from protocol.poison import find_poison
from server.arriving_bodies import BODIES

M = TypeVar("M", bound=Message)

PUBLIC_BODY_BYTES_MAX: Final = web.AppKey("public_body_bytes_max", int)
"""What is read of whom nobody knows yet. Other bodies have the application's `client_max_size`."""
JSON_DEPTH_MAX: Final = web.AppKey("json_depth_max", int)
"""How deep a body may be, as a packet of the socket."""


async def read_body(request: web.Request, model: type[M]) -> M:
    """The body as a message. Its size is bounded by the application's `client_max_size`, its depth by JSON_DEPTH_MAX.

    For routes that know who asks; the others take `read_public_body`.
    Raises Rejected: invalid, overloaded (nothing is read then), too_large, unsupported_media_type.
    """
    _check_media_type(request)
    with request.config_dict[BODIES].arriving(request):
        return validated(model, _object_of(await _read(request), request.config_dict[JSON_DEPTH_MAX]))


async def read_public_body(request: web.Request, model: type[M]) -> M:
    """The body of a route that needs no token: a small one, so that nobody makes others wait."""
    return await read_body(request.clone(client_max_size=request.config_dict[PUBLIC_BODY_BYTES_MAX]), model)


def validated(model: type[M], value: Mapping[str, Any]) -> M:
    """The message, or Rejected with one line per wrong field and without the values."""
    try:
        return model.from_client(value)
    except ValidationError as error:
        raise Rejected(invalid(error, value)) from error


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer in JSON."""
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json", headers=headers)


def _check_media_type(request: web.Request) -> None:
    charset = (request.charset or "utf-8").lower()
    if request.content_type != "application/json" or charset not in {"utf-8", "utf8"}:
        raise Rejected(Rejection(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "the body must be application/json in UTF-8"))


async def _read(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        most = request.client_max_size
        raise Rejected(Rejection(ErrorCode.TOO_LARGE, f"the body has more than {most} bytes")) from error


def _object_of(text: bytes, depth_max: int) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # Only the place is told: the parser's own words may quote the body.
        raise _refused(f"the body is not JSON (line {error.lineno}, column {error.colno})") from error
    if (poison := find_poison(value, depth_max)) is not None:
        raise _refused(f"the body is not acceptable: {poison}")
    if not isinstance(value, dict):
        raise _refused("the body must be a JSON object")
    return value


def _refused(message: str) -> Rejected:
    return Rejected(Rejection(ErrorCode.INVALID, message))
