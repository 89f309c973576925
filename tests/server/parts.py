"""The parts of a server that tests run, as `server.composition` makes them, but on memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

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
from server.auth.accounts import AccountService
from server.auth.api_tokens import ApiTokenReader
from server.auth.bots import BotLimits, BotService
from server.auth.endings import EndedGrants
from server.auth.logins import LoginLimits, LoginService
from server.auth.passwords import PasswordCost, Passwords
from server.auth.principal import Authenticator
from server.auth.tokens import Tokens
from server.enrich import Facts
from server.entry_json import entry_size
from server.explanations import Explanations
from server.invitation_facts import InvitationFacts
from server.past_facts import PastFacts
from server.past_turns import PastLimits, PastTurns
from server.rate_limits import RateLimits, Rates
from server.rest.access import Access
from server.rest.attempts import Attempts
from server.rest.event_streams import EventStreamLimits, EventStreams
from server.rest.export_places import ExportLimits
from server.rest.keyed import KeyedRequests
from server.rest.pages import PageSizes
from server.rest.routes import RestNeeds
from server.streams import Streams
from server.telemetry import Meters
from storage.memory.storage import MemoryStorage
from tests.server.clock import ManualClock, RandomIds
from tests.server.lists import InvitedTo, Lists
from tests.server.written import Written

DEADLINE_S = 10
"""How long a command or a read may take."""


@dataclass(frozen=True, slots=True)
class Heart:
    """What runs actors on all shards, and who follows them. Commits go to `lists`, and from there to the feeds."""

    clock: ManualClock
    ids: RandomIds
    meters: Meters
    storage: MemoryStorage
    shards: ShardTable
    lists: Lists
    region: Region
    feeds: Feeds
    past: PastTurns

    @classmethod
    async def started(cls, past_limits: PastLimits, past_wait_s: float) -> Self:
        """All shards are owned, and actors run until the region is stopped."""
        clock, ids, meters, lists, limits = ManualClock(), RandomIds(), Meters(), Lists(), RuntimeLimits()
        storage = MemoryStorage.make(clock.monotonic_s)
        actors: list[Any] = [ProjectActor(), ProfileActor(), UserActor()]
        shards = await _all_shards(storage)
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
        past = PastTurns(History(actors, storage.journal, clock, limits), past_limits, past_wait_s)
        return cls(clock, ids, meters, storage, shards, lists, region, feeds, past)


async def _all_shards(storage: MemoryStorage) -> ShardTable:
    shards = ShardTable("session")
    await storage.ownership.open_session("session", "node", "", 1e9)
    seen = {row.shard: row.epoch for row in await storage.ownership.shards()}
    for claimed in await storage.ownership.claim("session", seen, 1):
        shards.claimed(claimed)
    return shards


@dataclass(frozen=True, slots=True)
class AccessParts:
    """Who may come in: passwords, log-ins, tokens, and how often."""

    passwords: Passwords
    authenticator: Authenticator
    logins: LoginService
    rates: Rates
    attempts: Attempts

    @classmethod
    def make(cls, heart: Heart, tokens: Tokens, cost: PasswordCost, rate_limits: RateLimits, proxies: int) -> Self:
        clock, ids, storage = heart.clock, heart.ids, heart.storage
        ended = EndedGrants(storage.endings, lambda: clock.now_s)
        reader = ApiTokenReader(storage.api_tokens, storage.accounts, ended, lambda: clock.now_s)
        authenticator = Authenticator(tokens, ended, reader, ids.new_id, lambda: clock.now_s)
        passwords = Passwords(cost)
        logins = LoginService(storage.accounts, storage.logins, authenticator, passwords, clock, ids, LoginLimits())
        rates = Rates(rate_limits, lambda: clock.now_s)
        return cls(passwords, authenticator, logins, rates, Attempts(rates, proxies))


def rest_needs(
    heart: Heart,
    access: AccessParts,
    event_streams: EventStreamLimits | None,
    export_limits: ExportLimits,
    sizes: PageSizes,
) -> RestNeeds:
    """What REST works with; derived reads are those of the heart's lists."""
    clock, lists, storage = heart.clock, heart.lists, heart.storage
    streams = Streams(heart.region, clock, DEADLINE_S, heart.meters, access.rates)
    service = AccountService(storage.accounts, access.passwords, access.logins, streams, clock, heart.ids)
    return RestNeeds(
        access=Access(access.authenticator, heart.ids.new_id, access.rates),
        service=service,
        bots=BotService(storage.accounts, storage.api_tokens, service, access.authenticator, clock, BotLimits()),
        logins=access.logins,
        attempts=access.attempts,
        accounts=storage.accounts,
        streams=streams,
        past=heart.past,
        facts=_facts(heart, streams),
        projects=lists,
        tasks=lists,
        written=Written(lists.states),
        invitations=InvitedTo(lists),
        activity=lists,
        freshness=lists,
        told=lists,
        clock=clock,
        new_id=heart.ids.new_id,
        keyed=KeyedRequests(clock),
        reads=LogReads(heart.feeds, entry_size, clock, DEADLINE_S),
        event_streams=EventStreams(heart.feeds, clock, DEADLINE_S, event_streams),
        explanations=Explanations(storage.journal, streams),
        export_limits=export_limits,
        sizes=sizes,
    )


def _facts(heart: Heart, streams: Streams) -> Facts:
    clock, storage = heart.clock, heart.storage
    lifetime_days = ProjectLimits().invitation_lifetime_days
    invitations = InvitationFacts(storage.invitation_secrets, streams, clock, lifetime_days)
    past_facts = PastFacts.make(streams, storage.journal, heart.past, clock)
    return Facts(storage.accounts, storage.project_keys, invitations, past_facts, streams)
