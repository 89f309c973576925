"""Copies of a project's state to try events on: `decide` never changes the state itself."""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from dataclasses import fields
from typing import Any

from actors.project.order import Order
from actors.project.state import ProjectState


def draft_of(state: ProjectState, shared: Collection[str]) -> ProjectState:
    """A copy that only its decision sees. Records are shared: they are replaced, never changed.

    `shared` names the collections that the events to be tried leave alone, which are not copied.
    """
    draft = copy(state)
    for field in fields(state):
        if field.name not in shared:
            setattr(draft, field.name, _copied(getattr(state, field.name)))
    return draft


def _copied(value: Any) -> Any:
    """A collection, with the lists and sets that it holds; single values as they are."""
    if isinstance(value, list | set):
        return copy(value)
    if isinstance(value, Order):
        return value.draft()
    if isinstance(value, dict):
        return {key: copy(item) if isinstance(item, list | set) else item for key, item in value.items()}
    return value
