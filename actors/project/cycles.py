"""The refusal of a link or a parent that would close a cycle. It names the cycle, so that somebody can open it."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import Any, Final

from actors.project.permissions import broken
from actors.project.state import ORDERING, ProjectState
from protocol.errors import ErrorCode, Rejection
from protocol.links import LinkType

CYCLE_STEPS_NAMED_MAX: Final = 50
"""A longer cycle is named up to here; `length` says how long it is."""


def refuse_cycle(state: ProjectState, first: str, then: str, by: LinkType | str) -> Rejection | None:
    """Whether `first` may come before `then`. `by` is what would put it there: a type of link, or `parent`.

    Deleted tasks count too: they can come back at any time, with their links and their parent.
    """
    path = state.order.path(then, first)
    if not path:
        return None
    steps: list[dict[str, Any]] = [{**_named(state, first), "by": by}]
    pairs = islice(pairwise(path), CYCLE_STEPS_NAMED_MAX - 1)
    steps += [{**_named(state, here), **_reason(state, here, there)} for here, there in pairs]
    keys = " → ".join([*(step["key"] for step in steps), "…" if len(path) > len(steps) else steps[0]["key"]])
    details = {"reason": "cycle", "cycle": steps, "length": len(path)}
    return Rejection(ErrorCode.RULE_BROKEN, f"it would close a cycle: {keys}", details)


def searched_too_long() -> Rejection:
    """For `actors.project.order.SearchTooLong`."""
    return broken("search_limit", "one command cannot search so many tasks for cycles: change fewer parents at once")


def _named(state: ProjectState, task_id: str) -> dict[str, Any]:
    task = state.tasks[task_id]
    return {"taskId": task_id, "key": task["key"], "deleted": task["deletedAt"] is not None}


def _reason(state: ProjectState, here: str, there: str) -> dict[str, Any]:
    """Why one task comes before the next one. The order holds no pair without a reason."""
    if state.tasks[here]["parentId"] == there:
        return {"by": "parent"}
    for link_id in state.task_links[here]:
        link = state.links[link_id]
        if link["type"] in ORDERING and link["taskId"] == here and link["otherId"] == there:
            return {"by": link["type"], "linkId": link_id}
    raise ValueError(f"nothing puts {here} before {there}")
