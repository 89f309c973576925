"""The composition root: makes all parts (`server.composition`), and knows the order in which they start and stop.

start   storage → session (all shards) → region → feeds, consumers → accounts, REST, gateway → listen
stop    not ready → no new connections → sockets told → REST ends → actors write out → consumers → session → pools
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiohttp import web

from config.secrets import Secrets
from config.settings import Settings
from protocol.faults import StorageFault
from server.arriving_bodies import ArrivingBodies, BodyLimits
from server.composition.access import AccessParts
from server.composition.consumers import ShardConsumers
from server.composition.edges import Edges
from server.composition.heart import Heart
from server.figures import Parts, watch_consumer, watch_parts
from server.gateway.doors import Doors
from server.http_runner import HttpRunner
from server.ids import SystemIds
from server.limits import limits_from
from server.listener import BACKLOG_MAX, local_url_of, url_of
from server.metrics_page import MetricsPage
from server.node import SessionLost
from server.request_times import RequestTimes
from server.rest.access import looks_tokens_up
from server.rest.app import http_application
from server.rest.documents import document_routes
from server.rest.routes import api_routes
from server.telemetry import LoopLag, Readiness, telemetry_routes
from server.unread_answers import AnswerLimits, UnreadAnswers
from server.vitals import Patience, Vitals
from storage.postgres.pool import DatabaseLimits
from storage.postgres.pulse import Pulse
from storage.postgres.storage import PostgresStorage

log = structlog.get_logger("pantherahive.app")

ABORT_TIMEOUT_S: Final = 2.0
"""How long the end may take when the session is lost: nothing is written any more, so nothing is worth waiting for."""
CUT_OFF_S: Final = 0.2
"""How long requests in flight may take then."""
PARTING_S: Final = 0.2
"""How long connections of REST get last answers before those that ask nothing are closed."""
REGION_CHECK_INTERVAL_S: Final = 0.25
LOGINS_SWEEP_INTERVAL_S: Final = 600.0


class VitalPartEnded(Exception):
    """A task that has to run as long as the server does has ended. The cause is the defect, if there is one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where this process stands: its database, its socket, its node.

    `why_away` says at once why the database is gone, where this process itself looks after it.
    """

    dsn: str
    bound: socket.socket
    node_id: str
    why_away: Callable[[], str | None] = lambda: None


class Product:
    """The server, composed: `open` it on a migrated database, `start`, wait `until_over`, then `stop` or `abort`."""

    def __init__(self, settings: Settings, secrets: Secrets, place: Place, storage: PostgresStorage) -> None:
        self._settings = settings
        self._place = place
        self._storage = storage
        self.url = url_of(place.bound, settings.host)
        self.local_url = local_url_of(place.bound, settings.host)
        # Why the server is not ready although everything runs; None while it should be.
        self._pause: str | None = "starting"
        # What has to run as long as the server does.
        self._vital: list[asyncio.Task[None]] = []

        self._heart = Heart.make(settings, storage, place.node_id, self.url)
        self._consumers = ShardConsumers.make(settings, storage, self._heart)
        self._access = AccessParts.make(settings, secrets, storage, self._heart)
        self._edges = Edges.make(settings, storage, self._heart, self._access, self._consumers)
        self._heart.outlets.lead_to(self._heart.feeds, self._consumers.runners, self._edges.gateway.crowd.tick)
        self._vitals = Vitals(
            Pulse(storage.database, settings.ready_check_timeout_s),
            lambda: self._heart.region.append_pending_s,
            self._consumers.runners,
            self._heart.clock,
            limits_from(settings, Patience),
        )
        self._answers = UnreadAnswers(limits_from(settings, AnswerLimits))
        self._bodies = ArrivingBodies(limits_from(settings, BodyLimits))
        self._lag = LoopLag(settings.loop_lag_interval_s, self._heart.meters.loop_lagged)
        times = RequestTimes.of(settings)
        doors = None if settings.trusted_proxies else Doors(settings.http_connections_per_address_max)
        self._runner = HttpRunner(
            self._make_http(), times, doors, self._heart.meters, shutdown_timeout=settings.shutdown_grace_s
        )

    @classmethod
    async def open(cls, settings: Settings, secrets: Secrets, place: Place) -> Product:
        """Connects to the database. Raises DatabaseRefused, NotApplied."""
        session = SystemIds().new_id()
        limits = limits_from(settings, DatabaseLimits)
        storage = await PostgresStorage.open(place.dsn, session, limits, unsafe_durability=settings.unsafe_durability)
        return cls(settings, secrets, place, storage)

    # — life —————————————————————————————————————————————————————————————————————————————————————————

    async def start(self) -> None:
        """Takes the shards, starts all parts, listens. Raises AnotherNodeOwns, SessionLost, StorageFault."""
        try:
            await self._heart.node.open()
        except BaseException:
            await self._storage.close()
            raise
        await self._access.ended.start()
        self._lag.start()
        self._heart.region.start()
        self._watch_figures()
        self._vitally("node", self._heart.node.run())
        self._vitally("region", self._watch_region())
        shards = self._heart.shards
        for consumer in self._consumers.runners:
            for shard in shards.owned:
                consumer.feed.tell_head(shard, shards.head(shard))
            self._vitally(consumer.name, consumer.run())
        self._vitally("timers", self._heart.timers.run(self._settings.timer_poll_interval_s))
        self._vitally("eraser", self._consumers.eraser.run(self._settings.erasure_interval_s))
        self._vitally("gateway", self._edges.gateway.run())
        self._vitally("endings", self._access.ended.run(self._settings.endings_poll_interval_s))
        self._vitally("logins", self._access.logins.run(LOGINS_SWEEP_INTERVAL_S))
        await self._vitals.look()
        self._vitally("vitals", self._vitals.run())
        await self._runner.setup()
        await web.SockSite(self._runner, self._place.bound, backlog=BACKLOG_MAX).start()
        self._pause = None

    async def until_over(self, stop: asyncio.Event, *others: asyncio.Task[None]) -> None:
        """Returns when told to stop. Raises SessionLost, and VitalPartEnded for a defect, of the others too."""
        vital = [*self._vital, *others]
        told = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait([told, *vital], return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
        ended = [task for task in vital if task.done()]
        causes = {task.get_name(): task.exception() for task in ended if not task.cancelled()}
        for cause in causes.values():
            if isinstance(cause, SessionLost):
                raise cause
        for name, cause in causes.items():
            raise VitalPartEnded(f"{name} has ended") from cause

    async def stop(self) -> None:
        """The orderly end, each step within its time; what cannot be finished is what a crash would leave."""
        self._pause = "the server is stopping"
        for site in list(self._runner.sites):
            await site.stop()
        self._edges.event_streams.stop()
        self._runner.part()
        await asyncio.gather(self._edges.gateway.stop(self._settings.shutdown_grace_s), asyncio.sleep(PARTING_S))
        await self._runner.cleanup()
        await self._within(self._settings.shutdown_grace_s, "the actors", self._heart.region.stop())
        await self._cancel_vital()
        await self._within(self._settings.shutdown_grace_s, "the session", self._heart.node.close())
        await self._release()

    async def abort(self) -> None:
        """The end after the session was lost: nobody gets anything any more, and nothing is written."""
        self._pause = "the session was lost"
        await self._cancel_vital()
        for site in list(self._runner.sites):
            await site.stop()
        self._edges.event_streams.stop()
        await self._within(ABORT_TIMEOUT_S, "the sockets", self._edges.gateway.stop())
        if self._runner.server is not None:
            await self._runner.server.shutdown(CUT_OFF_S)
        await self._within(ABORT_TIMEOUT_S, "the actors", self._heart.region.stop(snapshots=False))
        await self._release()

    async def _release(self) -> None:
        self._lag.stop()
        self._access.passwords.close()
        self._vitals.close()
        await self._within(ABORT_TIMEOUT_S, "the connections", self._storage.close())

    async def _cancel_vital(self) -> None:
        for task in self._vital:
            task.cancel()
        await asyncio.gather(*self._vital, return_exceptions=True)

    async def _within(self, seconds: float, what: str, work: Coroutine[Any, Any, object]) -> None:
        try:
            async with asyncio.timeout(seconds):
                await work
        except TimeoutError:
            log.warning("not ended in time", what=what, seconds=seconds)
        except StorageFault as fault:
            log.warning("not ended in order", what=what, fault=str(fault))

    def _vitally(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._vital.append(asyncio.create_task(work, name=name))

    async def _watch_region(self) -> None:
        """The region keeps its tasks to itself; a failed one is passed on."""
        while True:
            await asyncio.sleep(REGION_CHECK_INTERVAL_S)
            if (failure := self._heart.region.failed) is not None:
                raise failure

    # — parts ————————————————————————————————————————————————————————————————————————————————————————

    def _make_http(self) -> web.Application:
        readiness = Readiness(
            {
                "server": self._paused,
                "node": self._heart.node.ready,
                "database": self._vitals.database,
                "log": self._vitals.appends,
                "consumers": self._vitals.consumers,
            },
            self._settings.ready_check_timeout_s,
            lambda: self._heart.region.supervisor.halted_streams,
            self._vitals.stalled,
        )
        page = MetricsPage(self._heart.meters.exposition, self._heart.clock.monotonic_s)
        routes = api_routes(self._edges.rest)
        app = http_application(
            [*routes, *document_routes(routes), *telemetry_routes(page, self._lag, readiness)],
            meters=self._heart.meters,
            allowed_origins=self._settings.allowed_origins,
            body_max_bytes=self._settings.request_body_max_bytes,
            public_body_max_bytes=self._settings.public_body_max_bytes,
            json_depth_max=self._settings.json_depth_max,
            new_id=self._heart.ids.new_id,
            inner=[looks_tokens_up(self._access.authenticator, self._access.attempts)],
            answers=self._answers,
            bodies=self._bodies,
        )
        self._edges.gateway.attach(app)
        return app

    async def _paused(self) -> str | None:
        return self._pause or self._place.why_away()

    def _watch_figures(self) -> None:
        heart, edges = self._heart, self._edges
        parts = Parts(
            heart.region,
            heart.feeds,
            edges.gateway,
            edges.event_streams,
            self._answers,
            self._bodies,
            heart.shards,
            heart.timers,
            heart.clock,
        )
        watch_parts(heart.meters, parts)
        for consumer in self._consumers.runners:
            watch_consumer(heart.meters, consumer, heart.clock)
