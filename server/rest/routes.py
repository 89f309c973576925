"""All routes of the public API: one line per feature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from actors.ports import Clock
from actors.runtime.log_reads import LogReads
from server.auth.accounts import AccountService
from server.auth.bots import BotService
from server.auth.logins import LoginService
from server.enrich import Facts
from server.explanations import Explanations
from server.past_turns import PastTurns
from server.rest.access import Access
from server.rest.accounts import AccountRoutes
from server.rest.activity import ActivityIndex, ActivityRoutes
from server.rest.attempts import Attempts
from server.rest.bots import BotRoutes
from server.rest.bulk_edits import BulkEditRoutes
from server.rest.changes import Changes
from server.rest.commands import CommandRoutes
from server.rest.comments import CommentRoutes
from server.rest.custom_fields import (
    FieldRoutes,
)
from server.rest.deep_links import (
    DeepLinkRoutes,
)
from server.rest.derived import DerivedReads, Freshness, ProjectLists, TaskLists
from server.rest.diff import DiffRoutes
from server.rest.event_streams import EventStreams
from server.rest.events import EventRoutes
from server.rest.export_places import ExportLimits, ExportPlaces
from server.rest.exports import ExportRoutes
from server.rest.invitations import InvitationLists, InvitationRoutes
from server.rest.keyed import KeyedRequests
from server.rest.links import LinkRoutes
from server.rest.logins import LoginRoutes
from server.rest.members import MemberRoutes
from server.rest.milestones import MilestoneRoutes
from server.rest.notifications import NotificationRoutes
from server.rest.pages import PageSizes
from server.rest.person_activity import PersonActivityIndex, PersonActivityRoutes
from server.rest.personal_data import PersonalData, WrittenLists
from server.rest.preferences import PreferenceRoutes
from server.rest.profiles import ProfileRoutes
from server.rest.project_views import ProjectViews
from server.rest.projects import ProjectRoutes
from server.rest.ranks import RankRoutes
from server.rest.reactions import ReactionRoutes
from server.rest.roles import RoleRoutes
from server.rest.tasks import TaskRoutes
from server.rest.timetravel import TimeTravelRoutes
from server.rest.undo import UndoRoutes
from server.rest.watchers import WatcherRoutes
from server.streams import Streams
from storage.ports import Accounts

BEHIND_MAX_S = 1.0
"""Longer than this a derived read does not wait for its projection."""


class ActivityIndexes(ActivityIndex, PersonActivityIndex, Protocol):
    """Where entries are, by object and by person."""


@dataclass(frozen=True, slots=True)
class RestNeeds:
    """What the features of the API work with; the composition root fills it."""

    access: Access
    service: AccountService
    logins: LoginService
    bots: BotService
    attempts: Attempts
    accounts: Accounts
    streams: Streams
    past: PastTurns
    facts: Facts
    projects: ProjectLists
    tasks: TaskLists
    written: WrittenLists
    invitations: InvitationLists
    activity: ActivityIndexes
    freshness: Freshness
    told: Freshness
    clock: Clock
    new_id: Callable[[], str]
    keyed: KeyedRequests
    reads: LogReads
    event_streams: EventStreams
    explanations: Explanations
    export_limits: ExportLimits = field(default_factory=ExportLimits)
    sizes: PageSizes = field(default_factory=PageSizes)
    behind_max_s: float = BEHIND_MAX_S


def api_routes(needs: RestNeeds) -> list[web.RouteDef]:
    """Every route under `/v1`."""
    views = ProjectViews(needs.streams, needs.past)
    changes = Changes(needs.access, needs.streams, needs.facts, views)
    derived = DerivedReads(needs.freshness, needs.reads, needs.clock, needs.behind_max_s, needs.sizes.bytes_max)
    told = DerivedReads(needs.told, needs.reads, needs.clock, needs.behind_max_s)
    return [
        *AccountRoutes(needs.access, needs.service, needs.accounts, needs.attempts, needs.keyed).routes(),
        *BotRoutes(needs.access, needs.bots, needs.sizes).routes(),
        *LoginRoutes(needs.access, needs.logins, needs.attempts).routes(),
        *ProfileRoutes(needs.access, needs.accounts, needs.service, needs.streams, needs.clock, needs.keyed).routes(),
        *ProjectRoutes(
            needs.access,
            needs.streams,
            views,
            needs.facts,
            needs.projects,
            derived,
            needs.sizes,
            needs.new_id,
            needs.keyed,
            changes,
        ).routes(),
        *TaskRoutes(needs.access, views, needs.tasks, derived, needs.sizes, changes).routes(),
        *BulkEditRoutes(needs.access, needs.streams).routes(),
        *RankRoutes(needs.access, needs.streams, views).routes(),
        *LinkRoutes(needs.access, views, needs.sizes, changes).routes(),
        *MemberRoutes(needs.access, views, needs.sizes).routes(),
        *RoleRoutes(needs.access, views, needs.sizes).routes(),
        *CommentRoutes(needs.access, views, needs.sizes, changes).routes(),
        *DeepLinkRoutes(needs.access, views, needs.facts).routes(),
        *ReactionRoutes(changes).routes(),
        *UndoRoutes(changes).routes(),
        *TimeTravelRoutes(changes).routes(),
        *MilestoneRoutes(needs.access, views, needs.sizes).routes(),
        *FieldRoutes(needs.access, views, needs.sizes).routes(),
        *WatcherRoutes(needs.access, needs.tasks, derived, needs.sizes).routes(),
        *InvitationRoutes(needs.access, views, needs.invitations, derived, needs.clock, needs.sizes).routes(),
        *CommandRoutes(needs.access, needs.streams, needs.facts, needs.keyed).routes(),
        *ActivityRoutes(
            needs.access, views, needs.reads, needs.activity, derived, needs.sizes, needs.sizes.bytes_max
        ).routes(),
        *PersonActivityRoutes(
            needs.access, needs.reads, needs.activity, derived, needs.accounts, needs.sizes, needs.sizes.bytes_max
        ).routes(),
        *DiffRoutes(needs.access, views, needs.sizes, needs.clock).routes(),
        *ExportRoutes(
            needs.access,
            views,
            needs.streams,
            needs.reads,
            needs.accounts,
            PersonalData(needs.projects, needs.tasks, needs.written, needs.bots, derived, needs.streams),
            derived,
            needs.clock,
            needs.export_limits,
            ExportPlaces(needs.export_limits),
        ).routes(),
        *EventRoutes(needs.access, needs.reads, needs.event_streams, needs.sizes, needs.sizes.bytes_max).routes(),
        *NotificationRoutes(needs.access, needs.streams, needs.explanations, told, needs.sizes).routes(),
        *PreferenceRoutes(needs.access, needs.streams).routes(),
    ]
