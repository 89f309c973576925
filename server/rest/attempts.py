"""How often somebody may try to sign in: by the address they come from, and by the name that they say.

A try is counted before anything is looked up, for names that nobody has as well, and a good one is given back: only
wrong ones and registrations use the quotas up.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from protocol.errors import Rejected
from server.rate_limits import Rates
from server.streams import granted

FORWARDED_FOR: Final = "X-Forwarded-For"
_IPV6_PREFIX: Final = 64
"""What one household gets: single addresses of it say nothing."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """`proxies`: how many proxies in front of the server add the address that they see to X-Forwarded-For."""

    rates: Rates
    proxies: int = 0

    def register(self, request: web.Request) -> None:
        """Counts in any case: every registration costs a hash and a row. Raises Rejected."""
        granted(self.rates.logins_per_address.take(address_of(request, self.proxies)))

    @contextmanager
    def of(self, request: web.Request, name: str | None = None) -> Iterator[None]:
        """Around a try. Raises Rejected: rate_limited. What is raised inside for a wrong secret stays counted."""
        address = address_of(request, self.proxies)
        granted(self.rates.logins_per_address.take(address))
        if name is not None:
            granted(self.rates.logins_per_name.take(name))
        try:
            yield
        except BaseException as error:
            if not isinstance(error, Rejected) or error.rejection.retryable:
                self._give_back(address, name)  # the server's fault, or nobody's
            raise
        self._give_back(address, name)

    def _give_back(self, address: str, name: str | None) -> None:
        self.rates.logins_per_address.give_back(address)
        if name is not None:
            self.rates.logins_per_name.give_back(name)


def address_of(request: web.Request, proxies: int) -> str:
    """The client's address as the outermost of our proxies saw it; what stands left of that, anybody may have said."""
    seen = request.remote or ""
    if proxies:
        forwarded = [one.strip() for text in request.headers.getall(FORWARDED_FOR, []) for one in text.split(",")]
        seen = forwarded[-proxies] if len(forwarded) >= proxies else seen
    try:
        address = ipaddress.ip_address(seen)
    except ValueError:
        return request.remote or ""
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address.packed, _IPV6_PREFIX), strict=False))
    return str(address)
