"""That something has changed, for any number of those who wait; nothing is queued for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from pantherahive_client.errors import ClientClosed, HiveError

T = TypeVar("T")


class Signal:
    """Counts changes. Whoever waits names the change they know, so none is slept through."""

    def __init__(self) -> None:
        # How many changes there were.
        self.version = 0
        # Set by the next change, and then replaced.
        self._next = asyncio.Event()

    def notify(self) -> None:
        """Something changed: everybody who waits looks again."""
        self.version += 1
        self._next.set()
        self._next = asyncio.Event()

    async def after(self, version: int) -> None:
        """Returns when there was a change after this one."""
        while self.version == version:
            await self._next.wait()

    async def watch(self, look: Callable[[], T], ended: Callable[[], HiveError | None]) -> AsyncIterator[T]:
        """What `look` gives, now and whenever that is something else, until `ended` says why there is no more.

        What was closed ends quietly, every other end is raised.
        """
        version = self.version
        yield (last := look())
        while (why := ended()) is None:
            await self.after(version)
            version = self.version
            if (newest := look()) != last:
                last = newest
                yield last
        if not isinstance(why, ClientClosed):
            raise why
