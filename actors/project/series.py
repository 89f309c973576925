"""Series: tasks that came one after the other, of which one at a time carries the recurrence on.

Nothing that is taken back or restored makes two of one. Who sets a recurrence by hand may well have two.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Final

from actors.project.edited_fields import DELETION
from actors.project.state import ProjectState

_NOBODY: Final[Set[str]] = frozenset()


def goes_on_elsewhere(state: ProjectState, task_id: str) -> bool:
    """Whether another task of the series is there with the recurrence."""
    return any(other != task_id for other in state.carriers.get(first_of(state, task_id), ()))


@dataclass(frozen=True, slots=True)
class Successors:
    """Those who came by the recurrence of their series in some entries, and have it still.

    For a draft on which events of an entry after all of those are tried: of the tasks that these entries gave a
    recurrence it may only take some away, so whoever has lost it is never asked again.
    """

    draft: ProjectState
    entries: range
    # First task of a series → those of it that have not been seen without the recurrence.
    _known: dict[str, list[str]] = field(default_factory=dict)

    def has_other_than(self, task_id: str) -> bool:
        """Whether one of them is another task of the same series."""
        first = first_of(self.draft, task_id)
        carriers = self.draft.carriers.get(first, _NOBODY)
        if first not in self._known:
            self._known[first] = [one for one in carriers if _taken_up(self.draft, one) in self.entries]
        known, own = self._known[first], list[str]()
        while known and (known[-1] == task_id or not self._has_still(known[-1], carriers)):
            one = known.pop()
            if one == task_id:
                own.append(one)
        has_other = bool(known)
        known += own
        return has_other

    def _has_still(self, task_id: str, carriers: Set[str]) -> bool:
        return task_id in carriers and _taken_up(self.draft, task_id) in self.entries


def first_of(state: ProjectState, task_id: str) -> str:
    """The task that began the series of this one; itself, where it has handed nothing on and came after none."""
    return state.series.get(task_id, task_id)


def _taken_up(state: ProjectState, task_id: str) -> int:
    """The newest entry that made the task, gave it a recurrence or brought it back."""
    noted = state.changes.get(f"task/{task_id}", {})
    seqs = [noted[name].seq for name in ("recurrence", DELETION) if name in noted]
    came = state.came_after.get(task_id)
    return max([*seqs, came.seq if came is not None else 0])
