"""Where a request comes from."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from aiohttp import web

FORWARDED_FOR: Final = "X-Forwarded-For"
_IPV6_PREFIX: Final = 64
"""What one household gets: single addresses of it say nothing."""
_WITH_PORT: Final = re.compile(r"\[([^]]+)\](?::\d+)?|([^:]+):\d+")
"""As some proxies write it (RFC 7239 §6): IPv6 in brackets, IPv4 as it is."""


def address_of(request: web.Request, proxies: int) -> str:
    """The client's address as the outermost of our proxies saw it; what stands left of that, anybody may have said."""
    seen = request.remote or ""
    if proxies:
        forwarded = [one.strip() for text in request.headers.getall(FORWARDED_FOR, []) for one in text.split(",")]
        seen = forwarded[-proxies] if len(forwarded) >= proxies else seen
    if bare := _WITH_PORT.fullmatch(seen):
        seen = bare[1] or bare[2]
    return place_of(seen) or request.remote or ""


def place_of(seen: str) -> str | None:
    """What is counted as one address: an IPv4 address, or the IPv6 network of a household. None: it is no address."""
    try:
        address = ipaddress.ip_address(seen)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address.packed, _IPV6_PREFIX), strict=False))
    return str(address)
