"""Which task has to be finished before which: a directed graph that stays without cycles.

Three things put a task before another: it blocks it, it precedes it, or it is a subtask of it. A cycle of them, in any
mixture, would be work that nobody can ever finish.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Order:
    """Tasks by id. A pair that stands there for several reasons is counted, so that each can be taken away alone."""

    # Task → the tasks that come after it → for how many reasons.
    after: dict[str, dict[str, int]] = field(default_factory=dict)
    # The same pairs the other way round.
    before: dict[str, dict[str, int]] = field(default_factory=dict)

    def put(self, first: str, then: str) -> None:
        """One reason more for `first` to come before `then`."""
        _count(self.after, first, then, 1)
        _count(self.before, then, first, 1)

    def drop(self, first: str, then: str) -> None:
        """One reason less. Raises KeyError when there is none."""
        _count(self.after, first, then, -1)
        _count(self.before, then, first, -1)

    def path(self, start: str, end: str) -> Sequence[str]:
        """A shortest way from `start` to `end` along the order, both included; empty when there is none.

        Breadth first from both ends, always on with the smaller front: what lies on one side alone is not searched.
        Every task is met at most once from each end.
        """
        if start == end:
            return [start]
        ahead: dict[str, str] = {start: start}
        behind: dict[str, str] = {end: end}
        front, back = [start], [end]
        while front and back:
            if len(front) <= len(back):
                front, met = _step(self.after, front, ahead, behind)
            else:
                back, met = _step(self.before, back, behind, ahead)
            if met is not None:
                return [*reversed(_way(met, ahead)), *_way(met, behind)[1:]]
        return []


def _count(pairs: dict[str, dict[str, int]], one: str, other: str, by: int) -> None:
    """Empty entries are taken out: states that mean the same are equal."""
    others = pairs.setdefault(one, {})
    others[other] = others.get(other, 0) + by
    if others[other] < 0:
        raise KeyError(other)
    if others[other] == 0:
        del others[other]
    if not others:
        del pairs[one]


def _step(
    edges: Mapping[str, Mapping[str, int]], front: Sequence[str], seen: dict[str, str], goal: Mapping[str, str]
) -> tuple[list[str], str | None]:
    """One step of the whole front: the next front, and the task where both searches met."""
    reached: list[str] = []
    for task in front:
        for other in edges.get(task, ()):
            if other in seen:
                continue
            seen[other] = task
            if other in goal:
                return reached, other
            reached.append(other)
    return reached, None


def _way(met: str, seen: Mapping[str, str]) -> list[str]:
    """From where the searches met back to where one of them began."""
    way = [met]
    while seen[way[-1]] != way[-1]:
        way.append(seen[way[-1]])
    return way
