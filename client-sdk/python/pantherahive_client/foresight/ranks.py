"""Tasks put elsewhere on the board."""

from __future__ import annotations

from typing import Any

from pantherahive_client.foresight.places import rank_at
from pantherahive_client.foresight.tasks import closing
from pantherahive_client.foresight.wish import Wish, event, has_state, living
from pantherahive_client.models import WireEvent
from pantherahive_client.project_state import ProjectState


def move(state: ProjectState, wish: Wish) -> list[WireEvent]:
    """It stands at its place at once; the rank that the server gives it comes with its entry."""
    task = living(state, wish.data["taskId"])
    if task is None:
        return []
    state_id = wish.data.get("stateId", task["stateId"])
    rank = rank_at(state, task, state_id, wish.data) if has_state(state, state_id) else None
    if rank is None:
        return []
    changes: dict[str, Any] = {"rank": rank}
    was: dict[str, Any] = {"rank": task["rank"]}
    if state_id != task["stateId"]:
        changes["stateId"], was["stateId"] = state_id, task["stateId"]
    return [event("TaskEdited", taskId=task["id"], changes=changes, was=was, **closing(state, changes, wish))]
