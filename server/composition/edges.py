"""The edges: the live gateway, REST, and the facts that both fetch for commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from actors.runtime.log_reads import LogReads
from config.settings import Settings
from server.auth.accounts import AccountService
from server.auth.bots import BotLimits, BotService
from server.composition.access import AccessParts
from server.composition.consumers import ShardConsumers
from server.composition.heart import Heart
from server.derived_reads import ActivityReads, InvitationReads, ProjectedUntil, ProjectReads, TaskReads, WrittenReads
from server.enrich import Facts
from server.entry_json import entry_size
from server.explanations import Explanations
from server.gateway.app import Gateway
from server.gateway.limits import GatewayLimits
from server.invitation_facts import InvitationFacts
from server.limits import limits_from
from server.past_facts import PastFacts
from server.rest.access import Access
from server.rest.event_streams import EventStreamLimits, EventStreams
from server.rest.export_places import ExportLimits
from server.rest.keyed import KeyedRequests
from server.rest.pages import PageSizes
from server.rest.routes import RestNeeds
from server.streams import Streams
from storage.postgres.storage import PostgresStorage


@dataclass(frozen=True, slots=True)
class Edges:
    """What clients speak to."""

    gateway: Gateway
    event_streams: EventStreams
    rest: RestNeeds

    @classmethod
    def make(
        cls,
        settings: Settings,
        storage: PostgresStorage,
        heart: Heart,
        access: AccessParts,
        consumers: ShardConsumers,
    ) -> Self:
        """`consumers` say how far derived reads are."""
        facts = _facts(settings, storage, heart)
        gateway = Gateway(
            heart.router,
            heart.feeds,
            facts,
            access.authenticator,
            heart.clock,
            limits_from(settings, GatewayLimits),
            access.rates,
            settings.allowed_origins,
            heart.meters,
        )
        event_streams = EventStreams(
            heart.feeds, heart.clock, settings.command_deadline_s, limits_from(settings, EventStreamLimits)
        )
        rest = _rest(settings, storage, heart, access, consumers, facts, event_streams)
        return cls(gateway, event_streams, rest)


def _facts(settings: Settings, storage: PostgresStorage, heart: Heart) -> Facts:
    streams = Streams(heart.router, heart.clock, settings.command_deadline_s)
    lifetime_days = settings.project_invitation_lifetime_days
    invitations = InvitationFacts(storage.invitation_secrets, streams, heart.clock, lifetime_days)
    past = PastFacts.make(streams, storage.journal, heart.past, heart.clock)
    return Facts(storage.accounts, storage.project_keys, invitations, past, streams)


def _rest(
    settings: Settings,
    storage: PostgresStorage,
    heart: Heart,
    access: AccessParts,
    consumers: ShardConsumers,
    facts: Facts,
    event_streams: EventStreams,
) -> RestNeeds:
    accounts, database = storage.accounts, storage.database
    streams = Streams(heart.router, heart.clock, settings.command_deadline_s, heart.meters, access.rates)
    service = AccountService(accounts, access.passwords, access.logins, streams, heart.clock, heart.ids)
    bot_limits = limits_from(settings, BotLimits)
    return RestNeeds(
        access=Access(access.authenticator, heart.ids.new_id, access.rates),
        service=service,
        bots=BotService(accounts, storage.api_tokens, service, access.authenticator, heart.clock, bot_limits),
        logins=access.logins,
        attempts=access.attempts,
        accounts=accounts,
        streams=streams,
        past=heart.past,
        facts=facts,
        projects=ProjectReads(database),
        tasks=TaskReads(database),
        written=WrittenReads(database),
        invitations=InvitationReads(database),
        activity=ActivityReads(database),
        freshness=ProjectedUntil(consumers.projector, heart.shards),
        told=ProjectedUntil(consumers.notifier, heart.shards),
        clock=heart.clock,
        new_id=heart.ids.new_id,
        explanations=Explanations(storage.journal, streams),
        keyed=KeyedRequests(heart.clock, settings.rejections_remembered_max, settings.rejection_memory_s),
        reads=LogReads(heart.feeds, entry_size, heart.clock, settings.command_deadline_s),
        event_streams=event_streams,
        export_limits=limits_from(settings, ExportLimits),
        sizes=PageSizes(settings.page_size_default, settings.page_size_max, settings.page_bytes_max),
        behind_max_s=settings.derived_behind_max_s,
    )
