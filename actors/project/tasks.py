"""Tasks: created with a number of their own, edited field by field."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from actors.project import custom_fields, watchers
from actors.project.dating import Dating, date_content
from actors.project.limits import ProjectLimits
from actors.project.milestones import refuse_tasks
from actors.project.parents import lies_under, refuse_parent
from actors.project.permissions import broken, missing, no_project, refusal, taken
from actors.project.places import end_rank
from actors.project.projects import Outcome, archived, is_archived
from actors.project.recurrence import come_again
from actors.project.recurring_dates import without_days_of_no_date
from actors.project.state import (
    ProjectState,
    hand_on,
    is_closed,
    move_subtask,
    note_content,
    put_in_milestone,
    put_new_task,
    replace_task,
)
from actors.project.tombstones import is_hidden, living
from actors.runtime.actor import Context, EntryMeta
from protocol.base import Day
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.messages import ProjectEvent
from protocol.projects import ProjectView
from protocol.tasks import CreateTask, EditTask, TaskChanges, TaskCreated, TaskEdited, TaskRecurred, TaskView

TOP_LEVEL: Final = "none"
"""Asks for the tasks without a parent."""

_SINGLE_VALUED = {
    "title": "title",
    "description": "description",
    "state_id": "stateId",
    "priority": "priority",
    "start_date": "startDate",
    "due_date": "dueDate",
    "estimate": "estimate",
    "parent_id": "parentId",
    "milestone_id": "milestoneId",
    "recurrence": "recurrence",
}
"""Field of `EditTask` → field of the record."""


def decide_create(state: ProjectState, command: CreateTask, context: Context, limits: ProjectLimits) -> Outcome:
    """The number is the project's next one; without a state the task starts in the project's first."""
    refused = refusal(state, context.principal, "task.add")
    if refused is not None or state.project is None:
        return refused or no_project()
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    refused = _refuse_creation(state, state.project, command, context, limits)
    if refused is not None:
        return refused
    return dating.decision([TaskCreated(task=_new_task(state, state.project, command, context, dating))])


def _refuse_creation(
    state: ProjectState, project: ProjectView, command: CreateTask, context: Context, limits: ProjectLimits
) -> Rejection | None:
    if "task_id" in command.model_fields_set and command.task_id in state.tasks:
        return taken("task")
    if command.external_id is not None and (known := state.external_ids.get(command.external_id)) is not None:
        return _external_id_taken(known)
    if is_archived(state):
        return archived()
    if "state_id" in command.model_fields_set and not has_state(project, command.state_id):
        return missing("state")
    if len(state.tasks) >= limits.tasks_max:
        return broken("tasks_limit", f"a project has at most {limits.tasks_max} tasks")
    return (
        _refuse_days(command.start_date, command.due_date, context)
        or _refuse_assignees(state, command.assignee_ids, context)
        or _refuse_crowd(command.labels, command.assignee_ids, limits)
        or refuse_parent(state, command.task_id, command.parent_id, limits)
        or refuse_tasks(state, command.milestone_id, limits)
        or custom_fields.refuse_values(state, command.fields)
    )


def _new_task(
    state: ProjectState, project: ProjectView, command: CreateTask, context: Context, dating: Dating
) -> TaskView:
    number = state.next_number
    named = command.model_fields_set
    state_id = command.state_id if "state_id" in named else project["states"][0]["id"]
    return {
        "id": command.task_id if "task_id" in named else context.new_id(),
        "key": f"{project['key']}-{number}",
        "number": number,
        "title": command.title,
        "description": command.description,
        "stateId": state_id,
        "priority": command.priority,
        "labels": list(command.labels),
        "assigneeIds": list(command.assignee_ids),
        "startDate": command.start_date,
        "dueDate": command.due_date,
        "estimate": command.estimate,
        "externalId": command.external_id,
        "parentId": command.parent_id,
        "milestoneId": command.milestone_id,
        "watcherIds": [],
        "fields": custom_fields.values_of(command.fields),
        "recurrence": command.recurrence,
        "rank": end_rank(state, state_id),
        "createdBy": dating.author,
        "createdAt": dating.at,
        "updatedAt": dating.at,
        "deletedAt": None,
        "closedAt": dating.at if is_closed(project, state_id) else None,
    }


def decide_edit(state: ProjectState, command: EditTask, context: Context, limits: ProjectLimits) -> Outcome:
    """Only what really changes is recorded; an edit that changes nothing is accepted without an event."""
    refused = refusal(state, context.principal, "task.edit")
    if refused is not None or state.project is None:
        return refused or no_project()
    task = living(state, command.task_id)
    if isinstance(task, Rejection):
        return task
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    edited = _edit(state, state.project, task, command, dating)
    valued = custom_fields.changes_of(task, command.fields) if command.fields else None
    watched = watchers.changes_of(task, command)
    events: list[ProjectEvent] = [event for event in (edited, valued, watched) if event is not None]
    if not events:
        return dating.decision([])
    refused = (
        (archived() if is_archived(state) else None)
        or (refuse_edit(state, task, edited, context, limits) if edited is not None else None)
        or (custom_fields.refuse_values(state, valued.values) if valued is not None else None)
        or (watchers.refuse(state, task, watched, limits) if watched is not None else None)
    )
    if refused is not None:
        return refused
    if task["recurrence"] is None and (edited is None or "recurrence" not in edited.changes):
        return dating.decision(events)
    after = edited_task(task, edited, dating.at) if edited is not None else task
    after = custom_fields.with_values(after, valued) if valued is not None else after
    again = come_again(state, state.project, task, after, dating, context, limits)
    return again if isinstance(again, Rejection) else dating.decision([*events, *again])


def _edit(
    state: ProjectState, project: ProjectView, task: TaskView, command: EditTask, dating: Dating
) -> TaskEdited | None:
    changes, was = _changes(task, command)
    if "stateId" in changes:
        changes["rank"], was["rank"] = end_rank(state, changes["stateId"]), task["rank"]
    moves = {
        "labels_added": _joining(task["labels"], command.add_labels),
        "labels_removed": _leaving(task["labels"], command.remove_labels, command.add_labels),
        "assignees_added": _joining(task["assigneeIds"], command.add_assignees),
        "assignees_removed": _leaving(task["assigneeIds"], command.remove_assignees, command.add_assignees),
    }
    said: dict[str, Any] = {name: items for name, items in moves.items() if items}
    if not changes and not said:
        return None
    return TaskEdited(
        task_id=command.task_id, changes=changes, was=was, **said, **closing(project, task, changes, dating)
    )


def closing(project: ProjectView, task: TaskView, changes: TaskChanges, dating: Dating) -> dict[str, Any]:
    """What an event has to say of `closedAt`: nothing, unless another state closes or opens the task."""
    if "stateId" not in changes:
        return {}
    if is_closed(project, changes["stateId"]):
        return {"closed_at": dating.at}
    return {"closed_at": None} if task["closedAt"] is not None else {}


def moved(project: ProjectView, task: TaskView, state_id: str, rank: str, dating: Dating) -> TaskEdited:
    """The edit that puts a task to another rank, of its own state or of another one."""
    changes: TaskChanges = {"rank": rank}
    was: TaskChanges = {"rank": task["rank"]}
    if state_id != task["stateId"]:
        changes["stateId"], was["stateId"] = state_id, task["stateId"]
    return TaskEdited(task_id=task["id"], changes=changes, was=was, **closing(project, task, changes, dating))


def _changes(task: TaskView, command: EditTask) -> tuple[TaskChanges, TaskChanges]:
    changes: dict[str, Any] = {}
    was: dict[str, Any] = {}
    for field in sorted(command.model_fields_set & _SINGLE_VALUED.keys()):
        name = _SINGLE_VALUED[field]
        wished, before = getattr(command, field), task[name]  # type: ignore[literal-required]
        if wished != before:
            changes[name], was[name] = wished, before
    _forget_days(task, changes, was)
    return changes, was  # type: ignore[return-value]


def _forget_days(task: TaskView, changes: dict[str, Any], was: dict[str, Any]) -> None:
    """With a date goes the day that the rule would go back to: one that is set later is meant as it is."""
    rule = task["recurrence"]
    if (
        rule is None
        or "recurrence" in changes
        or None not in (changes.get("startDate", ""), changes.get("dueDate", ""))
    ):
        return
    start, due = changes.get("startDate", task["startDate"]), changes.get("dueDate", task["dueDate"])
    fitting = without_days_of_no_date(rule, start, due)
    if fitting != rule:
        changes["recurrence"], was["recurrence"] = fitting, rule


def _joining(present: Sequence[str], wished: Sequence[str]) -> list[str]:
    return [item for item in wished if item not in present] if wished else []


def _leaving(present: Sequence[str], unwished: Sequence[str], wished: Sequence[str]) -> list[str]:
    """What is added and removed by one command stays."""
    return [item for item in unwished if item in present and item not in wished] if unwished else []


def refuse_edit(
    state: ProjectState, task: TaskView, edited: TaskEdited, context: Context, limits: ProjectLimits
) -> Rejection | None:
    """Whether a rule speaks against what the edit would make of the task."""
    if (
        "stateId" in edited.changes
        and state.project is not None
        and not has_state(state.project, edited.changes["stateId"])
    ):
        return missing("state")
    return (
        _refuse_edited_days(task, edited.changes, context)
        or _refuse_assignees(state, edited.assignees_added, context)
        or _refuse_edited_crowd(task, edited, limits)
        or _refuse_edited_parent(state, edited, limits)
        or refuse_tasks(state, edited.changes.get("milestoneId"), limits)
    )


def _refuse_edited_days(task: TaskView, changes: TaskChanges, context: Context) -> Rejection | None:
    """Only an edit that moves a day is judged: days that lie the wrong way round already must not block all others."""
    if "startDate" not in changes and "dueDate" not in changes:
        return None
    return _refuse_days(changes.get("startDate", task["startDate"]), changes.get("dueDate", task["dueDate"]), context)


def _refuse_edited_crowd(task: TaskView, edited: TaskEdited, limits: ProjectLimits) -> Rejection | None:
    """Only an edit that adds somebody or something is judged: a task that has too many already can still be edited."""
    if not edited.labels_added and not edited.assignees_added:
        return None
    labels = _merged(task["labels"], edited.labels_added, edited.labels_removed)
    assignees = _merged(task["assigneeIds"], edited.assignees_added, edited.assignees_removed)
    return _refuse_crowd(labels, assignees, limits)


def _refuse_edited_parent(state: ProjectState, edited: TaskEdited, limits: ProjectLimits) -> Rejection | None:
    return refuse_parent(state, edited.task_id, edited.changes.get("parentId"), limits)


def _refuse_days(start: Day | None, due: Day | None, context: Context) -> Rejection | None:
    """A task is not due before it starts. History is taken as its source had it."""
    if context.origin is not None or start is None or due is None or start <= due:
        return None
    details = {"field": "dueDate", "reason": "due_before_start"}
    return Rejection(ErrorCode.RULE_BROKEN, "dueDate: it lies before startDate", details)


def _external_id_taken(task_id: str) -> Rejection:
    """One thing of a source is one task. The caller may see all tasks, so it is named."""
    details = {"what": "task", "field": "externalId", "taskId": task_id}
    return Rejection(ErrorCode.ALREADY_EXISTS, "a task of this project has this externalId already", details)


def _refuse_assignees(state: ProjectState, assignees: Sequence[str], context: Context) -> Rejection | None:
    """Members only. The external people of an import may be given work by that import alone."""
    importing = context.origin is not None
    for person in assignees:
        if person not in state.members and not (importing and person.startswith("external:")):
            return broken("assignee_not_member", "only members can be assigned")
    return None


def _refuse_crowd(labels: Sequence[str], assignees: Sequence[str], limits: ProjectLimits) -> Rejection | None:
    if len(labels) > limits.labels_per_task_max:
        return broken("labels_limit", f"a task has at most {limits.labels_per_task_max} labels")
    if len(assignees) > limits.assignees_per_task_max:
        return broken("assignees_limit", f"a task has at most {limits.assignees_per_task_max} assignees")
    return None


def has_state(project: ProjectView, state_id: str) -> bool:
    """Whether the project has this state."""
    return any(state["id"] == state_id for state in project["states"])


def _merged(present: list[str], added: Sequence[str], removed: Sequence[str]) -> list[str]:
    if not added and not removed:
        return present
    return [item for item in present if item not in removed] + list(added)


def edited_task(task: TaskView, event: TaskEdited, at: str) -> TaskView:
    """The task after the edit."""
    return {
        **task,
        **event.changes,
        "labels": _merged(task["labels"], event.labels_added, event.labels_removed),
        "assigneeIds": _merged(task["assigneeIds"], event.assignees_added, event.assignees_removed),
        "updatedAt": at,
        "closedAt": event.closed_at if "closed_at" in event.model_fields_set else task["closedAt"],
    }


def evolve_created(state: ProjectState, event: TaskCreated, meta: EntryMeta) -> None:
    task = event.task
    put_new_task(state, task)
    state.next_number = task["number"] + 1
    note_content(state, meta)


def evolve_edited(state: ProjectState, event: TaskEdited, meta: EntryMeta) -> None:
    task = state.tasks[event.task_id]
    if "parentId" in event.changes:
        move_subtask(state, event.task_id, task["parentId"], event.changes["parentId"])
    after = edited_task(task, event, meta.at)
    put_in_milestone(state, event.task_id, task["milestoneId"], after["milestoneId"])
    replace_task(state, after)
    note_content(state, meta)


def evolve_recurred(state: ProjectState, event: TaskRecurred, meta: EntryMeta) -> None:
    hand_on(state, event.task_id, event.next_task_id, meta.seq)
    note_content(state, meta)


def list_tasks(
    state: ProjectState,
    principal: Principal,
    after: int = 0,
    limit: int = 100,
    parent: str | None = None,
    are_deleted: bool = False,
) -> Sequence[TaskView] | Rejection:
    """A page of tasks by number, those after the number `after`: without the deleted ones, or these alone.

    `parent` asks for the subtasks of a task, or as `none` for the top level.
    """
    refused = refusal(state, principal, "task.view")
    if refused is not None:
        return refused
    if parent is not None and parent != TOP_LEVEL and is_hidden(state, parent):
        return missing("parent")
    above = None if parent == TOP_LEVEL else parent
    shown = (
        task
        for task_id in islice(state.task_ids, after, None)
        if (task := state.tasks.get(task_id)) is not None
        and (task["deletedAt"] is not None) == are_deleted
        and (parent is None or lies_under(state, task_id, above))
    )
    return list(islice(shown, limit))


def view_task(state: ProjectState, principal: Principal, task_id: str) -> TaskView | Rejection:
    """One task, or its tombstone."""
    refused = refusal(state, principal, "task.view")
    if refused is not None:
        return refused
    return state.tasks.get(task_id) or missing("task")
