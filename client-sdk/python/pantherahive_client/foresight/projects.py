"""The project's own fields. Deleting and restoring it is shown when the server has done it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pantherahive_client.foresight.wish import Wish, changed, event
from pantherahive_client.models import WireEvent
from pantherahive_client.project_state import ProjectState


def edit(state: ProjectState, wish: Wish) -> list[WireEvent]:
    data = dict(wish.data)
    if "name" in data:
        data["name"] = data["name"].strip()
    return _edited(state, data)


def archive(state: ProjectState, wish: Wish) -> list[WireEvent]:
    return _edited(state, {"status": "Archived"})


def unarchive(state: ProjectState, wish: Wish) -> list[WireEvent]:
    """Only what is archived."""
    if state.project is None or state.project["status"] != "Archived":
        return []
    return _edited(state, {"status": wish.data.get("status", "Active")})


def _edited(state: ProjectState, data: Mapping[str, Any]) -> list[WireEvent]:
    """An archived project takes an edit only with another status."""
    if state.project is None:
        return []
    changes, was = changed(state.project, data, ("name", "description", "status", "visibility", "states"))
    if not changes or (state.project["status"] == "Archived" and "status" not in changes):
        return []
    return [event("ProjectEdited", changes=changes, was=was)]
