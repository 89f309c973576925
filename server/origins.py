"""Which web pages may call the server, over REST and on the socket alike."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import hdrs, web


def may_call(request: web.BaseRequest, allowed: Collection[str]) -> bool:
    """Pages of the allowed origins may, those of the server's own Host, of either scheme, and who is no page.

    The proxy that ends TLS keeps the scheme to itself, and it would protect nothing: tokens are no cookies, so a page
    has none but those that it was given. `X-Forwarded-Host` is not believed: any client can send it.
    """
    named = {*request.headers.getall(hdrs.ORIGIN, [])} - {""}
    own = {f"{scheme}://{request.host}" for scheme in ("https", "http")}
    return named <= own.union(allowed)
