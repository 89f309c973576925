"""Series: tasks that came one after the other, of which one at a time carries the recurrence on.

Nothing that is taken back or restored makes two of one. Who sets a recurrence by hand may well have two.
"""

from __future__ import annotations

from collections.abc import Iterator

from actors.project.edited_fields import DELETION
from actors.project.state import ProjectState


def goes_on_elsewhere(state: ProjectState, task_id: str, when: range | None = None) -> bool:
    """Whether another task of the series is there with the recurrence; with `when` only if it came by it in one of
    these entries.
    """
    return any(
        (when is None or _taken_up(state, other) in when)
        for other in _series(state, task_id)
        if other != task_id and _carries(state, other)
    )


def _carries(state: ProjectState, task_id: str) -> bool:
    task = state.tasks[task_id]
    return task["deletedAt"] is None and task["recurrence"] is not None


def _taken_up(state: ProjectState, task_id: str) -> int:
    """The newest entry that made the task, gave it a recurrence or brought it back."""
    noted = state.changes.get(f"task/{task_id}", {})
    seqs = [noted[name].seq for name in ("recurrence", DELETION) if name in noted]
    came = state.came_after.get(task_id)
    return max([*seqs, came.seq if came is not None else 0])


def _series(state: ProjectState, task_id: str) -> Iterator[str]:
    """All tasks of the series, from the first one on; the task alone, where it never came again."""
    first = task_id
    while first in state.came_after:
        first = state.came_after[first].task_id
    following: dict[str, list[str]] = {}
    for later, came in state.came_after.items():
        following.setdefault(came.task_id, []).append(later)
    waiting = [first]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += following.get(one, ())
