"""Parents: a task may be a subtask of another one, a few levels deep and never in a circle."""

from __future__ import annotations

from collections.abc import Sequence

from actors.project.cycles import refuse_cycle
from actors.project.limits import ProjectLimits
from actors.project.permissions import broken
from actors.project.state import ProjectState
from actors.project.tombstones import living
from protocol.errors import Rejection


def refuse_parent(state: ProjectState, task_id: str, parent_id: str | None, limits: ProjectLimits) -> Rejection | None:
    """Whether the task, which may be a new one, may have this parent: a living task of the project, or none."""
    if parent_id is None:
        return None
    parent = living(state, parent_id, "parent")
    return parent if isinstance(parent, Rejection) else refuse_old_parent(state, task_id, parent_id, limits)


def refuse_old_parent(
    state: ProjectState, task_id: str, parent_id: str | None, limits: ProjectLimits
) -> Rejection | None:
    """The same for a parent that it had before, and that may be a tombstone by now."""
    if parent_id is None:
        return None
    refused = refuse_cycle(state, task_id, parent_id, "parent") if task_id in state.tasks else None
    return refused or _refuse_depth(state, task_id, parent_id, limits.task_levels_max)


def _refuse_depth(state: ProjectState, task_id: str, parent_id: str, levels_max: int) -> Rejection | None:
    levels = _levels_above(state, parent_id, levels_max)
    below: Sequence[str] = [task_id]
    while below:
        levels += 1
        if levels > levels_max:
            return broken("task_levels_limit", f"tasks and their subtasks lie at most {levels_max} levels deep")
        below = [child for task in below for child in state.subtasks.get(task, ())]
    return None


def _levels_above(state: ProjectState, task_id: str, levels_max: int) -> int:
    """How many levels end with this task: 1 when it has no parent. Nothing is counted beyond `levels_max`."""
    levels, above = 1, state.tasks[task_id]["parentId"]
    while above is not None and levels < levels_max:
        levels, above = levels + 1, state.tasks[above]["parentId"]
    return levels


def lies_under(state: ProjectState, task_id: str, parent_id: str | None) -> bool:
    """Whether a board shows the task under this parent. None is the top level, where it also is while its own parent
    is deleted."""
    own = state.tasks[task_id]["parentId"]
    shown = None if own is None or state.tasks[own]["deletedAt"] is not None else own
    return shown == parent_id
