"""Where a task will stand among the others of its state, before the server has given it a rank.

Provisional ranks hold characters that the server never uses and that sort before all of its own (` ` and `!`), so one
fits into every gap and none can be mistaken for a confirmed one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from pantherahive_client.models import TaskView
from pantherahive_client.project_state import ProjectState

Card: TypeAlias = tuple[str, str]
"""Rank and id of a task, in the order of a board."""


def rank_between(low: str, high: str | None) -> str:
    """A rank right behind `low`, before everything that stands behind it; None is the end."""
    rank = low + "!"
    while high is not None and rank >= high:
        rank = rank[:-1] + " !"
    return rank


def end_rank(state: ProjectState, state_id: str) -> str:
    """A rank behind all tasks of a state, deleted ones too."""
    return rank_between(max((rank for rank, _ in _cards(state, state_id)), default=""), None)


def rank_at(state: ProjectState, task: TaskView, state_id: str, wanted: Mapping[str, Any]) -> str | None:
    """The rank that `after` and `before` ask for; None where the task stands there already, or cannot be put there."""
    after, before = wanted.get("after"), wanted.get("before")
    if any(not _is_neighbour(state, task, state_id, one) for one in (after, before) if one is not None):
        return None
    cards = _cards(state, state_id)
    if after is not None:
        low: Card | None = _card(state, after)
        if before is not None and low is not None and _card(state, before) <= low:
            return None
    elif before is not None:
        high = _card(state, before)
        low = max((card for card in cards if card < high), default=None)
    else:
        low = max(cards, default=None)
    behind = min((card for card in cards if low is None or card > low), default=None)
    own = task["id"]
    if (low is not None and low[1] == own) or (behind is not None and behind[1] == own):
        return None
    return rank_between(low[0] if low is not None else "", behind[0] if behind is not None else None)


def _cards(state: ProjectState, state_id: str) -> list[Card]:
    return [(task["rank"], task["id"]) for task in state.tasks.values() if task["stateId"] == state_id]


def _card(state: ProjectState, task_id: str) -> Card:
    return state.tasks[task_id]["rank"], task_id


def _is_neighbour(state: ProjectState, task: TaskView, state_id: str, neighbour_id: str) -> bool:
    other = state.tasks.get(neighbour_id)
    is_there = other is not None and other["deletedAt"] is None and other["stateId"] == state_id
    return is_there and neighbour_id != task["id"]
