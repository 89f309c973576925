"""Takes an entry back: its events from the last to the first, each by its inverse, on a draft of the state.

The kinds named here are the closed list of what can be undone. Pieces that would change nothing are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from actors.project import comment_inverses, custom_fields, milestones, planning_inverses, task_inverses
from actors.project.events import evolve
from actors.project.links import foresee_links
from actors.project.reversal import Inverse, Reversal
from actors.project.sizes import undo_characters_max, weight
from actors.runtime.actor import EntryMeta
from protocol.comments import CommentAdded, CommentDeleted, CommentEdited, CommentRestored
from protocol.custom_fields import FieldDefined, FieldEdited, FieldRemoved, FieldValuesSet
from protocol.errors import ErrorCode, Rejection
from protocol.event import Event
from protocol.links import LinkAdded, LinkRemoved
from protocol.messages import ProjectEvent
from protocol.milestones import MilestoneCreated, MilestoneDeleted, MilestoneEdited
from protocol.projects import ProjectEdited
from protocol.ranks import TasksReranked
from protocol.reactions import ReactionAdded, ReactionRemoved
from protocol.tasks import TaskCreated, TaskDeleted, TaskEdited, TaskEditsJudged, TaskRecurred, TaskRestored
from protocol.timetravel import ProjectRestoredTo, TaskRestoredTo
from protocol.undo import CommandRedone, CommandUndone
from protocol.watchers import WatchersChanged

INVERSES: Final[Mapping[type[Event], Callable[[Reversal, Any], Inverse]]] = {
    ProjectEdited: planning_inverses.of_project_edited,
    MilestoneCreated: planning_inverses.of_milestone_created,
    MilestoneEdited: planning_inverses.of_milestone_edited,
    MilestoneDeleted: planning_inverses.of_milestone_deleted,
    FieldDefined: planning_inverses.of_field_defined,
    FieldEdited: planning_inverses.of_field_edited,
    FieldRemoved: planning_inverses.of_field_removed,
    FieldValuesSet: task_inverses.of_values,
    TaskCreated: task_inverses.of_created,
    TaskEdited: task_inverses.of_edited,
    TaskDeleted: task_inverses.of_deleted,
    TaskRestored: task_inverses.of_restored,
    TaskRecurred: task_inverses.of_recurred,
    WatchersChanged: task_inverses.of_watchers,
    LinkAdded: task_inverses.of_link_added,
    LinkRemoved: task_inverses.of_link_removed,
    CommentAdded: comment_inverses.of_added,
    CommentEdited: comment_inverses.of_edited,
    CommentDeleted: comment_inverses.of_deleted,
    CommentRestored: comment_inverses.of_restored,
    ReactionAdded: comment_inverses.of_reaction_added,
    ReactionRemoved: comment_inverses.of_reaction_removed,
}

BESIDE: Final[frozenset[type[Event]]] = frozenset({TaskEditsJudged, TasksReranked, TaskRestoredTo, ProjectRestoredTo})
"""What stands beside such events and has nothing of its own to take back: answers, and room that was made."""

MARKERS: Final[frozenset[type[Event]]] = frozenset({CommandUndone, CommandRedone})
"""Of undoings themselves: they are taken back by redo, and that one by undo."""

UNDOABLE: Final = frozenset(event.kind for event in (*INVERSES, *BESIDE))

_ABOUT_COMMENTS: Final = (
    CommentAdded,
    CommentEdited,
    CommentDeleted,
    CommentRestored,
    ReactionAdded,
    ReactionRemoved,
)
_NAMING: Final = (MilestoneCreated, MilestoneEdited, FieldDefined, FieldEdited)
_NEVER_CHANGED: Final = frozenset(
    {"members", "roles", "invitations", "undone", "came_after", "series", "task_comments", "thread_replies"}
)


def untouched(events: Iterable[ProjectEvent]) -> frozenset[str]:
    """The collections of the state that no inverse of these events changes."""
    if any(isinstance(event, _ABOUT_COMMENTS) for event in events):
        return _NEVER_CHANGED
    return _NEVER_CHANGED | {"comments", "deleted_comments"}


def take_back(reversal: Reversal) -> list[ProjectEvent] | Rejection:
    """What takes the whole entry back; the first reason against a part of it is one against all of it."""
    dating, context = reversal.dating, reversal.context
    meta = EntryMeta(context.seq + 1, context.op_id, dating.author, dating.at, context.now)
    made: list[ProjectEvent] = []
    characters, characters_max = 0, undo_characters_max(reversal.limits)
    is_foreseen = False
    for event in reversed(reversal.entry.events):
        if type(event) in BESIDE or type(event) in MARKERS:
            continue
        if not is_foreseen and isinstance(event, LinkRemoved | TaskEdited):
            is_foreseen = True
            _foresee(reversal)
        inverse = INVERSES[type(event)](reversal, event)
        if isinstance(inverse, Rejection):
            return inverse
        for one in inverse:
            characters += weight(reversal.draft, one)
            if characters > characters_max:
                return _too_large(characters_max)
            evolve(reversal.draft, one, meta)
        made += inverse
    return _refuse_names(reversal, made) or made


def _foresee(reversal: Reversal) -> None:
    """The links and the parents that are given back: see `foresee_links`."""
    events = reversal.entry.events
    links = [event.was for event in events if isinstance(event, LinkRemoved)]
    edits = [event for event in events if isinstance(event, TaskEdited)]
    parents = [(edit.task_id, parent) for edit in edits if (parent := edit.was.get("parentId")) is not None]
    foresee_links(reversal.draft, links, parents)


def _too_large(characters_max: int) -> Rejection:
    """Never of what stands as the entry left it: that is as much as the entry might hold."""
    return Rejection(
        ErrorCode.TOO_LARGE,
        f"one undo holds at most {characters_max} characters of texts; undo what you did later first",
    )


def _refuse_names(reversal: Reversal, made: Iterable[ProjectEvent]) -> Rejection | None:
    """Whether there are twins at the end: on the way there one may have the name that another gives up."""
    if not any(isinstance(event, _NAMING) for event in made):
        return None
    return milestones.refuse_twins(reversal.draft) or custom_fields.refuse_twins(reversal.draft)
