"""Fields of a project's own: defined, edited, removed, and their values on tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, assert_never

from actors.field_changes import begin_record, end_record, forget_field
from actors.project.dating import date_content
from actors.project.edited_fields import PRESENCE
from actors.project.limits import ProjectLimits
from actors.project.naming import has_twins, is_taken
from actors.project.permissions import broken, missing, refusal, taken
from actors.project.projects import Outcome, archived, is_archived
from actors.project.sizes import FIELD_CHARACTERS_MAX, field_characters
from actors.project.state import ProjectState, note_content, put_in_order
from actors.runtime.actor import Context, EntryMeta
from protocol.custom_fields import (
    ChoiceView,
    DefineField,
    EditField,
    FieldChanges,
    FieldDefined,
    FieldEdited,
    FieldRemoved,
    FieldType,
    FieldValuesSet,
    FieldView,
    RemoveField,
)
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.tasks import FieldValue, FieldValues, TaskView

Wishes = Mapping[str, FieldValue | None]


def decide_define(state: ProjectState, command: DefineField, context: Context, limits: ProjectLimits) -> Outcome:
    """The field is there on all tasks at once, without a value."""
    refused = refusal(state, context.principal, "field.define")
    if refused is not None:
        return refused
    named = "field_id" in command.model_fields_set
    if named and command.field_id in state.fields:
        return taken("field")
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    if is_archived(state):
        return archived()
    choices: list[ChoiceView] = [{**choice, "retired": False} for choice in command.choices]
    refused = _refuse_name(state, command.name) or refuse_new(state, command.type, choices, limits)
    if refused is not None:
        return refused
    field: FieldView = {
        "id": command.field_id if named else context.new_id(),
        "name": command.name,
        "type": command.type,
        "choices": choices,
        "createdAt": dating.at,
        "updatedAt": dating.at,
    }
    return dating.decision([FieldDefined(field=field)])


def decide_edit(state: ProjectState, command: EditField, context: Context, limits: ProjectLimits) -> Outcome:
    """Only what really changes is recorded."""
    refused = refusal(state, context.principal, "field.define")
    if refused is not None:
        return refused
    field = state.fields.get(command.field_id)
    if field is None:
        return missing("field")
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    choices = _edited_choices(field["choices"], command)
    if isinstance(choices, Rejection):
        return choices
    changes: FieldChanges = {}
    was: FieldChanges = {}
    if "name" in command.model_fields_set and command.name != field["name"]:
        changes["name"], was["name"] = command.name, field["name"]
    if choices != field["choices"]:
        changes["choices"], was["choices"] = choices, field["choices"]
    if not changes:
        return dating.decision([])
    refused = archived() if is_archived(state) else None
    if refused is None and "name" in changes:
        refused = _refuse_name(state, changes["name"], but=field["id"])
    refused = refused or refuse_changes(field, changes, limits)
    return refused or dating.decision([FieldEdited(field_id=command.field_id, changes=changes, was=was)])


def _edited_choices(before: Sequence[ChoiceView], command: EditField) -> list[ChoiceView] | Rejection:
    """A retired choice that is added comes back, in its place and with the name that it is given now."""
    choices = {choice["id"]: choice for choice in before}
    for added in command.add_choices:
        known = choices.get(added["id"])
        if known is not None and not known["retired"]:
            return taken("choice")
        choices[added["id"]] = {**added, "retired": False}
    for renamed in command.rename_choices:
        if renamed["id"] not in choices:
            return missing("choice")
        choices[renamed["id"]] = {**choices[renamed["id"]], "name": renamed["name"]}
    for choice_id in command.retire_choices:
        if choice_id not in choices:
            return missing("choice")
        choices[choice_id] = {**choices[choice_id], "retired": True}
    return list(choices.values())


def decide_remove(state: ProjectState, command: RemoveField, context: Context) -> Outcome:
    """Its values vanish from all tasks with it; the entries that set them keep them."""
    refused = refusal(state, context.principal, "field.define")
    if refused is not None:
        return refused
    field = state.fields.get(command.field_id)
    if field is None:
        return missing("field")
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    refused = archived() if is_archived(state) else _refuse_loss(state, command.field_id)
    return refused or dating.decision([FieldRemoved(field_id=command.field_id, was=field)])


def _refuse_loss(state: ProjectState, field_id: str) -> Rejection | None:
    """Whether the tasks hold more of it than one undo can bring back."""
    if field_characters(state, field_id) <= FIELD_CHARACTERS_MAX:
        return None
    message = f"a field goes with at most {FIELD_CHARACTERS_MAX} characters of values; take some of them away first"
    return broken("field_values_limit", message)


def refuse_new(
    state: ProjectState, kind: FieldType, choices: Sequence[ChoiceView], limits: ProjectLimits
) -> Rejection | None:
    """Whether the project does not take such a field, whatever its name."""
    refused = _refuse_choices(kind, choices, limits)
    if refused is None and len(state.fields) >= limits.fields_max:
        return broken("fields_limit", f"a project has at most {limits.fields_max} fields of its own")
    return refused


def refuse_changes(field: FieldView, changes: FieldChanges, limits: ProjectLimits) -> Rejection | None:
    """Whether a rule speaks against what an edit would make of the field, but for its name."""
    return _refuse_choices(field["type"], changes["choices"], limits) if "choices" in changes else None


def refuse_twins(state: ProjectState) -> Rejection | None:
    """Whether two fields have one name: where several are named in one entry, only the end of it is judged."""
    return _name_taken("field") if has_twins(field["name"] for field in state.fields.values()) else None


def _refuse_name(state: ProjectState, name: str, but: str | None = None) -> Rejection | None:
    if is_taken(name, (other["name"] for other in state.fields.values() if other["id"] != but)):
        return _name_taken("field")
    return None


def _refuse_choices(kind: str, choices: Sequence[ChoiceView], limits: ProjectLimits) -> Rejection | None:
    if choices and kind != "choice":
        details = {"field": "choices", "reason": "no_choice_field"}
        return Rejection(ErrorCode.RULE_BROKEN, "only a field of type choice has choices", details)
    if len(choices) > limits.choices_per_field_max:
        return broken("choices_limit", f"a field has at most {limits.choices_per_field_max} choices")
    twins = has_twins(choice["name"] for choice in choices if not choice["retired"])
    return _name_taken("choice") if twins else None


def _name_taken(what: str) -> Rejection:
    details = {"what": what, "field": "name"}
    return Rejection(ErrorCode.ALREADY_EXISTS, f"another {what} has this name already", details)


def values_of(wishes: Wishes) -> FieldValues:
    """The values that a new task begins with."""
    return {field_id: value for field_id, value in wishes.items() if value is not None}


def changes_of(task: TaskView, wishes: Wishes) -> FieldValuesSet | None:
    """What these wishes really change."""
    before = task["fields"]
    values = {field_id: value for field_id, value in wishes.items() if value != before.get(field_id)}
    if not values:
        return None
    return FieldValuesSet(
        task_id=task["id"], values=values, was={field_id: before.get(field_id) for field_id in values}
    )


def refuse_values(state: ProjectState, wishes: Wishes, *, retired: bool = False) -> Rejection | None:
    """The first value that does not fit its field. `retired`: a choice may be one that is retired."""
    for field_id, value in wishes.items():
        field = state.fields.get(field_id)
        if field is None:
            return missing("field")
        refused = _refuse_value(field, value, retired) if value is not None else None
        if refused is not None:
            return refused
    return None


def _refuse_value(field: FieldView, value: FieldValue, retired: bool) -> Rejection | None:
    if field["type"] == "choice":
        return _refuse_choice(field, value, retired)
    if _fits(field["type"], value):
        return None
    details = {"field": f"fields.{field['id']}", "reason": "field_type", "type": field["type"]}
    return Rejection(ErrorCode.RULE_BROKEN, f"the value does not fit a field of type {field['type']}", details)


def _fits(kind: Literal["text", "number", "date"], value: FieldValue) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "number":
            return not isinstance(value, str)
        case "date":
            return isinstance(value, str) and _is_day(value)
        case _:
            assert_never(kind)


def _refuse_choice(field: FieldView, value: FieldValue, retired: bool) -> Rejection | None:
    for choice in field["choices"]:
        if choice["id"] == value:
            is_wrong = choice["retired"] and not retired
            return broken("choice_retired", "this choice is retired") if is_wrong else None
    return missing("choice")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def with_values(task: TaskView, event: FieldValuesSet) -> TaskView:
    """The task with the values that the event sets."""
    return {**task, "fields": values_of({**task["fields"], **event.values})}


def evolve_values_set(state: ProjectState, event: FieldValuesSet, meta: EntryMeta) -> None:
    task = with_values(state.tasks[event.task_id], event)
    state.tasks[event.task_id] = {**task, "updatedAt": meta.at}
    note_content(state, meta)


def evolve_defined(state: ProjectState, event: FieldDefined, meta: EntryMeta) -> None:
    field_id = event.field["id"]
    put_in_order(state.fields, event.field)
    if begin_record(state.changes, f"field/{field_id}", PRESENCE, event.field["createdAt"], meta):
        forget_field(state.changes, f"fields.{field_id}")
    note_content(state, meta)


def evolve_edited(state: ProjectState, event: FieldEdited, meta: EntryMeta) -> None:
    record: Any = {**state.fields[event.field_id], **event.changes, "updatedAt": meta.at}
    state.fields[event.field_id] = record
    note_content(state, meta)


def evolve_removed(state: ProjectState, event: FieldRemoved, meta: EntryMeta) -> None:
    """The tasks lose the value and count as no more changed than they are: nobody has edited them."""
    del state.fields[event.field_id]
    for task_id, task in state.tasks.items():
        if event.field_id in task["fields"]:
            fields = {field_id: value for field_id, value in task["fields"].items() if field_id != event.field_id}
            state.tasks[task_id] = {**task, "fields": fields}
    end_record(state.changes, f"field/{event.field_id}", PRESENCE, meta)
    note_content(state, meta)


def values_by_field(state: ProjectState, field_ids: Sequence[str]) -> dict[str, dict[str, FieldValue]]:
    """What the tasks hold of these fields: field id → task id → value."""
    found: dict[str, dict[str, FieldValue]] = {field_id: {} for field_id in field_ids}
    for task_id, task in state.tasks.items():
        for field_id in found.keys() & task["fields"].keys():
            found[field_id][task_id] = task["fields"][field_id]
    return found


def list_fields(state: ProjectState, principal: Principal) -> Sequence[FieldView] | Rejection:
    """All fields of the project's own, in the order they were defined. There are few: a limit holds them."""
    refused = refusal(state, principal, "task.view")
    if refused is not None:
        return refused
    return list(state.fields.values())
