"""Watching other nodes' sessions: one that renews its lease lives and is respected, one that falls silent is outlived.

    look      judge sessions as the database shows them; whoever is renewed refuses us
    outlive   look until no session of another node is left

Renewed means that the row changed while it was watched. Silence is measured by our own monotonic clock: the database's
clock may step back under a lease (the failover to a standby), and would keep a dead session alive for as long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

import structlog

from config.settings import Settings
from protocol.log import NodeRow

log = structlog.get_logger("pantherahive.node")

SAFETY_S: Final = 0.5
"""How much earlier than the lease's end reads from memory and rejections stop, and how much later others are ended."""
REAP_AFTER_LEASES: Final = 2
"""So many leases of unbroken watching come before others are ended: an outage of the database kills nobody."""
BEAT_INTERVAL_MAX_S: Final = 60.0
"""No server beats more rarely, however its lease is set."""

Sleep = Callable[[float], Awaitable[object]]


class AnotherNodeOwns(Exception):
    """A live session of another node owns shards of this database. The text names it and says what to do."""


@dataclass(frozen=True, slots=True)
class Lease:
    """How long a lease lives, how often it is renewed, and how long a reader waits for its renewal after an outage."""

    lease_s: float = 5.0
    beat_interval_s: float = 1.0
    wait_s: float = 2.0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As it is set."""
        return cls(settings.lease_s, settings.beat_interval_s, settings.lease_wait_s)


class Sessions(Protocol):
    """The part of `actors.ports.Ownership` that is needed to outlive others."""

    async def nodes(self) -> Sequence[NodeRow]: ...

    async def reap(self, seen: Mapping[str, int]) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class _Sight:
    """A session as it was seen last."""

    lease_until_us: int
    since_s: float
    """When it was first seen like that."""
    silence_s: float
    """How long it has to stay like that before it is taken for dead."""
    was_renewed: bool
    """Whether it was seen otherwise before."""


class LeaseWatch:
    """What was seen of others' sessions since it was made. It is used for one start."""

    def __init__(self, monotonic_s: Callable[[], float], lease: Lease) -> None:
        self._monotonic_s = monotonic_s
        self._lease = lease
        self._began_s = monotonic_s()
        # Since when the database has surely answered everybody: others could have beaten.
        self._unbroken_since_s = self._began_s
        # When the answer to the last look came.
        self._looked_s = self._began_s
        # By session.
        self._seen: dict[str, _Sight] = {}

    def interrupted(self) -> None:
        """The database did not answer: others cannot have beaten either."""
        self._unbroken_since_s = self._monotonic_s()

    def look(self, others: Sequence[NodeRow], asked_s: float) -> Mapping[str, int]:
        """The silent ones of these sessions, with the leases that were seen: `reap` may end them.

        `asked_s`: when these rows were asked for. Raises AnotherNodeOwns when one is renewed, but not before a lease
        has passed: it may be about to stop.
        """
        now_s = self._monotonic_s()
        if now_s - self._looked_s > self._lease.lease_s:
            self._unbroken_since_s = now_s
        self._looked_s = now_s
        self._tell_of(others)
        self._seen = {node.session: self._sight(node, now_s) for node in others}
        self._refuse_if_renewed(others, asked_s)
        if asked_s - self._unbroken_since_s < REAP_AFTER_LEASES * self._lease.lease_s:
            return {}
        return {
            session: sight.lease_until_us
            for session, sight in self._seen.items()
            if asked_s - sight.since_s > sight.silence_s
        }

    def _sight(self, node: NodeRow, now_s: float) -> _Sight:
        before = self._seen.get(node.session)
        if before is not None and before.lease_until_us == node.lease_until_us:
            return before
        return _Sight(node.lease_until_us, now_s, self._silence_s(node.lease_left_s), was_renewed=before is not None)

    def _silence_s(self, left_s: float) -> float:
        """Our own lease; longer where more is left of theirs.

        Then they were given another lease, or the database's clock stepped back. Whichever it is, whoever lives beats
        within the longest interval that there is.
        """
        lease_s = self._lease.lease_s
        return max(lease_s, min(left_s, BEAT_INTERVAL_MAX_S + lease_s)) + SAFETY_S

    def _refuse_if_renewed(self, others: Sequence[NodeRow], asked_s: float) -> None:
        if asked_s - self._began_s <= self._lease.lease_s + SAFETY_S:
            return
        for node in others:
            sight = self._seen[node.session]
            if sight.was_renewed and asked_s - sight.since_s < self._lease.lease_s:
                raise AnotherNodeOwns(
                    f"The database is in use by another PantheraHive: node {node.node_id} at {node.address}, which "
                    "renews its lease. Stop that one first (its shards are free at once), or choose another database."
                )

    def _tell_of(self, others: Sequence[NodeRow]) -> None:
        for node in others:
            if node.session not in self._seen:
                log.info(
                    "another session holds the database; waiting whether its lease runs out",
                    node_id=node.node_id,
                    address=node.address,
                )


class Outliving:
    """Waits until no session of another node is left. It is used once, before the tables are changed."""

    def __init__(
        self, node_id: str | None, lease: Lease, monotonic_s: Callable[[], float], sleep: Sleep = asyncio.sleep
    ) -> None:
        """`node_id`: whose sessions are in nobody's way, as their process is surely gone; None for nobody's."""
        self._node_id = node_id
        self._lease = lease
        self._monotonic_s = monotonic_s
        self._sleep = sleep

    async def outlive(self, sessions: Sessions) -> None:
        """Ends the sessions that are not renewed. Raises AnotherNodeOwns, and what the sessions raise."""
        watch = LeaseWatch(self._monotonic_s, self._lease)
        while True:
            asked_s = self._monotonic_s()
            others = [node for node in await sessions.nodes() if node.node_id != self._node_id]
            silent = watch.look(others, asked_s)
            if not others:
                return
            if silent and await end_silent(sessions, silent):
                continue
            await self._sleep(self._lease.beat_interval_s)


async def end_silent(sessions: Sessions, silent: Mapping[str, int]) -> bool:
    """Whether one of them was ended. One that was renewed at this moment goes on."""
    ended = await sessions.reap(silent)
    log.warning("ended sessions that did not renew their lease", sessions=list(ended))
    return bool(ended)
