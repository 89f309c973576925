"""ETags of answers that belong to no one stream: lists across projects. They are made of what is sent."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from server.rest.access import names_tag

_READING: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
_TAG_BYTES: Final = 12


@web.middleware
async def content_tags(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Gives a weak ETag to JSON that has none, and 304 to who has it already (RFC 9110 §13.1.2)."""
    answer = await handler(request)
    if not _wants_one(request, answer) or not isinstance(answer, web.Response) or not isinstance(answer.body, bytes):
        return answer
    tag = blake2b(answer.body, digest_size=_TAG_BYTES).hexdigest()
    answer.headers[hdrs.ETAG] = f'W/"{tag}"'
    answer.headers.setdefault(hdrs.CACHE_CONTROL, "private, no-cache")
    if not names_tag(request, tag):
        return answer
    headers = answer.headers.copy()
    for name in (hdrs.CONTENT_TYPE, hdrs.CONTENT_LENGTH):
        headers.pop(name, None)
    return web.Response(status=304, headers=headers)


def _wants_one(request: web.Request, answer: web.StreamResponse) -> bool:
    return (
        request.method in _READING
        and request.path.startswith("/v1/")
        and answer.status == 200
        and answer.content_type == "application/json"
        and hdrs.ETAG not in answer.headers
    )
