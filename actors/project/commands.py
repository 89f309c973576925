"""Sends every command of a project to its feature file."""

from __future__ import annotations

from typing import assert_never

from actors.project import (
    bulk_edits,
    comments,
    custom_fields,
    due_dates,
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
    timetravel,
    tombstones,
    undo,
    watchers,
    withdrawals,
)
from actors.project.limits import ProjectLimits
from actors.project.state import ProjectState
from actors.runtime.actor import Context
from protocol.comments import AddComment, DeleteComment, EditComment, RestoreComment
from protocol.custom_fields import DefineField, EditField, RemoveField
from protocol.due_dates import RemindOfDueDate
from protocol.invitations import AcceptInvitation, DeclineInvitation, InviteMember, RevokeInvitation
from protocol.links import AddLink, RemoveLink
from protocol.members import AddMember, ChangeMemberRole, RemoveMember, TransferOwnership
from protocol.messages import ProjectCommand
from protocol.milestones import CreateMilestone, DeleteMilestone, EditMilestone
from protocol.projects import (
    ArchiveProject,
    CreateProject,
    DeleteProject,
    EditProject,
    PurgeProject,
    RestoreProject,
    UnarchiveProject,
)
from protocol.ranks import MoveTask
from protocol.reactions import AddReaction, RemoveReaction
from protocol.roles import DefineRole, EditRole, RemoveRole
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks, RestoreTask
from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from protocol.undo import RedoCommand, UndoCommand
from protocol.watchers import UnwatchTask, WatchTask


def decide(state: ProjectState, command: ProjectCommand, context: Context, limits: ProjectLimits) -> projects.Outcome:
    """What the command's feature says."""
    match command:  # what comes most often is asked first
        case EditTask():
            return tasks.decide_edit(state, command, context, limits)
        case MoveTask():
            return ranks.decide_move(state, command, context, limits)
        case CreateTask():
            return tasks.decide_create(state, command, context, limits)
        case CreateProject():
            return projects.decide_create(state, command, context)
        case EditProject():
            return projects.decide_edit(state, command, context)
        case ArchiveProject():
            return projects.decide_archive(state, command, context)
        case UnarchiveProject():
            return projects.decide_unarchive(state, command, context)
        case DeleteProject():
            return projects.decide_delete(state, command, context)
        case RestoreProject():
            return projects.decide_restore(state, command, context)
        case PurgeProject():
            return purging.decide_purge(state, command, context)
        case AddMember():
            return members.decide_add(state, command, context, limits)
        case ChangeMemberRole():
            return members.decide_change_role(state, command, context)
        case RemoveMember():
            return members.decide_remove(state, command, context)
        case TransferOwnership():
            return members.decide_transfer(state, command, context)
        case InviteMember():
            return invitations.decide_invite(state, command, context, limits)
        case AcceptInvitation():
            return invitations.decide_accept(state, command, context, limits)
        case DeclineInvitation():
            return invitations.decide_decline(state, command, context)
        case RevokeInvitation():
            return invitations.decide_revoke(state, command, context)
        case DefineRole():
            return roles.decide_define(state, command, context, limits)
        case EditRole():
            return roles.decide_edit(state, command, context)
        case RemoveRole():
            return roles.decide_remove(state, command, context)
        case EditTasks():
            return bulk_edits.decide_edits(state, command, context, limits)
        case DeleteTask():
            return tombstones.decide_delete(state, command, context)
        case RestoreTask():
            return tombstones.decide_restore(state, command, context)
        case AddLink():
            return links.decide_add(state, command, context, limits)
        case RemoveLink():
            return links.decide_remove(state, command, context)
        case WatchTask():
            return watchers.decide_watch(state, command, context, limits)
        case UnwatchTask():
            return watchers.decide_unwatch(state, command, context, limits)
        case CreateMilestone():
            return milestones.decide_create(state, command, context, limits)
        case EditMilestone():
            return milestones.decide_edit(state, command, context)
        case DeleteMilestone():
            return milestones.decide_delete(state, command, context)
        case DefineField():
            return custom_fields.decide_define(state, command, context, limits)
        case EditField():
            return custom_fields.decide_edit(state, command, context, limits)
        case RemoveField():
            return custom_fields.decide_remove(state, command, context)
        case AddComment():
            return comments.decide_add(state, command, context, limits)
        case EditComment():
            return comments.decide_edit(state, command, context, limits)
        case DeleteComment():
            return withdrawals.decide_delete(state, command, context)
        case RestoreComment():
            return withdrawals.decide_restore(state, command, context)
        case AddReaction():
            return reactions.decide_add(state, command, context, limits)
        case RemoveReaction():
            return reactions.decide_remove(state, command, context)
        case UndoCommand():
            return undo.decide_undo(state, command, context, limits)
        case RedoCommand():
            return undo.decide_redo(state, command, context, limits)
        case RestoreTaskTo():
            return timetravel.decide_restore_task(state, command, context, limits)
        case RestoreProjectTo():
            return timetravel.decide_restore_project(state, command, context, limits)
        case RemindOfDueDate():
            return due_dates.decide_remind(state, command, context)
        case _:
            assert_never(command)
