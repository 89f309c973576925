"""What takes events of the project itself, its milestones and its fields back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actors.project import custom_fields, milestones, projects
from actors.project.permissions import missing
from actors.project.reversal import Inverse, Reversal
from protocol.custom_fields import ChoiceView, FieldDefined, FieldEdited, FieldRemoved, FieldValuesSet
from protocol.messages import ProjectEvent
from protocol.milestones import MilestoneCreated, MilestoneDeleted, MilestoneEdited
from protocol.projects import ProjectEdited


def of_project_edited(reversal: Reversal, event: ProjectEdited) -> Inverse:
    project: Any = reversal.project
    changes: Any = {name: value for name, value in event.was.items() if project[name] != value}
    if not changes:
        return ()
    was: Any = {name: project[name] for name in changes}
    refused = projects.refuse_changes(reversal.draft, reversal.project, changes, reversal.context.principal)
    return refused or [ProjectEdited(changes=changes, was=was)]


def of_milestone_created(reversal: Reversal, event: MilestoneCreated) -> Inverse:
    """Tasks that its maker put into it leave it."""
    milestone = reversal.draft.milestones.get(event.milestone["id"])
    return milestones.removal(reversal.draft, milestone) if milestone is not None else ()


def of_milestone_deleted(reversal: Reversal, event: MilestoneDeleted) -> Inverse:
    """The milestone comes back before its tasks do: those have events of their own in the entry."""
    if event.milestone_id in reversal.draft.milestones:
        return ()
    refused = milestones.refuse_new(reversal.draft, reversal.limits)
    return refused or [MilestoneCreated(milestone=event.was)]


def of_milestone_edited(reversal: Reversal, event: MilestoneEdited) -> Inverse:
    milestone: Any = reversal.draft.milestones.get(event.milestone_id)
    if milestone is None:
        return missing("milestone")
    changes: Any = {name: value for name, value in event.was.items() if milestone[name] != value}
    if not changes:
        return ()
    was: Any = {name: milestone[name] for name in changes}
    refused = milestones.refuse_changes(milestone, changes, reversal.context)
    return refused or [milestones.edited(event.milestone_id, changes, was, reversal.dating)]


def of_field_defined(reversal: Reversal, event: FieldDefined) -> Inverse:
    """The values that its maker gave it go with it."""
    field = reversal.draft.fields.get(event.field["id"])
    return [FieldRemoved(field_id=field["id"], was=field)] if field is not None else ()


def of_field_removed(reversal: Reversal, event: FieldRemoved) -> Inverse:
    """With the values that the tasks had, tombstones too."""
    field = event.was
    if event.field_id in reversal.draft.fields:
        return ()
    refused = custom_fields.refuse_new(reversal.draft, field["type"], field["choices"], reversal.limits)
    lost = reversal.lost.get(event.field_id, {})
    values: list[ProjectEvent] = [
        FieldValuesSet(task_id=task_id, values={event.field_id: value}, was={event.field_id: None})
        for task_id, value in lost.items()
    ]
    return refused or [FieldDefined(field=field), *values]


def of_field_edited(reversal: Reversal, event: FieldEdited) -> Inverse:
    """A choice that came and that a task has by now stays there, retired."""
    field: Any = reversal.draft.fields.get(event.field_id)
    if field is None:
        return missing("field")
    wished: Any = dict(event.was)
    if "choices" in wished:
        wished["choices"] = [*wished["choices"], *_kept(reversal, event.field_id, wished["choices"], field["choices"])]
    changes: Any = {name: value for name, value in wished.items() if field[name] != value}
    if not changes:
        return ()
    refused = custom_fields.refuse_changes(field, changes, reversal.limits)
    was: Any = {name: field[name] for name in changes}
    return refused or [FieldEdited(field_id=event.field_id, changes=changes, was=was)]


def _kept(
    reversal: Reversal, field_id: str, wished: Sequence[ChoiceView], present: Sequence[ChoiceView]
) -> list[ChoiceView]:
    known = {choice["id"] for choice in wished}
    used = {task["fields"].get(field_id) for task in reversal.draft.tasks.values()}
    return [{**choice, "retired": True} for choice in present if choice["id"] not in known and choice["id"] in used]
