"""What is held in memory for slow clients, by its bytes: bounded in all and for each user, however slow they are.

The first of a user, and the first of all, has room however large it is: nothing is too large to be had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from protocol.errors import Rejected, Rejection
from protocol.event import Principal
from server.addresses import place_of

READER: Final = web.RequestKey("reader", Principal)
"""Who asks, once it is known."""


def holder_in(request: web.BaseRequest) -> str | None:
    """For whom a request and its answer count: a user with their bots, or the address where nobody is known.

    None is the operator, who has no bound but that of all.
    """
    if READER in request:
        return request[READER].counts_for
    return f"address {place_of(request.remote or '') or request.remote}"


@dataclass(frozen=True, slots=True)
class Bound:
    """How much may be held, and what is said to what would be more."""

    max_bytes: int
    refusal: Rejection


class HeldBytes:
    """Of all holders (see `holder_in`)."""

    def __init__(self, in_all: Bound, per_user: Bound) -> None:
        self._in_all = in_all
        self._per_user = per_user
        # Holder → bytes that are held for them.
        self._of_holder: Counter[str | None] = Counter()
        self.bytes = 0

    def refusal(self, holder: str | None, size_bytes: int) -> Rejection | None:
        """Why there is no room for so much more, if that is so."""
        held_bytes = self._of_holder[holder]
        if holder is not None and held_bytes and held_bytes + size_bytes > self._per_user.max_bytes:
            return self._per_user.refusal
        return self._in_all.refusal if self.bytes and self.bytes + size_bytes > self._in_all.max_bytes else None

    @contextmanager
    def holding(self, holder: str | None, size_bytes: int) -> Iterator[None]:
        """While it is held."""
        self._of_holder[holder] += size_bytes
        self.bytes += size_bytes
        try:
            yield
        finally:
            self.bytes -= size_bytes
            self._of_holder[holder] -= size_bytes
            if not self._of_holder[holder]:
                del self._of_holder[holder]

    @contextmanager
    def taking(self, holder: str | None, size_bytes: int) -> Iterator[None]:
        """While it is held, if there is room. Raises Rejected: there is none."""
        if (refusal := self.refusal(holder, size_bytes)) is not None:
            raise Rejected(refusal)
        with self.holding(holder, size_bytes):
            yield

    def __len__(self) -> int:
        """For how many something is held."""
        return len(self._of_holder)
