"""Followers that pull as a gateway does."""

from __future__ import annotations

from actors.runtime.feeds import Joined
from actors.runtime.hub import Following
from protocol.cursors import Cursor
from protocol.event import Principal
from tests.actors.runtime.publications import Watcher
from tests.actors.runtime.world import STREAM, World

DEADLINE_S = 1e6


class Reader(Watcher):
    """A follower that pulls as a gateway does, and keeps the seqs that it got."""

    def __init__(self, world: World, principal: Principal | str = "ann") -> None:
        super().__init__(principal)
        self._world = world
        self.got: list[int] = []

    async def join(self, cursor: Cursor | None = None, stream: str = STREAM) -> Joined:
        joined = await self._world.feeds.join(self, stream, cursor, DEADLINE_S)
        assert isinstance(joined, Joined), joined
        return joined

    async def pull(self, following: Following, limit: int = 100) -> None:
        """Everything up to the head."""
        while True:
            publications = following.pull(limit)
            if publications is None:
                publications = await self._world.feeds.catch_up(following)
                assert publications or following.closed
            if not publications:
                return
            self.got += [publication.entry.seq for publication in publications]


def cursor_at(world: World, seq: int) -> Cursor:
    return Cursor(seq, world.journal.entries()[seq - 1].epoch)
