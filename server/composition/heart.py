"""The heart: what runs actors on one node, and who follows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from actors.profile.decider import ProfileActor
from actors.project.decider import ProjectActor
from actors.project.limits import ProjectLimits
from actors.runtime.actor import AnyActor
from actors.runtime.feeds import Feeds
from actors.runtime.history import History
from actors.runtime.limits import RuntimeLimits
from actors.runtime.region import Region
from actors.runtime.timers import TimerService
from actors.user.decider import UserActor
from actors.user.limits import UserLimits
from config.settings import Settings
from server.clock import SystemClock
from server.ids import SystemIds
from server.lease_watch import Lease
from server.limits import limits_from
from server.node import Node, WatchedShards
from server.past_turns import PastLimits, PastTurns
from server.router import LeasedRouter, Outlets
from server.telemetry import Meters
from storage.postgres.storage import PostgresStorage


@dataclass(frozen=True, slots=True)
class Heart:
    """`outlets` are where commits go; they are led to the feeds and the consumers once both are there."""

    clock: SystemClock
    ids: SystemIds
    meters: Meters
    actors: list[AnyActor]
    shards: WatchedShards
    node: Node
    outlets: Outlets
    region: Region
    router: LeasedRouter
    feeds: Feeds
    past: PastTurns
    timers: TimerService

    @classmethod
    def make(cls, settings: Settings, storage: PostgresStorage, node_id: str, url: str) -> Self:
        """On an open storage; nothing runs yet."""
        clock, ids, meters, outlets = SystemClock(), SystemIds(), Meters(), Outlets()
        limits = limits_from(settings, RuntimeLimits)
        shards = WatchedShards(storage.database.session, clock)
        lease = Lease.of(settings)
        node = Node(storage.ownership, shards, node_id=node_id, address=url, clock=clock, ids=ids, lease=lease)
        actors = _actors(settings)
        region = Region(
            actors,
            storage.journal,
            storage.ownership,
            shards,
            outlets,
            clock=clock,
            ids=ids,
            meters=meters,
            limits=limits,
            lanes=settings.lanes,
        )
        router = LeasedRouter(region, node)
        feeds = Feeds(actors, router, storage.journal, clock, limits)
        history = History(actors, storage.journal, clock, limits)
        past = PastTurns(history, limits_from(settings, PastLimits), settings.command_deadline_s)
        timers = TimerService(actors, storage.timers, router, shards, clock, settings.command_deadline_s)
        return cls(clock, ids, meters, actors, shards, node, outlets, region, router, feeds, past, timers)


def _actors(settings: Settings) -> list[AnyActor]:
    """One of each type."""
    return [
        ProjectActor(limits_from(settings, ProjectLimits)),
        ProfileActor(),
        UserActor(limits_from(settings, UserLimits)),
    ]
