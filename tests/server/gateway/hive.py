"""The live gateway over a real region and storage in memory, behind a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from actors.profile.decider import ProfileActor
from actors.project.decider import ProjectActor
from actors.runtime.actor import AnyActor, shown
from actors.runtime.feeds import Feeds
from actors.runtime.history import History
from actors.runtime.limits import RuntimeLimits
from actors.runtime.region import Region
from actors.runtime.request import Accepted, Reading, Request
from actors.runtime.shards import ShardTable
from protocol.base import instant_of
from protocol.event import OPERATOR, Command, Principal
from protocol.messages import digest_of
from protocol.projects import CreateProject
from protocol.tasks import CreateTask
from server.auth.api_tokens import ApiTokenReader
from server.auth.endings import EndedGrants
from server.auth.principal import Authenticator
from server.auth.tokens import Tokens
from server.enrich import Facts
from server.gateway.app import Gateway
from server.gateway.engine import Engine
from server.gateway.limits import GatewayLimits
from server.invitation_facts import InvitationFacts
from server.past_facts import PastFacts
from server.past_turns import PastLimits, PastTurns
from server.rate_limits import RateLimits, Rates
from server.rest.app import http_application
from server.router import Outlets
from server.streams import Streams
from server.telemetry import Meters
from storage.grant_ports import Login
from storage.memory.faulty import FaultyJournal
from storage.memory.shards import MemoryShards
from storage.memory.storage import MemoryStorage
from storage.ports import Account
from tests.server.clock import ManualClock, RandomIds
from tests.server.gateway.client import DEADLINE_S, LiveClient, merged

ADMIN_TOKEN = "ph_admin_" + "a" * 43

POLL_S = 0.005
RATE_LIMITS = RateLimits()
LONG_PINGS = GatewayLimits(slow_follower_grace_s=0.5, presence_interval_s=0.02)
"""What is closed here is not closed by a ping's end."""


def new_project() -> str:
    """A stream that nobody has used."""
    return f"project/{RandomIds().new_id()}"


async def eventually(condition: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
    """Lets the loop run until it holds. Raises TimeoutError."""
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)  # what is waited for is often nobody's event: a count that falls


@dataclass
class Hive:
    """A running gateway and everything behind it."""

    url: str
    gateway: Gateway
    feeds: Feeds
    region: Region
    storage: MemoryStorage
    journal: FaultyJournal
    clock: ManualClock
    tokens: Tokens
    facts: Facts
    clients: list[LiveClient] = field(default_factory=list)

    @property
    def engines(self) -> list[Engine]:
        """One for each parser, JSON's first."""
        return [server.eio for server in self.gateway.servers]

    async def user(self, name: str) -> tuple[str, str]:
        """(user id, token) of a new user."""
        user_id = RandomIds().new_id()
        now = self.clock.now()
        await self.storage.accounts.create(Account(user_id, name, None, "", None, None, now, now, True))
        return user_id, self.token(user_id)

    def token(self, user_id: str, login_id: str | None = None, ends_in_s: float = 900) -> str:
        """Of a log-in of its own, unless one is named."""
        ids = RandomIds()
        return self.tokens.issue(
            user_id, login_id or ids.new_id(), ids.new_id(), self.clock.now_s - self.tokens.lifetime_s + ends_in_s
        )

    async def login(self, user_id: str) -> str:
        """A log-in of the user as any node may have begun it; its id."""
        login_id, until = RandomIds().new_id(), instant_of(datetime.fromtimestamp(self.clock.now_s + 1000, UTC))
        login = Login(login_id, user_id, b"family", b"secret", b"salt", self.clock.now(), until)
        assert await self.storage.logins.open(login, "", 10)
        return login_id

    async def client(self, token: str = ADMIN_TOKEN, kind: type[LiveClient] = LiveClient, **options: Any) -> LiveClient:
        """A client past CONNECT; it is closed at the end."""
        client = await kind.connect(self.url, token, **options)
        self.clients.append(client)
        return client

    async def opened(self, kind: type[LiveClient] = LiveClient, **options: Any) -> LiveClient:
        """A client that has not sent CONNECT."""
        client = await kind.open(self.url, **options)
        self.clients.append(client)
        return client

    async def send(self, stream: str, command: Command, user_id: str | None = None) -> Accepted:
        """A command that comes from elsewhere, REST for example. Without a user: the operator's."""
        principal = Principal(user_id) if user_id else OPERATOR
        facts: Any = await self.facts.facts_for(command, stream, principal)
        outcome = await self.region.command(
            Request(
                stream,
                RandomIds().new_id(),
                command,
                principal,
                digest_of(principal.id, command, None, None),
                self.clock.monotonic_s() + 10,
                facts=facts,
            )
        )
        assert isinstance(outcome, Accepted), outcome
        return outcome

    async def project(self, tasks: int = 0, owner: str | None = None, description: str = "") -> str:
        """The stream of a new project with tasks: its seq is `tasks` + 1."""
        stream = new_project()
        owner = owner or (await self.user(f"owner-{stream}"))[0]
        await self.send(stream, CreateProject(name="Apollo", owner_id=owner))
        for number in range(tasks):
            await self.send(stream, CreateTask(title=f"Task {number}", description=description))
        return stream

    async def view(self, stream: str) -> tuple[dict[str, Any], int]:
        """The actor's own state and its seq."""
        reading = await self.region.read(stream, _look, ProjectActor(), deadline_s=self.clock.monotonic_s() + 10)
        assert isinstance(reading, Reading)
        return reading.value, reading.cursor.seq

    def left(self) -> dict[str, int]:
        """What of the connections is still there."""
        found = {
            "connections": self.gateway.connections,
            "entered": len(self.gateway._entered),
            "grants": len(self.gateway._of_grant),
            "engine sockets": sum(len(engine.sockets) for engine in self.engines),
            "followers": self.feeds.followers,
            "environ": sum(len(server.environ) for server in self.gateway.servers),
            "rooms": sum(len(server.manager.rooms) for server in self.gateway.servers),
        }
        return {name: count for name, count in found.items() if count}


def _look(state: Any, actor: AnyActor) -> dict[str, Any]:
    return merged(list(shown(actor.parts(state))))


async def _region(storage: MemoryStorage, outlets: Outlets, clock: ManualClock, limits: RuntimeLimits) -> Region:
    shards = ShardTable("session")
    await storage.ownership.open_session("session", "node", "", 1e9)
    seen = {row.shard: row.epoch for row in await storage.ownership.shards()}
    for claimed in await storage.ownership.claim("session", seen, 1):
        shards.claimed(claimed)
    return Region(
        _actors(),
        storage.journal,
        storage.ownership,
        shards,
        outlets,
        clock=clock,
        ids=RandomIds(),
        meters=Meters(),
        limits=limits,
    )


def _actors() -> list[Any]:
    return [ProjectActor(), ProfileActor()]


@asynccontextmanager
async def a_hive(
    limits: GatewayLimits = LONG_PINGS,
    runtime: RuntimeLimits | None = None,
    origins: Sequence[str] = (),
    rate_limits: RateLimits = RATE_LIMITS,
) -> AsyncIterator[Hive]:
    """A running gateway. At its end nothing of any connection may be left, and no task."""
    tasks_before = asyncio.all_tasks()
    runtime = runtime or RuntimeLimits()
    clock, outlets = ManualClock(), Outlets()
    journal = FaultyJournal(MemoryShards())
    storage = MemoryStorage.make(clock.monotonic_s, journal)
    region = await _region(storage, outlets, clock, runtime)
    feeds = Feeds(_actors(), region, journal, clock, runtime)
    region.start()
    tokens = Tokens(Ed25519PrivateKey.generate(), ADMIN_TOKEN, 900)
    streams = Streams(region, clock, DEADLINE_S)
    invitations = InvitationFacts(storage.invitation_secrets, streams, clock, 14)
    turns = PastTurns(History(_actors(), journal, clock, runtime), PastLimits(), 10)
    past = PastFacts.make(streams, journal, turns, clock)
    facts = Facts(storage.accounts, storage.project_keys, invitations, past, streams)
    ended = EndedGrants(storage.endings, lambda: clock.now_s)
    reader = ApiTokenReader(storage.api_tokens, storage.accounts, ended, lambda: clock.now_s)
    authenticator = Authenticator(tokens, ended, reader, RandomIds().new_id, lambda: clock.now_s)
    rates = Rates(rate_limits, lambda: clock.now_s)
    gateway = Gateway(region, feeds, facts, authenticator, clock, limits, rates, origins)
    outlets.lead_to(feeds, [], gateway.crowd.tick)
    app = http_application(
        [], meters=Meters(), allowed_origins=origins, body_max_bytes=1 << 20, new_id=RandomIds().new_id
    )
    gateway.attach(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    beats = asyncio.gather(gateway.run(), ended.run(POLL_S))
    host, port = runner.addresses[0]
    hive = Hive(f"http://{host}:{port}", gateway, feeds, region, storage, journal, clock, tokens, facts)
    try:
        yield hive
    finally:
        for client in hive.clients:
            await client.leave()
        await gateway.stop()
        beats.cancel()
        await runner.cleanup()
        await region.stop(snapshots=False)
        await asyncio.gather(beats, return_exceptions=True)
    await nothing_left(hive, tasks_before)


async def nothing_left(hive: Hive, tasks_before: set[asyncio.Task[Any]]) -> None:
    """Nothing of any connection, and no task that was not there before. Fails with what is left."""
    allowed = tasks_before | {asyncio.current_task()}
    try:
        await eventually(lambda: not hive.left() and asyncio.all_tasks() <= allowed, 5)
    except TimeoutError:
        raise AssertionError(f"left: {hive.left()}, {asyncio.all_tasks() - allowed}") from None
