"""Which permission a change needs, told from its event: for commands whose changes come from the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from actors.project.permissions import Permission, allowed, refusal
from actors.project.state import ProjectState
from protocol.comments import CommentAdded, CommentDeleted, CommentEdited, CommentRestored
from protocol.custom_fields import FieldDefined, FieldEdited, FieldRemoved, FieldValuesSet
from protocol.errors import Rejection
from protocol.event import Event, Principal
from protocol.links import LinkAdded, LinkRemoved
from protocol.messages import ProjectEvent
from protocol.milestones import MilestoneCreated, MilestoneDeleted, MilestoneEdited
from protocol.projects import ProjectEdited
from protocol.ranks import TasksReranked
from protocol.reactions import ReactionAdded, ReactionRemoved
from protocol.tasks import TaskCreated, TaskDeleted, TaskEdited, TaskEditsJudged, TaskRecurred, TaskRestored
from protocol.timetravel import ProjectRestoredTo, TaskRestoredTo
from protocol.watchers import WatchersChanged

NEEDED: Final[Mapping[type[Event], Permission]] = {
    ProjectEdited: "project.edit",
    TaskCreated: "task.add",
    TaskEdited: "task.edit",
    TaskEditsJudged: "task.edit",
    TasksReranked: "task.edit",
    TaskRecurred: "task.edit",
    FieldValuesSet: "task.edit",
    WatchersChanged: "task.edit",
    TaskDeleted: "task.delete",
    TaskRestored: "task.delete",
    LinkAdded: "link.add",
    LinkRemoved: "link.remove",
    MilestoneCreated: "milestone.add",
    MilestoneEdited: "milestone.edit",
    MilestoneDeleted: "milestone.delete",
    FieldDefined: "field.define",
    FieldEdited: "field.define",
    FieldRemoved: "field.define",
    TaskRestoredTo: "task.edit",
    ProjectRestoredTo: "project.edit",
    CommentAdded: "comment.add",
    CommentEdited: "comment.edit_any",
    CommentDeleted: "comment.delete_any",
    CommentRestored: "comment.delete_any",
    ReactionAdded: "comment.react",
    ReactionRemoved: "comment.react",
}
"""Kind of event → what it takes. One's own comments and watching need less: see `refuse_events`."""

_OWN: Final[Mapping[Permission, Permission]] = {
    "comment.edit_any": "comment.edit_own",
    "comment.delete_any": "comment.delete_own",
}


def refuse_events(state: ProjectState, principal: Principal, events: Iterable[ProjectEvent]) -> Rejection | None:
    """The first permission that is missing. Raises KeyError for an event that no such command makes."""
    for event in events:
        needed = _needed(state, principal, event)
        if not allowed(state, principal, needed):
            return refusal(state, principal, needed)
    return None


def _needed(state: ProjectState, principal: Principal, event: ProjectEvent) -> Permission:
    needed = NEEDED[type(event)]
    if isinstance(event, WatchersChanged) and {*event.added, *event.removed} == {principal.id}:
        return "task.view"
    if isinstance(event, CommentEdited | CommentDeleted | CommentRestored):
        comment = state.comments[event.comment_id]
        own = comment["authorId"] == principal.id
        if isinstance(event, CommentRestored):  # what somebody else took away is not the author's to bring back
            own = own and comment["deletedBy"] in (None, principal.id)
        return _OWN[needed] if own and not allowed(state, principal, needed) else needed
    return needed
