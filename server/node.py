"""This node's session: it owns the shards while its lease is renewed, and it never goes on once the session is over.

    open    begin a session, take all shards; another live node's session is watched, refused or outlived
    run     beat; a session that was ended, or a shard that was lost, ends the process
    close   give everything back

Of the lease only a deadline is kept here, by the monotonic clock and half a second on the safe side: reads from memory
and rejections stop there, because afterwards somebody else may be writing. Writes need no clock: they are fenced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NoReturn

import structlog

from actors.ports import Clock, Ids, Ownership
from actors.runtime.shards import ShardTable
from protocol.faults import StorageFault
from protocol.log import SHARDS, ShardRow
from server.lease_watch import SAFETY_S, AnotherNodeOwns, Lease, LeaseWatch, Sleep, end_silent

log = structlog.get_logger("pantherahive.node")


class SessionLost(Exception):
    """This session was ended, or a shard was taken: others may be writing. Nothing may go on."""


class WatchedShards(ShardTable):
    """A shard table that remembers a loss: one lost shard ends the session. It knows how long the lease holds."""

    def __init__(self, session: str, clock: Clock) -> None:
        super().__init__(session)
        self._clock = clock
        # Set when the first shard was lost.
        self.loss = asyncio.Event()
        # Whether the session was ended by somebody: for ever, like a loss.
        self.was_ended = False
        # Until when what is in memory is surely the newest, by the monotonic clock.
        self.serves_until_s = float("-inf")

    @property
    def is_over(self) -> bool:
        """Whether somebody ended the session or took a shard. It stays so for ever."""
        return self.was_ended or self.loss.is_set()

    def may_serve(self) -> bool:
        """See base: no shard was lost and the lease holds."""
        return not self.is_over and self._clock.monotonic_s() < self.serves_until_s

    def lost(self, shard: int) -> None:
        super().lost(shard)
        self.loss.set()


class Node:
    """One session of one node. It is used once: after `close` or SessionLost a new process begins a new one."""

    def __init__(
        self,
        ownership: Ownership,
        shards: WatchedShards,
        *,
        node_id: str,
        address: str,
        clock: Clock,
        ids: Ids,
        lease: Lease,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._ownership = ownership
        self._shards = shards
        self.node_id = node_id
        self.address = address
        self._clock = clock
        self._ids = ids
        self._lease = lease
        self._sleep = sleep
        # Set, and replaced, at every renewal: who reads from memory may wait for it.
        self._renewal = asyncio.Event()
        # What was seen of others' sessions while this one is opened.
        self._watch = LeaseWatch(clock.monotonic_s, lease)

    # — what others ask ——————————————————————————————————————————————————————————————————————————————

    @property
    def session(self) -> str:
        return self._shards.session

    @property
    def is_over(self) -> bool:
        """Whether somebody ended the session or took a shard. It stays so for ever."""
        return self._shards.is_over

    def may_serve(self) -> bool:
        """Whether what is in memory is surely the newest: no shard was lost and the lease holds."""
        return self._shards.may_serve()

    async def served(self) -> bool:
        """Whether reads from memory are allowed; when the lease is over, after waiting for its renewal."""
        try:
            async with asyncio.timeout(self._lease.wait_s):
                while not (self.may_serve() or self.is_over):
                    await self._renewal.wait()
        except TimeoutError:
            log.debug("the lease was not renewed in time", waited_s=self._lease.wait_s)
        return self.may_serve()

    async def ready(self) -> str | None:
        """Why not, for /readyz."""
        if self.is_over:
            return "this node's session was ended by another node"
        if len(self._shards.owned) < SHARDS:
            return f"{len(self._shards.owned)} of {SHARDS} shards are owned"
        return None if self.may_serve() else "the lease could not be renewed: the database does not answer"

    # — opening ——————————————————————————————————————————————————————————————————————————————————————

    async def open(self) -> None:
        """Begins the session and takes all shards. Raises AnotherNodeOwns, SessionLost, StorageFault."""
        self._watch = LeaseWatch(self._clock.monotonic_s, self._lease)
        sent_s = self._clock.monotonic_s()
        await self._ownership.open_session(self.session, self.node_id, self.address, self._lease.lease_s)
        self._renewed(sent_s)
        try:
            await self._take_all()
        except (AnotherNodeOwns, asyncio.CancelledError):
            await self._ownership.close_session(self.session)
            raise

    async def _take_all(self) -> None:
        """Takes what is free; waits for the end of sessions that hold the rest, if they are not renewed."""
        while True:
            rows = await self._ownership.shards()
            owners = {row.owner for row in rows if row.owner_alive and row.owner not in (None, self.session)}
            if not owners:
                await self._claim(rows)
                if len(self._shards.owned) == SHARDS:
                    return
            elif await self._outlived(owners):
                continue
            await self._sleep(self._lease.beat_interval_s)
            await self._beat_or_break()

    async def _claim(self, rows: Sequence[ShardRow]) -> None:
        seen = {row.shard: row.epoch for row in rows if not self._shards.owns(row.shard)}
        for claimed in await self._ownership.claim(self.session, seen, self._ids.epoch_step()):
            self._shards.claimed(claimed)

    async def _outlived(self, owners: AbstractSet[str | None]) -> bool:
        """Whether these sessions may be over now. Raises AnotherNodeOwns when one of them is renewed."""
        asked_s = self._clock.monotonic_s()
        others = [node for node in await self._ownership.nodes() if node.session in owners]
        silent = self._watch.look(others, asked_s)
        return await end_silent(self._ownership, silent) if silent else not others

    # — running ——————————————————————————————————————————————————————————————————————————————————————

    async def run(self) -> None:
        """Beats until it is cancelled. Raises SessionLost."""
        came_late = False
        while True:
            if not came_late:
                await self._until_next_beat()
            if self.is_over:
                self._over("another session has taken shards of this one")
            came_late = await self._beat_or_break()

    async def _until_next_beat(self) -> None:
        """A lost shard is not waited for."""
        pause = asyncio.ensure_future(self._sleep(self._lease.beat_interval_s))
        loss = asyncio.ensure_future(self._shards.loss.wait())
        try:
            await asyncio.wait((pause, loss), return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            loss.cancel()

    async def _beat_or_break(self) -> bool:
        """One beat. A fault of the database interrupts the watch over others, and the deadline comes nearer.

        True when the answer took longer than the lease lives (the database stood still): the next beat is due now.
        """
        sent_s = self._clock.monotonic_s()
        try:
            alive = await self._ownership.beat(self.session, self._lease.lease_s)
        except StorageFault as fault:
            log.warning("the lease could not be renewed", fault=str(fault), may_serve=self.may_serve())
            self._watch.interrupted()
            return False
        if not alive:
            self._over("this session was ended by another node, or by another process with this node id")
        self._renewed(sent_s)
        return not self.may_serve()

    def _renewed(self, sent_s: float) -> None:
        self._shards.serves_until_s = sent_s + self._lease.lease_s - SAFETY_S
        renewal, self._renewal = self._renewal, asyncio.Event()
        renewal.set()

    def _over(self, why: str) -> NoReturn:
        self._shards.was_ended = True
        raise SessionLost(why)

    async def close(self) -> None:
        """Ends the session: others may take the shards at once. Raises StorageFault; then the lease runs out."""
        self._shards.serves_until_s = float("-inf")
        await self._ownership.close_session(self.session)
