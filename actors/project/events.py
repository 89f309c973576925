"""Sends every event of a project to its feature file, and says which of them are content."""

from __future__ import annotations

from typing import Final, assert_never

from actors.field_changes import note
from actors.project import (
    comments,
    custom_fields,
    invitations,
    links,
    members,
    milestones,
    projects,
    purging,
    ranks,
    reactions,
    roles,
    tasks,
    tombstones,
    undone,
    watchers,
    withdrawals,
)
from actors.project.edited_fields import noted_by
from actors.project.state import ProjectState
from actors.runtime.actor import EntryMeta
from protocol.comments import CommentAdded, CommentDeleted, CommentEdited, CommentRestored
from protocol.custom_fields import FieldDefined, FieldEdited, FieldRemoved, FieldValuesSet
from protocol.due_dates import DueDateNeared
from protocol.invitations import (
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRevoked,
    MemberInvited,
)
from protocol.links import LinkAdded, LinkRemoved
from protocol.members import MemberAdded, MemberRemoved, MemberRoleChanged
from protocol.messages import ProjectEvent
from protocol.milestones import MilestoneCreated, MilestoneDeleted, MilestoneEdited
from protocol.projects import (
    Erased,
    ProjectCreated,
    ProjectDeleted,
    ProjectEdited,
    ProjectPurged,
    ProjectRestored,
)
from protocol.ranks import TasksReranked
from protocol.reactions import ReactionAdded, ReactionRemoved
from protocol.roles import RoleDefined, RoleEdited, RoleRemoved
from protocol.tasks import TaskCreated, TaskDeleted, TaskEdited, TaskEditsJudged, TaskRecurred, TaskRestored
from protocol.timetravel import ProjectRestoredTo, TaskRestoredTo
from protocol.undo import CommandRedone, CommandUndone
from protocol.watchers import WatchersChanged

CONTENT: Final = (
    ProjectEdited,
    TaskCreated,
    TaskEdited,
    TaskRecurred,
    TasksReranked,
    TaskDeleted,
    TaskRestored,
    LinkAdded,
    LinkRemoved,
    MilestoneCreated,
    MilestoneEdited,
    MilestoneDeleted,
    FieldDefined,
    FieldEdited,
    FieldRemoved,
    FieldValuesSet,
    CommentAdded,
    CommentEdited,
    CommentDeleted,
    CommentRestored,
    ReactionAdded,
    ReactionRemoved,
)
"""What counts for `asOf` a time. Watching a task changes nothing about it."""


def evolve(state: ProjectState, event: ProjectEvent, meta: EntryMeta) -> None:
    """Applies the event, and keeps in mind who changed which fields."""
    _evolve(state, event, meta)
    for edited in noted_by(event, meta.author, meta.at):
        note(state.changes, edited, meta)


def _evolve(state: ProjectState, event: ProjectEvent, meta: EntryMeta) -> None:  # noqa: PLR0915 - one line each
    match event:  # what comes most often is asked first
        case TaskEdited():
            tasks.evolve_edited(state, event, meta)
        case TasksReranked():
            ranks.evolve_reranked(state, event, meta)
        case TaskCreated():
            tasks.evolve_created(state, event, meta)
        case ProjectCreated():
            projects.evolve_created(state, event, meta)
        case ProjectEdited():
            projects.evolve_edited(state, event, meta)
        case ProjectDeleted():
            projects.evolve_deleted(state, event, meta)
        case ProjectRestored():
            projects.evolve_restored(state, event, meta)
        case ProjectPurged():
            purging.evolve_purged(state, event, meta)
        case Erased():
            return  # what it was is gone, and so is what it led to
        case MemberAdded():
            members.evolve_added(state, event, meta)
        case MemberRoleChanged():
            members.evolve_role_changed(state, event, meta)
        case MemberRemoved():
            members.evolve_removed(state, event, meta)
        case MemberInvited():
            invitations.evolve_invited(state, event, meta)
        case InvitationAccepted() | InvitationDeclined() | InvitationRevoked() | InvitationExpired():
            invitations.evolve_settled(state, event, meta)
        case RoleDefined():
            roles.evolve_defined(state, event, meta)
        case RoleEdited():
            roles.evolve_edited(state, event, meta)
        case RoleRemoved():
            roles.evolve_removed(state, event, meta)
        case TaskEditsJudged() | TaskRestoredTo() | ProjectRestoredTo():
            return  # answers, which change nothing
        case DueDateNeared():
            return  # people are told, and nothing changes
        case TaskDeleted():
            tombstones.evolve_deleted(state, event, meta)
        case TaskRestored():
            tombstones.evolve_restored(state, event, meta)
        case LinkAdded():
            links.evolve_added(state, event, meta)
        case LinkRemoved():
            links.evolve_removed(state, event, meta)
        case TaskRecurred():
            tasks.evolve_recurred(state, event, meta)
        case WatchersChanged():
            watchers.evolve_changed(state, event, meta)
        case MilestoneCreated():
            milestones.evolve_created(state, event, meta)
        case MilestoneEdited():
            milestones.evolve_edited(state, event, meta)
        case MilestoneDeleted():
            milestones.evolve_deleted(state, event, meta)
        case FieldDefined():
            custom_fields.evolve_defined(state, event, meta)
        case FieldEdited():
            custom_fields.evolve_edited(state, event, meta)
        case FieldRemoved():
            custom_fields.evolve_removed(state, event, meta)
        case FieldValuesSet():
            custom_fields.evolve_values_set(state, event, meta)
        case CommentAdded():
            comments.evolve_added(state, event, meta)
        case CommentEdited():
            comments.evolve_edited(state, event, meta)
        case CommentDeleted():
            withdrawals.evolve_deleted(state, event, meta)
        case CommentRestored():
            withdrawals.evolve_restored(state, event, meta)
        case ReactionAdded():
            reactions.evolve_added(state, event, meta)
        case ReactionRemoved():
            reactions.evolve_removed(state, event, meta)
        case CommandUndone():
            undone.evolve_undone(state.undone, event, meta)
        case CommandRedone():
            undone.evolve_redone(state.undone, event)
        case _:
            assert_never(event)
