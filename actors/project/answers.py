"""What the sender of an accepted command is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from actors.project import bulk_edits
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


def answer(events: Sequence[ProjectEvent]) -> dict[str, Any]:
    """Names what was made; edits make nothing."""
    result: dict[str, Any] = {}
    for event in events:
        match event:
            case TaskEdited() | TasksReranked():
                continue  # asked first, since they come most often
            case ProjectCreated():
                # Not what a template brought.
                return {"projectId": event.project["id"], "key": event.project["key"]}
            case MemberInvited():
                result["invitationId"] = event.invitation["id"]
            case RoleDefined():
                result["roleId"] = event.role["id"]
            case TaskCreated():
                task = event.task
                result |= {"taskId": task["id"], "key": task["key"], "number": task["number"]}
            case LinkAdded():
                result["linkId"] = event.link["id"]
            case TaskEditsJudged():
                result["items"] = bulk_edits.results(event)
            case CommandUndone() | CommandRedone():
                return {}  # what comes back has the names that it had
            case TaskRestoredTo():
                return {"seq": event.seq, "left": event.left}
            case ProjectRestoredTo():
                return {"seq": event.seq, "remaining": event.remaining, "left": event.left}
            case MilestoneCreated():
                result["milestoneId"] = event.milestone["id"]
            case FieldDefined():
                result["fieldId"] = event.field["id"]
            case CommentAdded():
                result["commentId"] = event.comment_id
            case (
                ProjectEdited()
                | ProjectDeleted()
                | ProjectRestored()
                | ProjectPurged()
                | Erased()
                | MemberAdded()
                | MemberRoleChanged()
                | MemberRemoved()
                | InvitationAccepted()
                | InvitationDeclined()
                | InvitationRevoked()
                | InvitationExpired()
                | RoleEdited()
                | RoleRemoved()
                | TaskDeleted()
                | TaskRestored()
                | LinkRemoved()
                | TaskRecurred()
                | WatchersChanged()
                | MilestoneEdited()
                | MilestoneDeleted()
                | FieldEdited()
                | FieldRemoved()
                | FieldValuesSet()
                | CommentEdited()
                | CommentDeleted()
                | CommentRestored()
                | ReactionAdded()
                | ReactionRemoved()
                | DueDateNeared()
            ):
                continue
            case _:
                assert_never(event)
    return result
