"""The way back to a point of the past: a task, or everything that the project holds.

Fact: `then`, what was there as of `seq`: for a task its record, its links and the order of its state; for a project the
records that were different when they were compared, as of `comparedAt`, and the orders of the states they were in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.project.dating import Dating, date_content
from actors.project.differences import is_in_place
from actors.project.drafts import draft_of
from actors.project.event_permissions import refuse_events
from actors.project.limits import ProjectLimits
from actors.project.links import foresee_links
from actors.project.naming import has_twins
from actors.project.old_places import OldPlaces
from actors.project.permissions import broken, deleted, missing, no_project, refusal
from actors.project.projects import Outcome, archived, is_archived
from actors.project.restoration import Restoration, links_of
from actors.project.rewinding import rewind
from actors.project.series import Successors
from actors.project.state import ProjectState
from actors.runtime.actor import Context, EntryMeta
from protocol.errors import ErrorCode, Rejection
from protocol.tasks import TaskView
from protocol.timetravel import LEFT_MAX, ProjectRestoredTo, RestoreProjectTo, RestoreTaskTo, TaskRestoredTo

_UNTOUCHED = frozenset(
    {"members", "roles", "invitations", "undone", "came_after", "series", "task_comments", "thread_replies"}
)


def decide_restore_task(
    state: ProjectState, command: RestoreTaskTo, context: Context, limits: ProjectLimits
) -> Outcome:
    """As much as can be had. Permission is that of the edits which it takes."""
    refused = refusal(state, context.principal, "task.edit") or _refuse(state, context)
    if refused is not None:
        return refused
    if command.task_id not in state.tasks:
        return missing("task")
    then = context.facts.get("then")
    if then is None:
        return _no_such_point()
    if then["task"] is None:
        return broken("no_task_then", "the task was not there yet")
    restoration = _begin(state, then, context, limits, 0)
    if isinstance(restoration, Rejection):
        return restoration
    restoration.task(then["task"])
    if not restoration.parent(then["task"]):
        restoration.left.append("parentId")
    known = {link["id"] for link in then["links"]}
    for link_id in links_of(state, command.task_id).keys() - known:
        restoration.without_link(link_id)
    foresee_links(restoration.draft, then["links"])
    for link in then["links"]:
        restoration.link(link)
    marker = TaskRestoredTo(task_id=command.task_id, seq=then["seq"], left=restoration.left[:LEFT_MAX])
    return _decision(state, restoration, marker, context)


def decide_restore_project(
    state: ProjectState, command: RestoreProjectTo, context: Context, limits: ProjectLimits
) -> Outcome:
    """One entry's worth of it."""
    refused = refusal(state, context.principal, "project.edit") or _refuse(state, context)
    if refused is not None:
        return refused
    then = context.facts.get("then")
    if then is None:
        return _no_such_point()
    restoration = _begin(state, then, context, limits, then["comparedAt"] + 1)
    if isinstance(restoration, Rejection):
        return restoration
    remaining = rewind(restoration, then)
    for records in (restoration.draft.milestones, restoration.draft.fields):
        if has_twins(record["name"] for record in records.values()):
            return Rejection(ErrorCode.UNAVAILABLE, "the project was changed meanwhile; try again", {"retryAfterS": 1})
    if remaining == 0 and restoration.project["states"] != then["project"]["states"]:
        restoration.left.append("states")
    if then["project"]["status"] == "Archived":
        restoration.left.append("status")  # an archive would refuse the undo, and all that is still to come
    left = list(dict.fromkeys(restoration.left))[:LEFT_MAX]
    return _decision(state, restoration, ProjectRestoredTo(seq=then["seq"], remaining=remaining, left=left), context)


def _refuse(state: ProjectState, context: Context) -> Rejection | None:
    if state.project is None or state.project["deletedAt"] is not None:
        return no_project() if state.project is None else deleted()
    if context.origin is not None:
        return broken("not_importable", "this command cannot carry an origin")
    return archived() if is_archived(state) else None


def _no_such_point() -> Rejection:
    return Rejection(ErrorCode.NOT_FOUND, "the project has no such point in its past", {"what": "asOf"})


def _begin(
    state: ProjectState, then: Any, context: Context, limits: ProjectLimits, stays_from: int
) -> Restoration | Rejection:
    """Who came by a recurrence in an entry from `stays_from` on keeps it."""
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    draft = draft_of(state, _UNTOUCHED)
    places = OldPlaces(
        draft, then["seq"], then["orders"], limits, _moved(state, then["tasks"]) if "tasks" in then else None
    )
    successors = Successors(draft, range(stays_from, context.seq + 1))
    return Restoration(draft, places, dating, _meta(context, dating), limits, successors)


def _moved(state: ProjectState, then: Mapping[str, TaskView | None]) -> set[str]:
    return {one for one, task in then.items() if task is not None and not is_in_place(task, state.tasks[one])}


def _meta(context: Context, dating: Dating) -> EntryMeta:
    return EntryMeta(context.seq + 1, context.op_id, dating.author, dating.at, context.now)


def _decision(
    state: ProjectState, restoration: Restoration, marker: TaskRestoredTo | ProjectRestoredTo, context: Context
) -> Outcome:
    refused = refuse_events(state, context.principal, restoration.events)
    return refused or restoration.dating.decision([marker, *restoration.events])
