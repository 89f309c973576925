"""The project's actor: sends every command and every event to its feature file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, assert_never

from actors.field_changes import (
    note,
    refuse_stale,
)
from actors.project import (
    bulk_edits,
    comments,
    custom_fields,
    invitations,
    links,
    members,
    milestones,
    notices,
    projects,
    ranks,
    reactions,
    roles,
    snapshot,
    tasks,
    tombstones,
    watchers,
    withdrawals,
)
from actors.project.edited_fields import (
    edited_by,
    wished_by,
)
from actors.project.limits import ProjectLimits
from actors.project.permissions import is_public
from actors.project.state import ProjectState
from actors.runtime.actor import Context, EntryMeta, TimerChange
from protocol.comments import (
    AddComment,
    CommentAdded,
    CommentDeleted,
    CommentEdited,
    CommentRestored,
    DeleteComment,
    EditComment,
    RestoreComment,
)
from protocol.custom_fields import (
    DefineField,
    EditField,
    FieldDefined,
    FieldEdited,
    FieldRemoved,
    FieldValuesSet,
    RemoveField,
)
from protocol.errors import Rejection
from protocol.invitations import (
    AcceptInvitation,
    DeclineInvitation,
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRevoked,
    InviteMember,
    MemberInvited,
    RevokeInvitation,
)
from protocol.links import AddLink, LinkAdded, LinkRemoved, RemoveLink
from protocol.members import (
    AddMember,
    ChangeMemberRole,
    MemberAdded,
    MemberRemoved,
    MemberRoleChanged,
    RemoveMember,
    TransferOwnership,
)
from protocol.messages import ProjectCommand, ProjectEvent
from protocol.milestones import (
    CreateMilestone,
    DeleteMilestone,
    EditMilestone,
    MilestoneCreated,
    MilestoneDeleted,
    MilestoneEdited,
)
from protocol.projects import (
    ArchiveProject,
    CreateProject,
    DeleteProject,
    EditProject,
    ProjectCreated,
    ProjectDeleted,
    ProjectEdited,
    ProjectRestored,
    RestoreProject,
    UnarchiveProject,
)
from protocol.ranks import MoveTask, TasksReranked
from protocol.reactions import AddReaction, ReactionAdded, ReactionRemoved, RemoveReaction
from protocol.roles import DefineRole, EditRole, RemoveRole, RoleDefined, RoleEdited, RoleRemoved
from protocol.tasks import (
    CreateTask,
    DeleteTask,
    EditTask,
    EditTasks,
    RestoreTask,
    TaskCreated,
    TaskDeleted,
    TaskEdited,
    TaskEditsJudged,
    TaskRecurred,
    TaskRestored,
)
from protocol.watchers import UnwatchTask, WatchersChanged, WatchTask

_CONTENT: Final = (
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


class ProjectActor:
    """Answers for streams `project/<id>` (`actors.runtime.actor.Actor`)."""

    kind = "project"
    schema_version = 2
    exists_empty = False
    shows_presence = True
    timer_events: frozenset[str] = frozenset()

    def __init__(self, limits: ProjectLimits | None = None) -> None:
        self._limits = limits if limits is not None else ProjectLimits()

    def initial(self, stream: str) -> ProjectState:
        return ProjectState(_id_of(stream))

    def decide(self, state: ProjectState, command: ProjectCommand, context: Context) -> projects.Outcome:
        """What the feature says, unless the command would set what was changed after its base."""
        outcome = self._decide(state, command, context)
        if context.base is None or isinstance(outcome, Rejection):
            return outcome
        return refuse_stale(state.changes, wished_by(outcome.events), context.base, context.seq) or outcome

    def _decide(self, state: ProjectState, command: ProjectCommand, context: Context) -> projects.Outcome:
        match command:
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
            case AddMember():
                return members.decide_add(state, command, context, self._limits)
            case ChangeMemberRole():
                return members.decide_change_role(state, command, context)
            case RemoveMember():
                return members.decide_remove(state, command, context)
            case TransferOwnership():
                return members.decide_transfer(state, command, context)
            case InviteMember():
                return invitations.decide_invite(state, command, context, self._limits)
            case AcceptInvitation():
                return invitations.decide_accept(state, command, context, self._limits)
            case DeclineInvitation():
                return invitations.decide_decline(state, command, context)
            case RevokeInvitation():
                return invitations.decide_revoke(state, command, context)
            case DefineRole():
                return roles.decide_define(state, command, context, self._limits)
            case EditRole():
                return roles.decide_edit(state, command, context)
            case RemoveRole():
                return roles.decide_remove(state, command, context)
            case CreateTask():
                return tasks.decide_create(state, command, context, self._limits)
            case EditTask():
                return tasks.decide_edit(state, command, context, self._limits)
            case EditTasks():
                return bulk_edits.decide_edits(state, command, context, self._limits, self.evolve)
            case MoveTask():
                return ranks.decide_move(state, command, context, self._limits)
            case DeleteTask():
                return tombstones.decide_delete(state, command, context)
            case RestoreTask():
                return tombstones.decide_restore(state, command, context)
            case AddLink():
                return links.decide_add(state, command, context, self._limits)
            case RemoveLink():
                return links.decide_remove(state, command, context)
            case WatchTask():
                return watchers.decide_watch(state, command, context, self._limits)
            case UnwatchTask():
                return watchers.decide_unwatch(state, command, context, self._limits)
            case CreateMilestone():
                return milestones.decide_create(state, command, context, self._limits)
            case EditMilestone():
                return milestones.decide_edit(state, command, context)
            case DeleteMilestone():
                return milestones.decide_delete(state, command, context)
            case DefineField():
                return custom_fields.decide_define(state, command, context, self._limits)
            case EditField():
                return custom_fields.decide_edit(state, command, context, self._limits)
            case RemoveField():
                return custom_fields.decide_remove(state, command, context)
            case AddComment():
                return comments.decide_add(state, command, context, self._limits)
            case EditComment():
                return comments.decide_edit(state, command, context, self._limits)
            case DeleteComment():
                return withdrawals.decide_delete(state, command, context)
            case RestoreComment():
                return withdrawals.decide_restore(state, command, context)
            case AddReaction():
                return reactions.decide_add(state, command, context, self._limits)
            case RemoveReaction():
                return reactions.decide_remove(state, command, context)
            case _:
                assert_never(command)

    def evolve(self, state: ProjectState, event: ProjectEvent, meta: EntryMeta) -> None:
        self._evolve(state, event, meta)
        edited = edited_by(event)
        if edited is not None:
            note(state.changes, edited, meta)

    def _evolve(self, state: ProjectState, event: ProjectEvent, meta: EntryMeta) -> None:  # noqa: PLR0915 - one line each
        match event:
            case ProjectCreated():
                projects.evolve_created(state, event, meta)
            case ProjectEdited():
                projects.evolve_edited(state, event, meta)
            case ProjectDeleted():
                projects.evolve_deleted(state, event, meta)
            case ProjectRestored():
                projects.evolve_restored(state, event, meta)
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
            case TaskCreated():
                tasks.evolve_created(state, event, meta)
            case TaskEdited():
                tasks.evolve_edited(state, event, meta)
            case TaskEditsJudged():
                return  # it is an answer and changes nothing
            case TasksReranked():
                ranks.evolve_reranked(state, event, meta)
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
            case _:
                assert_never(event)

    def answer(self, events: Sequence[ProjectEvent]) -> dict[str, Any]:
        """Names what was made; edits make nothing."""
        result: dict[str, Any] = {}
        for event in events:
            match event:
                case ProjectCreated():
                    result |= {"projectId": event.project["id"], "key": event.project["key"]}
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
                    | MemberAdded()
                    | MemberRoleChanged()
                    | MemberRemoved()
                    | InvitationAccepted()
                    | InvitationDeclined()
                    | InvitationRevoked()
                    | InvitationExpired()
                    | RoleEdited()
                    | RoleRemoved()
                    | TaskEdited()
                    | TasksReranked()
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
                ):
                    continue
                case _:
                    assert_never(event)
        return result

    def notices(self, state: ProjectState, events: Sequence[ProjectEvent], author: str) -> Sequence[Mapping[str, Any]]:
        return notices.notices(state, events, author)

    def audience(self, state: ProjectState) -> frozenset[str] | None:
        """The members, or everybody where it is public; the owners alone while the project is deleted."""
        if state.project is None:
            return frozenset()
        if is_public(state):
            return None
        if state.project["deletedAt"] is None:
            return frozenset(state.members)
        return frozenset(member["userId"] for member in state.members.values() if member["role"] == "owner")

    def changes_audience(self, event: ProjectEvent) -> bool:
        if isinstance(event, ProjectEdited):
            return "visibility" in event.changes
        return isinstance(event, ProjectCreated | ProjectDeleted | ProjectRestored | MemberAdded | MemberRemoved)

    def is_content(self, event: ProjectEvent) -> bool:
        return isinstance(event, _CONTENT)

    def content_at(self, state: ProjectState) -> str:
        return state.content_at

    def parts(self, state: ProjectState) -> Iterator[dict[str, Any]]:
        return snapshot.parts(state)

    def restore(self, stream: str, parts: Iterable[dict[str, Any]]) -> ProjectState:
        return snapshot.restore(_id_of(stream), parts)

    def timers(self, event: ProjectEvent, meta: EntryMeta) -> Sequence[TimerChange]:
        return ()

    def timer_command(self, name: str, due_at: str) -> ProjectCommand:
        """Raises ValueError: a project sets no timers, so none can be due."""
        raise ValueError(f"a project has no timer {name!r}")


def _id_of(stream: str) -> str:
    return stream.partition("/")[2]
