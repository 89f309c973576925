"""Fields of a project's own: defined, edited, removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pantherahive_client.foresight.wish import Wish, event
from pantherahive_client.models import ChoiceView, FieldView, WireEvent
from pantherahive_client.project_state import ProjectState


def define(state: ProjectState, wish: Wish) -> list[WireEvent]:
    data = wish.data
    if data["fieldId"] in state.fields:
        return []
    field: FieldView = {
        "id": data["fieldId"],
        "name": data["name"].strip(),
        "type": data["type"],
        "choices": [_choice(choice) for choice in data.get("choices", ())],
        "createdAt": wish.at,
        "updatedAt": wish.at,
    }
    return [event("FieldDefined", field=field)]


def edit(state: ProjectState, wish: Wish) -> list[WireEvent]:
    field = state.fields.get(wish.data["fieldId"])
    choices = _choices(field["choices"], wish.data) if field is not None else None
    if field is None or choices is None:
        return []
    after = {"name": wish.data.get("name", field["name"]).strip(), "choices": choices}
    before = {"name": field["name"], "choices": field["choices"]}
    changes = {name: value for name, value in after.items() if value != before[name]}
    if not changes:
        return []
    return [event("FieldEdited", fieldId=field["id"], changes=changes, was={name: before[name] for name in changes})]


def _choice(choice: Mapping[str, Any]) -> ChoiceView:
    return {"id": choice["id"], "name": choice["name"].strip(), "retired": False}


def _choices(before: Sequence[ChoiceView], data: Mapping[str, Any]) -> list[ChoiceView] | None:
    """A retired choice that is added comes back, in its place. None where one is named that is not there."""
    choices: dict[str, ChoiceView] = {choice["id"]: choice for choice in before}
    choices.update((added["id"], _choice(added)) for added in data.get("addChoices", ()))
    renamed = {choice["id"]: choice["name"].strip() for choice in data.get("renameChoices", ())}
    retired = data.get("retireChoices", ())
    if not choices.keys() >= {*renamed, *retired}:
        return None
    for choice_id, name in renamed.items():
        choices[choice_id] = {**choices[choice_id], "name": name}
    for choice_id in retired:
        choices[choice_id] = {**choices[choice_id], "retired": True}
    return list(choices.values())


def remove(state: ProjectState, wish: Wish) -> list[WireEvent]:
    field = state.fields.get(wish.data["fieldId"])
    return [event("FieldRemoved", fieldId=field["id"], was=field)] if field is not None else []
