"""The order of the board as it was: which rank brings a task back between those it stood between."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from actors.project.limits import ProjectLimits
from actors.project.places import make_place
from actors.project.state import ProjectState
from protocol.errors import Rejection
from protocol.messages import ProjectEvent
from protocol.ranks import Rank, TasksReranked
from protocol.tasks import TaskView

OldPlace = tuple[list[ProjectEvent], Rank | None]
"""What makes room for a task, and its rank; None where it stands there already."""


@dataclass(slots=True)
class OldPlaces:
    """`orders`: state id → its tasks as they stood as of `seq`. `moved`: those that stood elsewhere.

    A task counts as settled while nobody has moved it since, or once it was brought back: the others of its state are
    placed between settled ones.
    """

    draft: ProjectState
    seq: int
    orders: Mapping[str, Sequence[str]]
    limits: ProjectLimits
    moved: Collection[str] | None = None
    # Tasks that were brought back.
    settled: set[str] = field(default_factory=set)
    # State id → task id → its index in the old order.
    _indexes: dict[str, dict[str, int]] = field(default_factory=dict)
    # State id → the indexes of those that may be settled, ascending: between them lie the many that wait.
    _candidates: dict[str, list[int]] = field(default_factory=dict)

    def back(self, task: TaskView, then: TaskView) -> OldPlace | Rejection:
        """Where the task has to go to stand as it stood then."""
        state_id = then["stateId"]
        before, after = self._neighbours(state_id, then["id"])
        low, high = self._rank(before), self._rank(after)
        self._settle(state_id, then["id"])
        if (
            task["stateId"] == state_id
            and (low is None or low < task["rank"])
            and (high is None or task["rank"] < high)
        ):
            return [], None
        fits = (low is None or low < then["rank"]) and (high is None or then["rank"] < high)
        if fits and self._is_free(state_id, then["rank"]):
            return [], then["rank"]
        return self._made(state_id, before, then["id"])

    def _made(self, state_id: str, before: str | None, task_id: str) -> OldPlace | Rejection:
        cards = self.draft.cards.get(state_id, [])
        spot = 0 if before is None else bisect_left(cards, (self.draft.tasks[before]["rank"], before)) + 1
        place = make_place(self.draft, state_id, spot, task_id, self.limits)
        if isinstance(place, Rejection):
            return place
        if not place.reranked:
            return [], place.rank
        was = {one: self.draft.tasks[one]["rank"] for one in place.reranked}
        return [TasksReranked(state_id=state_id, ranks=place.reranked, was=was)], place.rank

    def _neighbours(self, state_id: str, task_id: str) -> tuple[str | None, str | None]:
        """The nearest settled ones on both sides."""
        order = self.orders.get(state_id, ())
        index = self._index(state_id).get(task_id, len(order))
        known = self._candidates[state_id]
        down, up = range(bisect_left(known, index) - 1, -1, -1), range(bisect_right(known, index), len(known))
        before = next((order[known[one]] for one in down if self._is_settled(order[known[one]], state_id)), None)
        after = next((order[known[one]] for one in up if self._is_settled(order[known[one]], state_id)), None)
        return before, after

    def _settle(self, state_id: str, task_id: str) -> None:
        self.settled.add(task_id)
        index = self._index(state_id).get(task_id)
        known = self._candidates[state_id]
        if index is not None:
            place = bisect_left(known, index)
            if place == len(known) or known[place] != index:
                known.insert(place, index)

    def _index(self, state_id: str) -> dict[str, int]:
        if state_id not in self._indexes:
            order = self.orders.get(state_id, ())
            self._indexes[state_id] = {task_id: index for index, task_id in enumerate(order)}
            self._candidates[state_id] = [index for index, one in enumerate(order) if self._stays(one)]
        return self._indexes[state_id]

    def _is_settled(self, task_id: str, state_id: str) -> bool:
        return self.draft.tasks[task_id]["stateId"] == state_id and self._stays(task_id)

    def _stays(self, task_id: str) -> bool:
        """Whether nobody has moved it since, or it was brought back."""
        if task_id in self.settled or (self.moved is not None and task_id not in self.moved):
            return True
        last = self.draft.changes.get(f"task/{task_id}", {}).get("rank")
        return last is None or last.seq <= self.seq

    def _rank(self, task_id: str | None) -> Rank | None:
        return None if task_id is None else self.draft.tasks[task_id]["rank"]

    def _is_free(self, state_id: str, rank: Rank) -> bool:
        cards = self.draft.cards.get(state_id, [])
        index = bisect_left(cards, (rank, ""))
        return index == len(cards) or cards[index][0] != rank
