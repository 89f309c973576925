"""Watchers of tasks."""

from __future__ import annotations

from collections.abc import Sequence

from pantherahive_client.foresight.wish import Wish, event, living
from pantherahive_client.models import TaskView, WireEvent
from pantherahive_client.project_state import ProjectState


def watch(state: ProjectState, wish: Wish) -> list[WireEvent]:
    """For oneself, if one is a member."""
    task = living(state, wish.data["taskId"])
    return changes(task, [wish.author], []) if task is not None and wish.author in state.members else []


def unwatch(state: ProjectState, wish: Wish) -> list[WireEvent]:
    task = living(state, wish.data["taskId"])
    return changes(task, [], [wish.author]) if task is not None and wish.author in state.members else []


def changes(task: TaskView, wished: Sequence[str], unwished: Sequence[str]) -> list[WireEvent]:
    """Who begins and who stops; whoever is added and removed by one command stays."""
    present = task["watcherIds"]
    added = [person for person in wished if person not in present]
    removed = [person for person in unwished if person in present and person not in wished]
    return [event("WatchersChanged", taskId=task["id"], added=added, removed=removed)] if added or removed else []
