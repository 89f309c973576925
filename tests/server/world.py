"""The whole REST side over a real region and storage in memory, behind a real HTTP server on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, BaseRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from yarl import URL

from actors.runtime.feeds import Feeds
from actors.runtime.region import Region
from actors.runtime.shards import ShardTable
from protocol.errors import Rejection
from protocol.event import OPERATOR, Command, Principal
from protocol.members import AddMember, Role
from server.auth.passwords import PasswordCost, Passwords
from server.auth.tokens import Tokens
from server.enrich import Facts
from server.metrics_page import MetricsPage
from server.past_turns import PastLimits, PastTurns
from server.rate_limits import RateLimits
from server.rest.access import looks_tokens_up
from server.rest.app import http_application
from server.rest.documents import document_routes
from server.rest.event_streams import EventStreamLimits, EventStreams
from server.rest.export_places import ExportLimits
from server.rest.pages import PageSizes
from server.rest.routes import RestNeeds, api_routes
from server.streams import Accepted, Streams, Wish
from server.telemetry import LoopLag, Meters, Readiness, telemetry_routes
from storage.memory.storage import MemoryStorage
from tests.server.clock import ManualClock, RandomIds
from tests.server.lists import Lists
from tests.server.parts import AccessParts, Heart, rest_needs

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
    """Whose handlers go on when their client has hung up, as those of `server.request_handler` do."""

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
    key = Ed25519PrivateKey.generate()
    tokens = Tokens(key, ADMIN_TOKEN, 900)
    heart = await Heart.started(past_limits, past_wait_s)
    access = AccessParts.make(heart, tokens, cost, rate_limits, proxies)
    needs = rest_needs(heart, access, event_streams, exports if exports is not None else ExportLimits(), sizes)
    not_ready: dict[str, str] = {}
    lag = LoopLag(0.05, heart.meters.loop_lagged)
    app = _application(heart, access, needs, lag, not_ready)
    lag.start()
    async with TestClient(_Server(app)) as http:
        try:
            yield World(
                http,
                heart.clock,
                heart.storage,
                heart.region,
                needs.streams,
                heart.lists,
                needs.facts,
                tokens,
                key,
                heart.meters,
                access.passwords,
                not_ready,
                heart.feeds,
                needs.event_streams,
                heart.shards,
                heart.past,
            )
        finally:
            needs.event_streams.stop()
    lag.stop()
    await heart.region.stop(snapshots=False)
    access.passwords.close()


def _application(
    heart: Heart, access: AccessParts, needs: RestNeeds, lag: LoopLag, not_ready: Mapping[str, str]
) -> Application:
    async def shards_owned() -> str | None:
        return not_ready.get("shards")

    api = api_routes(needs)
    page = MetricsPage(heart.meters.exposition, heart.clock.monotonic_s)
    telemetry = telemetry_routes(page, lag, Readiness({"shards": shards_owned}, 1))
    return http_application(
        [*api, *document_routes(api), *telemetry],
        meters=heart.meters,
        allowed_origins=[ORIGIN],
        body_max_bytes=260 << 10,
        new_id=heart.ids.new_id,
        inner=[looks_tokens_up(access.authenticator, access.attempts)],
    )
