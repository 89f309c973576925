"""That something has changed, for any number of those who wait; nothing is queued for them."""

from __future__ import annotations

import asyncio


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
