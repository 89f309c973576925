"""The composition root: the only place that knows all concrete classes, and the order in which they start and stop.

start   storage → session (all shards) → region → feeds, consumers → accounts, REST, gateway → listen
stop    not ready → no new connections → sockets told → REST ends → actors write out → consumers → session → pools
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
from aiohttp import web

from actors.profile.decider import ProfileActor
from actors.project.decider import ProjectActor
from actors.project.limits import ProjectLimits
from actors.runtime.actor import AnyActor
from actors.runtime.feeds import Feeds
from actors.runtime.history import History
from actors.runtime.limits import RuntimeLimits
from actors.runtime.log_reads import LogReads
from actors.runtime.region import Region
from actors.runtime.timers import TimerService
from actors.user.decider import UserActor
from actors.user.limits import UserLimits
from config.secrets import Secrets
from config.settings import Settings
from protocol.faults import StorageFault
from server.auth.accounts import AccountService
from server.auth.api_tokens import ApiTokenReader
from server.auth.bots import BotLimits, BotService
from server.auth.endings import EndedGrants
from server.auth.logins import LoginLimits, LoginService
from server.auth.passwords import PasswordCost, Passwords
from server.auth.principal import Authenticator
from server.auth.tokens import Tokens
from server.clock import SystemClock
from server.consumers.feed import FeedLimits, ShardFeed
from server.consumers.notifier import NOTIFIER, Notifier
from server.consumers.projector import make_projector
from server.consumers.runner import Runner, RunnerLimits
from server.consumers.timekeeper import TIMEKEEPER, Timekeeper
from server.derived_reads import ActivityReads, InvitationReads, ProjectedUntil, ProjectReads, TaskReads
from server.enrich import Facts
from server.entry_json import (
    entry_size,
)
from server.erasure import Eraser
from server.explanations import (
    Explanations,
)
from server.figures import Parts, watch_consumer, watch_parts
from server.gateway.app import Gateway
from server.gateway.limits import GatewayLimits
from server.http_runner import HttpRunner, RequestTimes
from server.ids import SystemIds
from server.invitation_facts import InvitationFacts
from server.limits import limits_from
from server.listener import BACKLOG_MAX, url_of
from server.node import Lease, Node, SessionLost, WatchedShards
from server.past_facts import PastFacts
from server.rate_limits import RateLimits, Rates
from server.rest.access import Access, looks_tokens_up
from server.rest.app import http_application
from server.rest.attempts import Attempts
from server.rest.documents import document_routes
from server.rest.event_streams import EventStreamLimits, EventStreams
from server.rest.exports import ExportLimits
from server.rest.keyed import KeyedRequests
from server.rest.pages import PageSizes
from server.rest.routes import RestNeeds, api_routes
from server.router import LeasedRouter, Outlets
from server.streams import Streams
from server.telemetry import LoopLag, Meters, Readiness, telemetry_routes
from server.vitals import Vitals
from storage.postgres.pool import DatabaseLimits
from storage.postgres.pulse import Pulse
from storage.postgres.storage import PostgresStorage
from storage.projections.purges import unerased

log = structlog.get_logger("pantherahive.app")

ABORT_TIMEOUT_S: Final = 2.0
"""How long the end may take when the session is lost: nothing is written any more, so nothing is worth waiting for."""
CUT_OFF_S: Final = 0.2
"""How long requests in flight may take then."""
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
        # Why the server is not ready although everything runs; None while it should be.
        self._pause: str | None = "starting"
        # What has to run as long as the server does.
        self._vital: list[asyncio.Task[None]] = []

        self._clock, self._ids, self._meters = SystemClock(), SystemIds(), Meters()
        self._actors: list[AnyActor] = [
            ProjectActor(limits_from(settings, ProjectLimits)),
            ProfileActor(),
            UserActor(limits_from(settings, UserLimits)),
        ]
        self._limits = limits_from(settings, RuntimeLimits)
        self._shards = WatchedShards(storage.database.session)
        self._node = self._make_node()
        self._outlets = Outlets()
        self._region = self._make_region()
        self._router = LeasedRouter(self._region, self._node)
        self._feeds = Feeds(self._actors, self._router, storage.journal, self._clock, self._limits)
        self._projector = self._make_projector()
        self._notifier = self._make_notifier()
        self._consumers = [self._projector, self._make_timekeeper(), self._notifier]
        self._outlets.lead_to(self._feeds, self._consumers)
        self._timers = TimerService(
            self._actors, storage.timers, self._router, self._shards, self._clock, settings.command_deadline_s
        )
        self._passwords = Passwords(self._password_cost())
        self._ended = EndedGrants(storage.endings, time.time)
        self._authenticator = Authenticator(
            Tokens(secrets.access_key, secrets.admin_token, settings.access_token_lifetime_s),
            self._ended,
            ApiTokenReader(storage.api_tokens, self._ended, time.time),
            self._ids.new_id,
        )
        self._logins = self._make_logins()
        self._rates = Rates(limits_from(settings, RateLimits), self._clock.monotonic_s)
        self._attempts = Attempts(self._rates, settings.trusted_proxies)
        self._history = History(self._actors, storage.journal, self._clock, self._limits)
        self._facts = self._make_facts()
        self._gateway = Gateway(
            self._router,
            self._feeds,
            self._facts,
            self._authenticator,
            self._clock,
            limits_from(settings, GatewayLimits),
            self._rates,
            settings.allowed_origins,
            self._meters,
        )
        self._event_streams = EventStreams(
            self._feeds, self._clock, settings.command_deadline_s, limits_from(settings, EventStreamLimits)
        )
        self._vitals = Vitals(
            Pulse(storage.database, settings.ready_check_timeout_s),
            self._consumers,
            self._clock,
            settings.consumer_stalled_after_s,
        )
        self._lag = LoopLag(settings.loop_lag_interval_s, self._meters.loop_lagged)
        times = RequestTimes(settings.request_head_timeout_s, settings.request_body_timeout_s, settings.keepalive_s)
        self._runner = HttpRunner(self._make_http(), times, shutdown_timeout=settings.shutdown_grace_s)

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
            await self._node.open()
        except BaseException:
            await self._storage.close()
            raise
        await self._ended.start()
        self._lag.start()
        self._region.start()
        self._watch_figures()
        self._vitally("node", self._node.run())
        self._vitally("region", self._watch_region())
        for consumer in self._consumers:
            for shard in self._shards.owned:
                consumer.feed.tell_head(shard, self._shards.head(shard))
            self._vitally(consumer.name, consumer.run())
        self._vitally("timers", self._timers.run(self._settings.timer_poll_interval_s))
        self._vitally("eraser", self._make_eraser().run(self._settings.erasure_interval_s))
        self._vitally("gateway", self._gateway.run())
        self._vitally("endings", self._ended.run(self._settings.endings_poll_interval_s))
        self._vitally("logins", self._logins.run(LOGINS_SWEEP_INTERVAL_S))
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
        self._event_streams.stop()
        await self._gateway.stop()
        await self._runner.cleanup()
        await self._within(self._settings.shutdown_grace_s, "the actors", self._region.stop())
        await self._cancel_vital()
        await self._within(self._settings.shutdown_grace_s, "the session", self._node.close())
        await self._release()

    async def abort(self) -> None:
        """The end after the session was lost: nobody gets anything any more, and nothing is written."""
        self._pause = "the session was lost"
        await self._cancel_vital()
        for site in list(self._runner.sites):
            await site.stop()
        self._event_streams.stop()
        await self._within(ABORT_TIMEOUT_S, "the sockets", self._gateway.stop())
        if self._runner.server is not None:
            await self._runner.server.shutdown(CUT_OFF_S)
        await self._within(ABORT_TIMEOUT_S, "the actors", self._region.stop(snapshots=False))
        await self._release()

    async def _release(self) -> None:
        self._lag.stop()
        self._passwords.close()
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
            if (failure := self._region.failed) is not None:
                raise failure

    # — parts ————————————————————————————————————————————————————————————————————————————————————————

    def _make_node(self) -> Node:
        return Node(
            self._storage.ownership,
            self._shards,
            node_id=self._place.node_id,
            address=self.url,
            clock=self._clock,
            ids=self._ids,
            lease=Lease(self._settings.lease_s, self._settings.beat_interval_s, self._settings.lease_wait_s),
        )

    def _make_facts(self) -> Facts:
        storage, settings = self._storage, self._settings
        streams = Streams(self._router, self._clock, settings.command_deadline_s)
        lifetime_days = settings.project_invitation_lifetime_days
        invitations = InvitationFacts(storage.invitation_secrets, streams, self._clock, lifetime_days)
        past = PastFacts(streams, storage.journal, self._history)
        return Facts(storage.accounts, storage.project_keys, invitations, past, streams)

    def _make_projector(self) -> Runner:
        limits = limits_from(self._settings, RunnerLimits, pause_s=self._settings.projector_pause_s)
        feed = ShardFeed(limits_from(self._settings, FeedLimits))
        return make_projector(self._storage.database, self._storage.journal, feed=feed, limits=limits)

    def _make_timekeeper(self) -> Runner:
        timekeeper = Timekeeper(self._storage.consumers, self._storage.timers, self._actors)
        limits = limits_from(self._settings, RunnerLimits, pause_s=self._settings.timekeeper_pause_s)
        feed = ShardFeed(limits_from(self._settings, FeedLimits))
        return Runner(TIMEKEEPER, self._storage.consumers, self._storage.journal, timekeeper, feed=feed, limits=limits)

    def _make_notifier(self) -> Runner:
        storage, settings = self._storage, self._settings
        notifier = Notifier(storage.consumers, self._router, self._clock, settings.command_deadline_s)
        limits = limits_from(settings, RunnerLimits, pause_s=settings.notifier_pause_s)
        feed = ShardFeed(limits_from(settings, FeedLimits))
        return Runner(NOTIFIER, storage.consumers, storage.journal, notifier, feed=feed, limits=limits)

    def _make_eraser(self) -> Eraser:
        storage = self._storage
        return Eraser(
            partial(unerased, storage.database), storage.journal, storage.invitation_secrets, self._feeds.forget
        )

    def _make_region(self) -> Region:
        return Region(
            self._actors,
            self._storage.journal,
            self._storage.ownership,
            self._shards,
            self._outlets,
            clock=self._clock,
            ids=self._ids,
            meters=self._meters,
            limits=self._limits,
            lanes=self._settings.lanes,
        )

    def _make_logins(self) -> LoginService:
        return LoginService(
            self._storage.accounts,
            self._storage.logins,
            self._authenticator,
            self._passwords,
            self._clock,
            self._ids,
            limits_from(self._settings, LoginLimits),
        )

    def _password_cost(self) -> PasswordCost:
        return PasswordCost(
            memory_kib=self._settings.argon2_memory_kib,
            time_cost=self._settings.argon2_time_cost,
            parallelism=self._settings.argon2_parallelism,
            threads=self._settings.password_threads,
            queue_max=self._settings.password_queue_max,
        )

    def _make_http(self) -> web.Application:
        readiness = Readiness(
            {
                "server": self._paused,
                "node": self._node.ready,
                "database": self._vitals.database,
                "consumers": self._vitals.consumers,
            },
            self._settings.ready_check_timeout_s,
            lambda: self._region.supervisor.halted_streams,
            self._vitals.stalled,
        )
        routes = api_routes(self._rest_needs())
        app = http_application(
            [*routes, *document_routes(routes), *telemetry_routes(self._meters, self._lag, readiness)],
            meters=self._meters,
            allowed_origins=self._settings.allowed_origins,
            body_max_bytes=self._settings.request_body_max_bytes,
            new_id=self._ids.new_id,
            inner=[looks_tokens_up(self._authenticator, self._attempts)],
        )
        self._gateway.attach(app)
        return app

    def _rest_needs(self) -> RestNeeds:
        accounts = self._storage.accounts
        limits = limits_from(self._settings, BotLimits)
        streams = Streams(self._router, self._clock, self._settings.command_deadline_s, self._meters, self._rates)
        service = AccountService(accounts, self._passwords, self._logins, streams, self._clock, self._ids)
        return RestNeeds(
            access=Access(self._authenticator, self._ids.new_id, self._rates),
            service=service,
            bots=BotService(accounts, self._storage.api_tokens, service, self._authenticator, self._clock, limits),
            logins=self._logins,
            attempts=self._attempts,
            accounts=accounts,
            streams=streams,
            history=self._history,
            facts=self._facts,
            projects=ProjectReads(self._storage.database),
            tasks=TaskReads(self._storage.database),
            invitations=InvitationReads(self._storage.database),
            activity=ActivityReads(self._storage.database),
            freshness=ProjectedUntil(self._projector, self._shards),
            told=ProjectedUntil(self._notifier, self._shards),
            clock=self._clock,
            new_id=self._ids.new_id,
            explanations=Explanations(self._storage.journal, streams),
            keyed=KeyedRequests(
                self._clock, self._settings.rejections_remembered_max, self._settings.rejection_memory_s
            ),
            reads=LogReads(self._feeds, entry_size, self._clock, self._settings.command_deadline_s),
            event_streams=self._event_streams,
            export_limits=limits_from(self._settings, ExportLimits),
            sizes=PageSizes(self._settings.page_size_default, self._settings.page_size_max),
            page_bytes_max=self._settings.page_bytes_max,
        )

    async def _paused(self) -> str | None:
        return self._pause or self._place.why_away()

    def _watch_figures(self) -> None:
        watch_parts(
            self._meters,
            Parts(self._region, self._feeds, self._gateway, self._event_streams, self._shards, self._clock),
        )
        for consumer in self._consumers:
            watch_consumer(self._meters, consumer, self._clock)
