"""What comes before what, read from the records alone, and whether it goes round in a circle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from protocol.links import LinkView
from protocol.tasks import TaskView

Pair = tuple[str, str]
"""(what has to be finished first, what after it)."""


def pairs_of(tasks: Iterable[TaskView], links: Iterable[LinkView]) -> set[Pair]:
    """All pairs: subtask and parent, blocker and blocked, predecessor and successor. Tombstones count."""
    under = {(task["id"], task["parentId"]) for task in tasks if task["parentId"] is not None}
    return under | {(link["taskId"], link["otherId"]) for link in links if link["type"] in ("blocks", "precedes")}


def assert_no_cycle(pairs: set[Pair]) -> None:
    """Takes away what nothing comes before, again and again: nothing may be left."""
    waiting: dict[str, int] = defaultdict(int)
    after: dict[str, list[str]] = defaultdict(list)
    for first, then in pairs:
        waiting[then] += 1
        after[first].append(then)
    free = [task for task in after if waiting[task] == 0]
    taken = 0
    while free:
        for then in after[free.pop()]:
            taken += 1
            waiting[then] -= 1
            if waiting[then] == 0:
                free.append(then)
    assert taken == len(pairs), f"{len(pairs) - taken} pairs lie on cycles or behind them"
