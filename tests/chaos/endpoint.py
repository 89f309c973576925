"""Where the server is at this moment. Clients wait here while there is none, so that they do not slow its start."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


def _future() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True, eq=False)
class Incarnation:
    """One process of the server, as long as clients may use it."""

    generation: int
    url: str
    # Done when clients have to look for another one.
    over: asyncio.Future[None] = field(default_factory=_future)


class Endpoint:
    """`up` and `down` are called by whoever starts and kills servers."""

    def __init__(self) -> None:
        # The server that serves now; None between two.
        self._current: Incarnation | None = None
        self._is_up = asyncio.Event()
        # How many there have been; the number of the newest one.
        self.generation = 0

    def up(self, url: str) -> None:
        """A server is ready. An earlier one is over."""
        self.down()
        self.generation += 1
        self._current = Incarnation(self.generation, url)
        self._is_up.set()

    def down(self) -> None:
        """There is no server."""
        self._is_up.clear()
        if self._current is not None:
            self._current.over.set_result(None)
            self._current = None

    async def reach(self) -> Incarnation:
        """The server, as soon as there is one."""
        while self._current is None:
            await self._is_up.wait()
        return self._current
