"""The order of the cards in each state: who stands beside whom, and which rank a place has.

Every task has its place, deleted ones too: what is restored finds it free.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from actors.project.gaps import rank_between, ranks_between
from actors.project.limits import ProjectLimits
from actors.project.moved_aside import MovedAside
from actors.project.permissions import broken, missing
from actors.project.state import Card, ProjectState
from protocol.errors import ErrorCode, Rejection
from protocol.ranks import RANK_LENGTH_MAX, Rank
from protocol.tasks import TaskView

_REACH_FIRST = 16
_GAIN_PART = 8
"""Where ranks do not become short, a re-rank has to save this part of a short one: it is not repeated at every move."""


@dataclass(frozen=True, slots=True)
class Place:
    """A rank that is free once the others have got theirs (task id → new rank)."""

    rank: str
    reranked: dict[str, str] = field(default_factory=dict)


def end_rank(state: ProjectState, state_id: str) -> str:
    """The rank behind all tasks of a state."""
    cards = state.cards.get(state_id)
    rank = rank_between(cards[-1][0] if cards else None, None)
    if rank is None:
        raise ValueError("beside an end there is always room")
    return rank


def find_spot(
    state: ProjectState, task: TaskView, state_id: str, after: str | None, before: str | None
) -> int | Rejection | None:
    """The index in the state's order before which the task is to be put; None when it stands there already."""
    for neighbour in (after, before):
        refused = _refuse_neighbour(state, task, state_id, neighbour)
        if refused is not None:
            return refused
    cards = state.cards.get(state_id, [])
    spot = len(cards)
    if after is not None:
        spot = _index_of(state, after) + 1
        if before is not None and _index_of(state, before) < spot:
            return _neighbours_moved(before)
    elif before is not None:
        spot = _index_of(state, before)
    stands_there = any(card[1] == task["id"] for card in cards[max(spot - 1, 0) : spot + 1])
    return None if stands_there else spot


def _refuse_neighbour(state: ProjectState, task: TaskView, state_id: str, neighbour: str | None) -> Rejection | None:
    if neighbour is None:
        return None
    found = state.tasks.get(neighbour)
    if found is None or found["deletedAt"] is not None:
        return missing("task")
    if neighbour == task["id"]:
        return Rejection(ErrorCode.INVALID, "a task is not its own neighbour", {"reason": "own_neighbour"})
    return _neighbours_moved(neighbour) if found["stateId"] != state_id else None


def _neighbours_moved(task_id: str) -> Rejection:
    details = {"reason": "neighbours_moved", "taskId": task_id}
    return Rejection(ErrorCode.CONFLICT, "a neighbour stands elsewhere by now", details)


def _index_of(state: ProjectState, task_id: str) -> int:
    task = state.tasks[task_id]
    return bisect_left(state.cards[task["stateId"]], (task["rank"], task_id))


def make_place(state: ProjectState, state_id: str, spot: int, task_id: str, limits: ProjectLimits) -> Place | Rejection:
    """A free rank before the card at `spot`. Where no short one is left, neighbours get new ranks too."""
    left, right = _neighbours(state, state_id, spot, task_id, 1)
    rank = rank_between(left[-1][0] if left else None, right[0][0] if right else None)
    if rank is not None and len(rank) <= limits.rank_short_characters_max:
        return Place(rank)
    better = _stretch(*_neighbours(state, state_id, spot, task_id, limits.reranked_tasks_max // 2 + 1), limits)
    gain_min = max(limits.rank_short_characters_max // _GAIN_PART, 1)
    if better is not None and (rank is None or len(better.rank) + gain_min <= len(rank)):
        return better
    if rank is not None and len(rank) <= RANK_LENGTH_MAX:
        return Place(rank)
    return broken("no_rank_left", f"no rank is left here, nor any among {limits.reranked_tasks_max} neighbours")


def spot_of(state: ProjectState, state_id: str, rank: Rank, task_id: str, aside: MovedAside) -> tuple[int, bool]:
    """The index before which a task has to be put to stand where it stood with an old rank; True: that rank is free.

    It is behind all that stood before it, `aside` or not.
    """
    cards = state.cards.get(state_id, [])
    spot = bisect_left(cards, (rank, ""))
    while spot > 0 and not aside.stood_before(state_id, cards[spot - 1], rank):
        spot -= 1
    last = aside.last_before(state_id, rank)
    if last is not None:
        spot = max(spot, bisect_left(cards, last) + 1)
    left, right = _neighbours(state, state_id, spot, task_id, 1)
    is_free = (not left or left[-1][0] < rank) and (not right or rank < right[0][0])
    return spot, is_free


def _neighbours(
    state: ProjectState, state_id: str, spot: int, task_id: str, count: int
) -> tuple[list[Card], list[Card]]:
    """So many other cards before the spot and behind it at least, where the state has them."""
    cards = state.cards.get(state_id, [])
    left = [card for card in cards[max(spot - count - 1, 0) : spot] if card[1] != task_id]
    right = [card for card in cards[spot : spot + count + 1] if card[1] != task_id]
    return left, right


def _stretch(left: Sequence[Card], right: Sequence[Card], limits: ProjectLimits) -> Place | None:
    """The fewest neighbours among whom short ranks can be spread, else those with the shortest ones that can be had."""
    best: tuple[int, Place] | None = None
    for reach in _reaches(limits.reranked_tasks_max // 2):
        spread = _spread(left, right, reach)
        if spread is not None and spread[0] <= limits.rank_short_characters_max // 2:
            return spread[1]
        if spread is not None and spread[0] <= RANK_LENGTH_MAX and (best is None or spread[0] < best[0]):
            best = spread
    return best[1] if best is not None else None


def _reaches(largest: int) -> Iterator[int]:
    reach = _REACH_FIRST
    while reach < largest:
        yield reach
        reach *= 2
    yield largest


def _spread(left: Sequence[Card], right: Sequence[Card], reach: int) -> tuple[int, Place] | None:
    """New ranks for `reach` cards on either side and for the place between them, and how long the longest is."""
    before, after = left[max(len(left) - reach, 0) :], right[:reach]
    low = left[-reach - 1][0] if len(left) > reach else None
    high = right[reach][0] if len(right) > reach else None
    ranks = ranks_between(low, high, len(before) + 1 + len(after))
    if ranks is None:
        return None
    own = ranks.pop(len(before))
    reranked = {card[1]: rank for card, rank in zip([*before, *after], ranks, strict=True) if rank != card[0]}
    return max(map(len, [own, *reranked.values()])), Place(own, reranked)
