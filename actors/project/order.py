"""Which task has to be finished before which: a directed graph that stays without cycles.

Three things put a task before another: it blocks it, it precedes it, or it is a subtask of it. A cycle of them, in any
mixture, would be work that nobody can ever finish.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

_LEAD: Final = 32
"""So many tasks more than from the other end are met before the search goes on from there."""

_FEW: Final = 2
"""So many searches cost no more than a look at everything."""

MET_IN_A_DRAFT_MAX: Final = 500_000
"""So many tasks are met in all searches of one command that tries many changes: about 0.2 s."""


class SearchTooLong(Exception):
    """The searches of one command have met as many tasks as they may."""


@dataclass(slots=True)
class Order:
    """Tasks by id. A pair that stands there for several reasons is counted, so that each can be taken away alone."""

    # Task → the tasks that come after it → for how many reasons.
    after: dict[str, dict[str, int]] = field(default_factory=dict)
    # The same pairs the other way round.
    before: dict[str, dict[str, int]] = field(default_factory=dict)
    # Task → a number, smaller for what comes first, that was made for pairs to come; empty when none holds.
    numbers: dict[str, int] = field(default_factory=dict, init=False, compare=False, repr=False)
    # Those pairs, and how many tasks were met in searches since.
    _coming: Sequence[tuple[str, str]] = field(default=(), init=False, compare=False, repr=False)
    _met: int = field(default=0, init=False, compare=False, repr=False)
    # How many tasks its searches may still meet. None: as many as there are, for it is asked once or twice a command.
    meetings_left: int | None = field(default=None, compare=False, repr=False)
    # In a draft: the tasks whose others are its own, after and before them; those of all others are the original's.
    _own: tuple[set[str], set[str]] | None = field(default=None, compare=False, repr=False)

    def draft(self) -> Order:
        """A copy with a bound on its searches. What it does not change it shares, so it is made in no time."""
        return Order(dict(self.after), dict(self.before), MET_IN_A_DRAFT_MAX, (set(), set()))

    def put(self, first: str, then: str) -> None:
        """One reason more for `first` to come before `then`."""
        if self.numbers and not self._numbers_hold(first, then):
            self.numbers = {}
        self._count(first, then, 1)

    def drop(self, first: str, then: str) -> None:
        """One reason less. Raises KeyError when there is none."""
        self._count(first, then, -1)

    def path(self, start: str, end: str) -> Sequence[str]:
        """A shortest way from `start` to `end` along the order, both included; empty when there is none.

        Breadth first from both ends, always on from where less was met: what lies on one side alone is not searched,
        however far the other one reaches. Every task is met at most once from each end. Raises SearchTooLong.
        """
        if start == end:
            return [start]
        if self._numbers_tell(end, start):
            return []
        if self.meetings_left is not None and self.meetings_left <= 0:
            raise SearchTooLong
        ahead: dict[str, str] = {start: start}
        behind: dict[str, str] = {end: end}
        front: Sequence[str] = [start]
        back: Sequence[str] = [end]
        while True:
            front, met = _advance(self.after, front, ahead, behind)
            if met is None and front:
                back, met = _advance(self.before, back, behind, ahead)
            if met is not None or not front or not back:
                self._count_meetings(len(ahead) + len(behind))
            if met is not None:
                return [*reversed(_way(met, ahead)), *_way(met, behind)[1:]]
            if not front or not back:
                return []

    def foresee(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Prepares for pairs that are to be put in one by one, each after a search for the way back.

        One look at everything, with all that is to come, gives tasks numbers that ascend along every pair; those on
        cycles, and between two, have the same one. While the pairs come, only these need a search. When such searches
        have cost as much as another look there is one: what stood in the way may be gone by then.
        """
        if len(pairs) <= _FEW:
            return
        self._coming, self._met = pairs, 0
        after: dict[str, list[str]] = {}
        before: dict[str, list[str]] = {}
        for first, then in pairs:
            after.setdefault(first, []).append(then)
            before.setdefault(then, []).append(first)
        tasks = {**self.after, **self.before, **after, **before}
        line = _peel(tasks, (self.before, before), (self.after, after))
        self.numbers = {task: number for number, task in enumerate(line)}
        rest = [task for task in tasks if task not in self.numbers]
        last, middle = len(tasks), len(line)
        self.numbers.update(dict.fromkeys(rest, middle))
        ends = _peel(rest, (self.after, after), (self.before, before))
        self.numbers.update((task, last - number) for number, task in enumerate(ends))

    def _count_meetings(self, met: int) -> None:
        if self.meetings_left is not None:
            self.meetings_left -= met
        if self.numbers:
            self._met += met
            if self._met > len(self.numbers):
                self.foresee(self._coming)

    def _numbers_tell(self, first: str, then: str) -> bool:
        """Whether the numbers say that nothing leads from `then` to `first`."""
        one, other = self.numbers.get(first), self.numbers.get(then)
        return one is not None and other is not None and one < other

    def _numbers_hold(self, first: str, then: str) -> bool:
        """Whether they would still be right with this pair."""
        one, other = self.numbers.get(first), self.numbers.get(then)
        return one is not None and other is not None and one <= other

    def _count(self, first: str, then: str, by: int) -> None:
        if self._own is not None:
            _make_own(self.after, first, self._own[0])
            _make_own(self.before, then, self._own[1])
        _count(self.after, first, then, by)
        _count(self.before, then, first, by)


_Edges = tuple[Mapping[str, Collection[str]], Mapping[str, Collection[str]]]
"""Those that are there and those that are to come."""


def _peel(tasks: Iterable[str], before: _Edges, after: _Edges) -> list[str]:
    """The tasks before which there is nothing but such tasks, one after another. What lies on a cycle, or is reached
    from one, is not among them (A. B. Kahn, Topological sorting of large networks, 1962)."""
    here, coming = before
    waiting = {task: len(here.get(task, ())) + len(coming.get(task, ())) for task in tasks}
    here, coming = after
    line = [task for task, count in waiting.items() if count == 0]
    for task in line:
        for other in chain(here.get(task, ()), coming.get(task, ())):
            if other in waiting:
                waiting[other] -= 1
                if waiting[other] == 0:
                    line.append(other)
    return line


def _make_own(pairs: dict[str, dict[str, int]], one: str, own: set[str]) -> None:
    if one not in own:
        own.add(one)
        if one in pairs:
            pairs[one] = dict(pairs[one])


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


def _advance(
    edges: Mapping[str, Mapping[str, int]], front: Sequence[str], seen: dict[str, str], goal: Mapping[str, str]
) -> tuple[Sequence[str], str | None]:
    """Steps of the whole front until more was met than from the other end: the next front, and where both met."""
    get, tasks_max = edges.get, len(goal) + _LEAD
    while front and len(seen) < tasks_max:
        reached: list[str] = []
        for task in front:
            for other in get(task, ()):
                if other not in seen:
                    seen[other] = task
                    if other in goal:
                        return reached, other
                    reached.append(other)
        front = reached
    return front, None


def _way(met: str, seen: Mapping[str, str]) -> list[str]:
    """From where the searches met back to where one of them began."""
    way = [met]
    while (task := seen[met]) != met:
        way.append(task)
        met = task
    return way
