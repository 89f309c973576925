"""One method per command, with its fields as typed arguments: a module per feature.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from pantherahive_client.builders.comments import CommentBuilders
from pantherahive_client.builders.custom_fields import CustomFieldBuilders
from pantherahive_client.builders.invitations import InvitationBuilders
from pantherahive_client.builders.links import LinkBuilders
from pantherahive_client.builders.members import MemberBuilders
from pantherahive_client.builders.milestones import MilestoneBuilders
from pantherahive_client.builders.notifications import NotificationBuilders
from pantherahive_client.builders.preferences import PreferenceBuilders
from pantherahive_client.builders.profiles import ProfileBuilders
from pantherahive_client.builders.projects import ProjectBuilders
from pantherahive_client.builders.ranks import RankBuilders
from pantherahive_client.builders.reactions import ReactionBuilders
from pantherahive_client.builders.roles import RoleBuilders
from pantherahive_client.builders.tasks import TaskBuilders
from pantherahive_client.builders.timetravel import TimetravelBuilders
from pantherahive_client.builders.undo import UndoBuilders
from pantherahive_client.builders.watchers import WatcherBuilders


class ProjectStreamBuilders(
    ProjectBuilders,
    MemberBuilders,
    InvitationBuilders,
    RoleBuilders,
    TaskBuilders,
    RankBuilders,
    LinkBuilders,
    WatcherBuilders,
    MilestoneBuilders,
    CustomFieldBuilders,
    CommentBuilders,
    ReactionBuilders,
    UndoBuilders,
    TimetravelBuilders,
):
    """All commands to `project/<id>`."""


class ProfileStreamBuilders(ProfileBuilders):
    """All commands to `profile/<id>`."""


class UserStreamBuilders(NotificationBuilders, PreferenceBuilders):
    """All commands to `user/<id>`."""
