"""The whole REST side over a real region and storage in memory, behind a real HTTP server on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import BaseRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from yarl import URL

from actors.profile.decider import ProfileActor
from actors.project.decider import ProjectActor
from actors.project.limits import ProjectLimits
from actors.runtime.feeds import Feeds
from actors.runtime.history import History
from actors.runtime.limits import RuntimeLimits
from actors.runtime.log_reads import LogReads
from actors.runtime.region import Region
from actors.runtime.shards import ShardTable
from actors.user.decider import UserActor
from protocol.errors import Rejection
from protocol.event import OPERATOR, Command, Principal
from protocol.members import AddMember, Role
from server.auth.accounts import AccountService
from server.auth.api_tokens import ApiTokenReader
from server.auth.bots import BotLimits, BotService
from server.auth.endings import EndedGrants
from server.auth.logins import LoginLimits, LoginService
from server.auth.passwords import PasswordCost, Passwords
from server.auth.principal import Authenticator
from server.auth.tokens import Tokens
from server.enrich import Facts
from server.entry_json import (
    entry_size,
)
from server.explanations import (
    Explanations,
)
from server.invitation_facts import InvitationFacts
from server.past_facts import PastFacts
from server.past_turns import PastLimits, PastTurns
from server.rate_limits import RateLimits, Rates
from server.rest.access import Access, looks_tokens_up
from server.rest.app import http_application
from server.rest.attempts import Attempts
from server.rest.derived import Freshness
from server.rest.documents import document_routes
from server.rest.event_streams import EventStreamLimits, EventStreams
from server.rest.export_places import ExportLimits
from server.rest.keyed import KeyedRequests
from server.rest.pages import PageSizes
from server.rest.routes import RestNeeds, api_routes
from server.streams import Accepted, Streams, Wish
from server.telemetry import LoopLag, Meters, Readiness, telemetry_routes
from storage.memory.storage import MemoryStorage
from tests.server.clock import ManualClock, RandomIds
from tests.server.lists import InvitedTo, Lists
from tests.server.written import Written

CHEAP = PasswordCost(memory_kib=64, time_cost=1, parallelism=1, threads=2, queue_max=300)
ADMIN_TOKEN = "ph_admin_" + "a" * 43
PASSWORD = "StrongP@ssw0rd!"
SIZES = PageSizes()
RATE_LIMITS = RateLimits(logins_per_name_max=1000)
PAST_LIMITS = PastLimits()
ORIGIN = "https://app.example.org"


class User(NamedTuple):
    """A registered user."""

    id: str
    name: str
    token: str

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class World:
    """Everything that a test may want to touch."""

    http: TestClient[Any, Any]
    clock: ManualClock
    storage: MemoryStorage
    region: Region
    streams: Streams
    lists: Lists
    facts: Facts
    tokens: Tokens
    key: Ed25519PrivateKey
    meters: Meters
    passwords: Passwords
    not_ready: dict[str, str]
    feeds: Feeds
    event_streams: EventStreams
    shards: ShardTable
    past: PastTurns
    admin_token: str = ADMIN_TOKEN

    async def register(self, name: str, **fields: Any) -> User:
        body = {"username": name, "password": PASSWORD, **fields}
        response = await self.http.post("/v1/users/register", json=body)
        answer = await response.json()
        assert response.status == 201, answer
        return User(answer["userId"], name, answer["accessToken"])

    async def project(self, user: User, name: str = "Apollo", **headers: str) -> dict[str, Any]:
        response = await self.http.post("/v1/projects", json={"name": name}, headers={**user.auth, **headers})
        answer: dict[str, Any] = await response.json()
        assert response.status == 201, answer
        return answer

    async def add(self, owner: User, project_id: str, user: User, role: Role = "member") -> None:
        """Makes a user a member."""
        await self.send(owner, project_id, AddMember(user_id=user.id, role=role))

    def new_id(self) -> str:
        """A fresh UUIDv7."""
        return RandomIds().new_id()

    async def send(self, user: User | None, project_id: str, command: Command) -> Accepted:
        """A command as the live gateway would send it. None: the operator."""
        stream = f"project/{project_id}"
        principal = Principal(user.id) if user else OPERATOR
        facts = await self.facts.facts_for(command, stream, principal)
        assert not isinstance(facts, Rejection)
        outcome = await self.streams.command(Wish(stream, command, principal, RandomIds().new_id()), facts)
        assert isinstance(outcome, Accepted), outcome
        return outcome


async def problem_of(response: ClientResponse, status: int) -> dict[str, Any]:
    """The problem document of an error, checked for its form."""
    text = await response.text()
    assert response.status == status, text
    assert response.content_type == "application/problem+json", text
    document: dict[str, Any] = await response.json()
    assert document["status"] == status
    assert {"type", "title", "detail", "code", "retryable", "details"} <= set(document)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    return document


def next_of(response: ClientResponse) -> str | None:
    """The address of the next page, from `Link`."""
    link = response.links.get("next")
    return URL(str(link["url"])).path_qs if link is not None else None


class _Server(TestServer):
    """Whose handlers go on when their client has hung up, as those of `server.http_runner` do."""

    async def _make_runner(self, **options: Any) -> BaseRunner:
        return await super()._make_runner(**{**options, "handler_cancellation": False})


@asynccontextmanager
async def a_world(
    cost: PasswordCost = CHEAP,
    sizes: PageSizes = SIZES,
    event_streams: EventStreamLimits | None = None,
    rate_limits: RateLimits = RATE_LIMITS,
    proxies: int = 0,
    exports: ExportLimits | None = None,
    past_limits: PastLimits = PAST_LIMITS,
    past_wait_s: float = 10,
) -> AsyncIterator[World]:
    """A running server."""
    clock, ids, limits, lists, meters = ManualClock(), RandomIds(), RuntimeLimits(), Lists(), Meters()
    storage = MemoryStorage.make(clock.monotonic_s)
    actors: list[Any] = [ProjectActor(), ProfileActor(), UserActor()]
    shards = ShardTable("session")
    await storage.ownership.open_session("session", "node", "", 1e9)
    seen = {row.shard: row.epoch for row in await storage.ownership.shards()}
    for claimed in await storage.ownership.claim("session", seen, 1):
        shards.claimed(claimed)
    region = Region(
        actors,
        storage.journal,
        storage.ownership,
        shards,
        lists,
        clock=clock,
        ids=ids,
        meters=meters,
        limits=limits,
    )
    region.start()
    feeds = lists.feeds = Feeds(actors, region, storage.journal, clock, limits)
    streamed = EventStreams(feeds, clock, 10, event_streams)
    key = Ed25519PrivateKey.generate()
    tokens = Tokens(key, ADMIN_TOKEN, 900)
    ended = EndedGrants(storage.endings, lambda: clock.now_s)
    reader = ApiTokenReader(storage.api_tokens, storage.accounts, ended, lambda: clock.now_s)
    authenticator = Authenticator(tokens, ended, reader, ids.new_id, lambda: clock.now_s)
    rates = Rates(rate_limits, lambda: clock.now_s)
    streams = Streams(region, clock, 10, meters, rates)
    passwords = Passwords(cost)
    logins = LoginService(storage.accounts, storage.logins, authenticator, passwords, clock, ids, LoginLimits())
    service = AccountService(storage.accounts, passwords, logins, streams, clock, ids)
    attempts = Attempts(rates, proxies)
    invitations = InvitationFacts(storage.invitation_secrets, streams, clock, ProjectLimits().invitation_lifetime_days)
    past = PastTurns(History(actors, storage.journal, clock, limits), past_limits, past_wait_s)
    past_facts = PastFacts.make(streams, storage.journal, past, clock)
    facts = Facts(storage.accounts, storage.project_keys, invitations, past_facts, streams)
    freshness: Freshness = lists
    needs = RestNeeds(
        access=Access(authenticator, ids.new_id, rates),
        service=service,
        bots=BotService(storage.accounts, storage.api_tokens, service, authenticator, clock, BotLimits()),
        logins=logins,
        attempts=attempts,
        accounts=storage.accounts,
        streams=streams,
        past=past,
        facts=facts,
        projects=lists,
        tasks=lists,
        written=Written(lists.states),
        invitations=InvitedTo(lists),
        activity=lists,
        freshness=freshness,
        told=freshness,
        clock=clock,
        new_id=ids.new_id,
        keyed=KeyedRequests(clock),
        reads=LogReads(feeds, entry_size, clock, 10),
        event_streams=streamed,
        explanations=Explanations(storage.journal, streams),
        export_limits=exports if exports is not None else ExportLimits(),
        sizes=sizes,
    )
    not_ready: dict[str, str] = {}

    async def shards_owned() -> str | None:
        return not_ready.get("shards")

    lag = LoopLag(0.05, meters.loop_lagged)
    api = api_routes(needs)
    telemetry = telemetry_routes(meters, lag, Readiness({"shards": shards_owned}, 1))
    routes = [*api, *document_routes(api), *telemetry]
    app = http_application(
        routes,
        meters=meters,
        allowed_origins=[ORIGIN],
        body_max_bytes=260 << 10,
        new_id=ids.new_id,
        inner=[looks_tokens_up(authenticator, attempts)],
    )
    lag.start()
    async with TestClient(_Server(app)) as http:
        try:
            yield World(
                http,
                clock,
                storage,
                region,
                streams,
                lists,
                facts,
                tokens,
                key,
                meters,
                passwords,
                not_ready,
                feeds,
                streamed,
                shards,
                past,
            )
        finally:
            streamed.stop()
    lag.stop()
    await region.stop(snapshots=False)
    passwords.close()
