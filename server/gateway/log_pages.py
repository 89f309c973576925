"""What one client is given from the log: few pages at once, however many streams it follows.

A page that is in hand waits for the client to read, and all that waits for a client is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from actors.runtime.feeds import Feeds
from actors.runtime.hub import Following
from actors.runtime.publication import Publication

_PAGES_IN_HAND_MAX: Final = 3


class LogPages:
    """Of one connection."""

    __slots__ = ("_feeds", "_free")

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds
        # How many more may be in hand.
        self._free = asyncio.Semaphore(_PAGES_IN_HAND_MAX)

    @asynccontextmanager
    async def next(self, following: Following) -> AsyncIterator[list[Publication]]:
        """The next entries, for as long as they are needed; they do not count as given. Raises StorageFault."""
        async with self._free:
            seq = following.seq
            publications = await self._feeds.catch_up(following)
            following.seq = seq
            yield publications
