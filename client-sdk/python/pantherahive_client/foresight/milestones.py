"""Milestones: created, edited, deleted."""

from __future__ import annotations

from typing import Any

from pantherahive_client.foresight.wish import Wish, changed, event
from pantherahive_client.models import MilestoneView, WireEvent
from pantherahive_client.project_state import ProjectState


def create(state: ProjectState, wish: Wish) -> list[WireEvent]:
    data = wish.data
    if data["milestoneId"] in state.milestones:
        return []
    milestone: MilestoneView = {
        "id": data["milestoneId"],
        "name": data["name"].strip(),
        "description": data.get("description", ""),
        "status": "Open",
        "startDate": data.get("startDate"),
        "dueDate": data.get("dueDate"),
        "createdBy": wish.author,
        "createdAt": wish.at,
        "updatedAt": wish.at,
        "closedAt": None,
    }
    return [event("MilestoneCreated", milestone=milestone)]


def edit(state: ProjectState, wish: Wish) -> list[WireEvent]:
    milestone = state.milestones.get(wish.data["milestoneId"])
    if milestone is None:
        return []
    data = dict(wish.data)
    if "name" in data:
        data["name"] = data["name"].strip()
    changes, was = changed(milestone, data, ("name", "description", "status", "startDate", "dueDate"))
    if not changes:
        return []
    closing: dict[str, Any] = {}
    if "status" in changes:
        closing["closedAt"] = wish.at if changes["status"] == "Closed" else None
    return [event("MilestoneEdited", milestoneId=milestone["id"], changes=changes, was=was, **closing)]


def delete(state: ProjectState, wish: Wish) -> list[WireEvent]:
    """Its tasks go on without one."""
    milestone_id = wish.data["milestoneId"]
    milestone = state.milestones.get(milestone_id)
    if milestone is None:
        return []
    left = [
        event("TaskEdited", taskId=task["id"], changes={"milestoneId": None}, was={"milestoneId": milestone_id})
        for task in state.tasks.values()
        if task["milestoneId"] == milestone_id
    ]
    return [*left, event("MilestoneDeleted", milestoneId=milestone_id, was=milestone)]
