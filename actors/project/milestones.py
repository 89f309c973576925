"""Milestones: created, edited, deleted, and which tasks belong to them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from actors.field_changes import begin_record, end_record
from actors.project.dating import Dating, date_content
from actors.project.edited_fields import PRESENCE
from actors.project.limits import ProjectLimits
from actors.project.naming import has_twins, is_taken
from actors.project.permissions import broken, missing, no_project, refusal, taken
from actors.project.projects import Outcome, archived, is_archived
from actors.project.state import ProjectState, note_content, place_of, put_in_order
from actors.runtime.actor import Context, EntryMeta
from protocol.base import Day
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.messages import ProjectEvent
from protocol.milestones import (
    CreateMilestone,
    DeleteMilestone,
    EditMilestone,
    MilestoneChanges,
    MilestoneCreated,
    MilestoneDeleted,
    MilestoneEdited,
    MilestoneView,
)
from protocol.tasks import TaskEdited

_FIELDS = {
    "name": "name",
    "description": "description",
    "status": "status",
    "start_date": "startDate",
    "due_date": "dueDate",
}
"""Field of `EditMilestone` → field of the record."""


def decide_create(state: ProjectState, command: CreateMilestone, context: Context, limits: ProjectLimits) -> Outcome:
    """It is open from the beginning."""
    refused = refusal(state, context.principal, "milestone.add")
    if refused is not None:
        return refused
    named = "milestone_id" in command.model_fields_set
    if named and command.milestone_id in state.milestones:
        return taken("milestone")
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    refused = (
        (archived() if is_archived(state) else None)
        or _refuse_days(command.start_date, command.due_date, context)
        or _refuse_name(state, command.name)
        or refuse_new(state, limits)
    )
    if refused is not None:
        return refused
    milestone_id = command.milestone_id if named else context.new_id()
    return dating.decision([MilestoneCreated(milestone=_new(milestone_id, command, dating))])


def _new(milestone_id: str, command: CreateMilestone, dating: Dating) -> MilestoneView:
    return {
        "id": milestone_id,
        "name": command.name,
        "description": command.description,
        "status": "Open",
        "startDate": command.start_date,
        "dueDate": command.due_date,
        "createdBy": dating.author,
        "createdAt": dating.at,
        "updatedAt": dating.at,
        "closedAt": None,
    }


def decide_edit(state: ProjectState, command: EditMilestone, context: Context) -> Outcome:
    """Only what really changes is recorded."""
    refused = refusal(state, context.principal, "milestone.edit")
    if refused is not None:
        return refused
    milestone = state.milestones.get(command.milestone_id)
    if milestone is None:
        return missing("milestone")
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    changes, was = _changes(milestone, command)
    if not changes:
        return dating.decision([])
    refused = archived() if is_archived(state) else None
    if refused is None and "name" in changes:
        refused = _refuse_name(state, changes["name"], but=milestone["id"])
    refused = refused or refuse_changes(milestone, changes, context)
    return refused or dating.decision([edited(command.milestone_id, changes, was, dating)])


def edited(milestone_id: str, changes: MilestoneChanges, was: MilestoneChanges, dating: Dating) -> MilestoneEdited:
    """The edit, which says when the milestone was closed wherever its status changes."""
    closing: dict[str, Any] = {}
    if "status" in changes:
        closing["closed_at"] = dating.at if changes["status"] == "Closed" else None
    return MilestoneEdited(milestone_id=milestone_id, changes=changes, was=was, **closing)


def _changes(milestone: MilestoneView, command: EditMilestone) -> tuple[MilestoneChanges, MilestoneChanges]:
    wished = {name: getattr(command, field) for field, name in _FIELDS.items() if field in command.model_fields_set}
    before: dict[str, Any] = {name: milestone[name] for name in wished}  # type: ignore[literal-required]
    changed = [name for name in wished if wished[name] != before[name]]
    changes: MilestoneChanges = {name: wished[name] for name in changed}  # type: ignore[assignment]
    was: MilestoneChanges = {name: before[name] for name in changed}  # type: ignore[assignment]
    return changes, was


def refuse_changes(milestone: MilestoneView, changes: MilestoneChanges, context: Context) -> Rejection | None:
    """Whether a rule speaks against what an edit would make of the milestone, but for its name."""
    if "startDate" not in changes and "dueDate" not in changes:
        return None
    start = changes.get("startDate", milestone["startDate"])
    return _refuse_days(start, changes.get("dueDate", milestone["dueDate"]), context)


def decide_delete(state: ProjectState, command: DeleteMilestone, context: Context) -> Outcome:
    """Its tasks are edited first, each by an event of its own, so that every reader of tasks sees it as an edit."""
    refused = refusal(state, context.principal, "milestone.delete")
    if refused is not None:
        return refused
    milestone = state.milestones.get(command.milestone_id)
    if milestone is None:
        return missing("milestone")
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    if is_archived(state):
        return archived()
    return dating.decision(removal(state, milestone))


def removal(state: ProjectState, milestone: MilestoneView) -> list[ProjectEvent]:
    """Its tasks leave it, then it goes."""
    own = milestone["id"]
    tasks = sorted(state.milestone_tasks.get(own, ()), key=lambda one: state.tasks[one]["number"])
    events: list[ProjectEvent] = [
        TaskEdited(task_id=task_id, changes={"milestoneId": None}, was={"milestoneId": own}) for task_id in tasks
    ]
    return [*events, MilestoneDeleted(milestone_id=own, was=milestone)]


def refuse_new(state: ProjectState, limits: ProjectLimits) -> Rejection | None:
    """Whether the project takes no milestone more, whatever its name."""
    if len(state.milestones) >= limits.milestones_max:
        return broken("milestones_limit", f"a project has at most {limits.milestones_max} milestones")
    return None


def refuse_twins(state: ProjectState) -> Rejection | None:
    """Whether two milestones have one name: where several are named in one entry, only the end of it is judged."""
    return _name_taken() if has_twins(milestone["name"] for milestone in state.milestones.values()) else None


def refuse_tasks(
    state: ProjectState, milestone_id: str | None, limits: ProjectLimits, coming: int = 1
) -> Rejection | None:
    """Whether so many tasks more cannot come to the milestone."""
    if milestone_id is None:
        return None
    if milestone_id not in state.milestones:
        return missing("milestone")
    if len(state.milestone_tasks.get(milestone_id, ())) + coming > limits.tasks_per_milestone_max:
        return broken("milestone_tasks_limit", f"a milestone has at most {limits.tasks_per_milestone_max} tasks")
    return None


def _refuse_name(state: ProjectState, name: str, but: str | None = None) -> Rejection | None:
    taken = is_taken(name, (other["name"] for other in state.milestones.values() if other["id"] != but))
    return _name_taken() if taken else None


def _name_taken() -> Rejection:
    details = {"what": "milestone", "field": "name"}
    return Rejection(ErrorCode.ALREADY_EXISTS, "a milestone of this project has this name already", details)


def _refuse_days(start: Day | None, due: Day | None, context: Context) -> Rejection | None:
    """A milestone is not due before it starts. History is taken as its source had it."""
    if context.origin is not None or start is None or due is None or start <= due:
        return None
    details = {"field": "dueDate", "reason": "due_before_start"}
    return Rejection(ErrorCode.RULE_BROKEN, "dueDate: it lies before startDate", details)


def evolve_created(state: ProjectState, event: MilestoneCreated, meta: EntryMeta) -> None:
    milestone_id = event.milestone["id"]
    put_in_order(state.milestones, event.milestone)
    begin_record(state.changes, f"milestone/{milestone_id}", PRESENCE, event.milestone["createdAt"], meta)
    note_content(state, meta)


def evolve_edited(state: ProjectState, event: MilestoneEdited, meta: EntryMeta) -> None:
    milestone = state.milestones[event.milestone_id]
    closed_at = event.closed_at if "closed_at" in event.model_fields_set else milestone["closedAt"]
    record: Any = {**milestone, **event.changes, "updatedAt": meta.at, "closedAt": closed_at}
    state.milestones[event.milestone_id] = record
    note_content(state, meta)


def evolve_deleted(state: ProjectState, event: MilestoneDeleted, meta: EntryMeta) -> None:
    del state.milestones[event.milestone_id]
    end_record(state.changes, f"milestone/{event.milestone_id}", PRESENCE, meta)
    note_content(state, meta)


def list_milestones(
    state: ProjectState, principal: Principal, after: tuple[str, ...] | None = None, limit: int = 100
) -> Sequence[MilestoneView] | Rejection:
    """A page of milestones in the order they were made, those behind the place `after` (see `place_of`).

    The milestone that stood there may be gone meanwhile.
    """
    refused = refusal(state, principal, "milestone.view")
    if refused is not None:
        return refused
    milestones = list(state.milestones.values())
    start = 0 if after is None else bisect_right(milestones, after, key=place_of)
    return milestones[start : start + limit]


def view_milestone(state: ProjectState, principal: Principal, milestone_id: str) -> MilestoneView | Rejection:
    """One milestone."""
    refused = refusal(state, principal, "milestone.view")
    if refused is not None or state.project is None:
        return refused or no_project()
    return state.milestones.get(milestone_id) or missing("milestone")
