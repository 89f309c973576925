"""`/openapi.json`, `/asyncapi.json` and `/docs`: the API as it is, for everybody, from here alone."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from server.rest.asyncapi import asyncapi_document
from server.rest.docs_page import STYLE, docs_page
from server.rest.openapi import openapi_document
from server.version import product_version

_CACHE: Final = "public, max-age=300"
_STYLE_HASH: Final = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_PAGE_POLICY: Final = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"


def document_routes(routes: Sequence[web.RouteDef]) -> list[web.RouteDef]:
    """The documents of these routes. Each is made when it is first asked for, beside the loop, and kept."""

    def page() -> bytes:
        return docs_page(openapi_document(routes, product_version()), asyncapi_document(product_version())).encode()

    openapi = _Document(lambda: orjson.dumps(openapi_document(routes, product_version())), "application/json")
    asyncapi = _Document(lambda: orjson.dumps(asyncapi_document(product_version())), "application/json")
    docs = _Document(page, "text/html", {"Content-Security-Policy": _PAGE_POLICY})
    return [
        web.get("/openapi.json", openapi.answer),
        web.get("/asyncapi.json", asyncapi.answer),
        web.get("/docs", docs.answer),
    ]


class _Document:
    """Bytes that depend on this build alone."""

    def __init__(self, make: Callable[[], bytes], content_type: str, headers: dict[str, str] | None = None) -> None:
        self._make = make
        self._content_type = content_type
        self._headers = headers or {}
        # Set by the first request; the others wait for the same.
        self._made: asyncio.Future[bytes] | None = None

    async def answer(self, request: web.Request) -> web.Response:
        if self._made is None:
            self._made = asyncio.ensure_future(asyncio.to_thread(self._make))
        body = await asyncio.shield(self._made)
        tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        headers: dict[str, Any] = {hdrs.ETAG: tag, hdrs.CACHE_CONTROL: _CACHE, **self._headers}
        if request.headers.get(hdrs.IF_NONE_MATCH, "").strip() in (tag, f"W/{tag}"):
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=self._content_type, charset="utf-8", headers=headers)
