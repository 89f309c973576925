"""How often somebody may try to sign in: by the address they come from, and by the name that they say.

A try is counted before anything is looked up, for names that nobody has as well, and a good one is given back: only
wrong ones and registrations use the quotas up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from protocol.errors import Rejected
from server.addresses import address_of
from server.rate_limits import Rates
from server.streams import granted


@dataclass(frozen=True, slots=True)
class Attempts:
    """`proxies`: how many proxies in front of the server add the address that they see to X-Forwarded-For."""

    rates: Rates
    proxies: int = 0

    def register(self, request: web.Request) -> None:
        """Counts in any case: every registration costs a hash and a row. Raises Rejected."""
        granted(self.rates.logins_per_address.take(address_of(request, self.proxies)))

    @contextmanager
    def of_name(self, name: str) -> Iterator[None]:
        """Around a registration that may find its account made, and then tries a password. The address was counted."""
        granted(self.rates.logins_per_name.take(name))
        try:
            yield
        except BaseException as error:
            if not isinstance(error, Rejected) or error.rejection.retryable:
                self.rates.logins_per_name.give_back(name)
            raise
        self.rates.logins_per_name.give_back(name)

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
