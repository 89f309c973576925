"""Bodies of requests that are not read to their end yet: bounded in all and for each user, however slowly they come.

What has come of a body waits here for the rest. Room is taken before any of it is read, for all that may come, and is
there again when the body is understood, or never will be. The first one of a user, and the first of all, is let through
however large it is.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from protocol.errors import ErrorCode, Rejection
from server.held_bytes import Bound, HeldBytes, holder_in

SMALL_BYTES: Final = 8 << 10
"""Bodies of this size are not counted: a connection takes more by itself, and connections are counted.

So most commands go on, whatever is held. So do log-ins, and nobody without a token takes the room of others, as long as
`public_body_max_bytes` is no larger.
"""

_FULL: Final = Rejection(
    ErrorCode.OVERLOADED, "too many bodies of requests are on their way", {"limit": "bodies-arriving", "retryAfterS": 2}
)
_FULL_FOR_USER: Final = Rejection(
    ErrorCode.OVERLOADED,
    "too many bodies of this user's requests are on their way",
    {"limit": "bodies-arriving-per-user", "retryAfterS": 2},
)


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Of one user with their bots, or of one address where nobody is known; the operator has only that of all."""

    bodies_arriving_max_bytes: int = 128 << 20
    bodies_arriving_per_user_max_bytes: int = 32 << 20


class ArrivingBodies(HeldBytes):
    """Those of all connections."""

    def __init__(self, limits: BodyLimits) -> None:
        super().__init__(
            in_all=Bound(limits.bodies_arriving_max_bytes, _FULL),
            per_user=Bound(limits.bodies_arriving_per_user_max_bytes, _FULL_FOR_USER),
        )

    def arriving(self, request: web.Request) -> AbstractContextManager[None]:
        """While a body is read and made a message of. Raises Rejected: there is no room, and nothing of it is read."""
        size_bytes = largest_bytes(request)
        return self.taking(holder_in(request), size_bytes) if size_bytes > SMALL_BYTES else nullcontext()


BODIES: Final = web.AppKey("arriving_bodies", ArrivingBodies)
"""The application's, for whoever reads bodies."""


def largest_bytes(request: web.Request) -> int:
    """As much as may be read of a body: no more than the request's `client_max_size`, which one in chunks may reach."""
    if not request.can_read_body:
        return 0
    length = request.content_length
    return request.client_max_size if length is None else min(length, request.client_max_size)
