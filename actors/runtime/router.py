"""Who answers for a stream: asks go to the owner of its shard. On one node that is always this node's region."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from actors.runtime.delivery import Reply
from actors.runtime.request import Outcome, Request


class Router(Protocol):
    """The way to any actor. `look` is a module-level function, its arguments plain values: both may have to travel."""

    def command(self, request: Request) -> asyncio.Future[Outcome]:
        """Accepted, or a Rejection. Never raises but for a defect."""
        ...

    def send(self, request: Request, reply: Reply) -> None:
        """As `command`, for whom even a future is too slow: `reply` gets the outcome in the turn in which it is there,
        which may be this very one.
        """
        ...

    def read(
        self,
        stream: str,
        look: Callable[..., Any],
        *arguments: Any,
        deadline_s: float,
        opened: Callable[[Any, Any], Any] | None = None,
    ) -> asyncio.Future[Any]:
        """`Reading(look(state, *arguments), cursor)`, or the Rejection that `look` returned or the runtime has.

        `opened(value, cursor)` runs in the turn in which the reading becomes durable; its result is the value then.
        """
        ...
