"""The part of the fold that is about milestones, fields of a project's own, watchers and recurrence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from pantherahive_client.models import FieldView, MilestoneView, TaskView
from pantherahive_client.project_state import Dated, ProjectState, put_in_order

Fold: TypeAlias = Callable[[ProjectState, Mapping[str, Any], Dated], None]


def merged(present: Sequence[str], added: Iterable[str], removed: Iterable[str]) -> list[str]:
    """A set-valued field after an edit."""
    gone = set(removed)
    return [item for item in present if item not in gone] + list(added)


def _set_task(state: ProjectState, task_id: str, changes: Mapping[str, Any]) -> None:
    state.tasks[task_id] = cast(TaskView, {**state.tasks[task_id], **changes})


def _recurred(state: ProjectState, data: Mapping[str, Any], entry: Dated) -> None:
    _set_task(state, data["taskId"], {"recurrence": None})


def _watchers_changed(state: ProjectState, data: Mapping[str, Any], entry: Dated) -> None:
    watching = state.tasks[data["taskId"]]["watcherIds"]
    changed = merged(watching, data.get("added", ()), data.get("removed", ()))
    _set_task(state, data["taskId"], {"watcherIds": changed})


def _values_set(state: ProjectState, data: Mapping[str, Any], entry: Dated) -> None:
    both = {**state.tasks[data["taskId"]]["fields"], **data["values"]}
    values = {field_id: value for field_id, value in both.items() if value is not None}
    _set_task(state, data["taskId"], {"fields": values, "updatedAt": entry["at"]})


def _milestone_created(state: ProjectState, data: Mapping[str, Any], entry: Dated) -> None:
    put_in_order(state.milestones, data["milestone"])


def _milestone_edited(state: ProjectState, data: Mapping[str, Any], entry: Dated) -> None:
    milestone = state.milestones[data["milestoneId"]]
    edited = {**milestone, **data["changes"], "updatedAt": entry["at"]}
    edited["closedAt"] = data.get("closedAt", milestone["closedAt"])
    state.milestones[data["milestoneId"]] = cast(MilestoneView, edited)


def _milestone_deleted(state: ProjectState, data: Mapping[str, Any], entry: Dated) -> None:
    del state.milestones[data["milestoneId"]]


def _field_defined(state: ProjectState, data: Mapping[str, Any], entry: Dated) -> None:
    put_in_order(state.fields, data["field"])


def _field_edited(state: ProjectState, data: Mapping[str, Any], entry: Dated) -> None:
    edited = {**state.fields[data["fieldId"]], **data["changes"], "updatedAt": entry["at"]}
    state.fields[data["fieldId"]] = cast(FieldView, edited)


def _field_removed(state: ProjectState, data: Mapping[str, Any], entry: Dated) -> None:
    """Every task loses its value."""
    field_id = data["fieldId"]
    del state.fields[field_id]
    for task_id, task in state.tasks.items():
        if field_id in task["fields"]:
            rest = {one: value for one, value in task["fields"].items() if one != field_id}
            _set_task(state, task_id, {"fields": rest})


PLANNING: Final[Mapping[str, Fold]] = {
    "TaskRecurred": _recurred,
    "WatchersChanged": _watchers_changed,
    "FieldValuesSet": _values_set,
    "MilestoneCreated": _milestone_created,
    "MilestoneEdited": _milestone_edited,
    "MilestoneDeleted": _milestone_deleted,
    "FieldDefined": _field_defined,
    "FieldEdited": _field_edited,
    "FieldRemoved": _field_removed,
}
"""Kind of event → what it does to the replica. All but `WatchersChanged` are content."""
