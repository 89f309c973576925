"""The order of tasks: shortest ways, counted reasons, and speed where a project is large."""

from __future__ import annotations

import itertools
import time
from random import Random
from typing import Any

import pytest

from actors.project.order import Order


class Counted(dict[str, dict[str, int]]):
    """Says how often a task's neighbours were looked at."""

    count = 0

    def get(self, key: str, default: Any = None) -> Any:
        self.count += 1
        return super().get(key, default)


def order_of(*pairs: tuple[str, str]) -> Order:
    order = Order()
    for first, then in pairs:
        order.put(first, then)
    return order


def test_a_way_is_found_and_it_is_a_shortest_one() -> None:
    order = order_of(("a", "b"), ("b", "c"), ("c", "d"), ("a", "x"), ("x", "d"))
    assert order.path("a", "d") == ["a", "x", "d"]
    assert order.path("b", "d") == ["b", "c", "d"]
    assert order.path("a", "a") == ["a"]
    assert order.path("d", "a") == order.path("b", "x") == order.path("nobody", "a") == []


def test_a_pair_stays_until_its_last_reason_is_gone() -> None:
    order = order_of(("a", "b"), ("a", "b"))
    order.drop("a", "b")
    assert order.path("a", "b") == ["a", "b"]
    order.drop("a", "b")
    assert order == Order()
    with pytest.raises(KeyError):
        order.drop("a", "b")


@pytest.mark.parametrize("seed", range(20))
def test_random_orders_have_the_ways_that_a_plain_search_finds(seed: int) -> None:
    chance = Random(seed)
    order, after = Order(), {n: set[str]() for n in map(str, range(12))}
    for _ in range(18):
        first, then = chance.sample(sorted(after), 2)
        order.put(first, then)
        after[first].add(then)
    for start in after:
        steps = {start: 0}
        line = [start]
        for task in line:
            for other in after[task] - steps.keys():
                steps[other] = steps[task] + 1
                line.append(other)
        for end in after:
            path = order.path(start, end)
            assert len(path) == (steps[end] + 1 if end in steps else 0)
            assert all(then in after[first] for first, then in itertools.pairwise(path))


def test_ten_thousand_tasks_are_searched_in_no_time() -> None:
    tasks = [f"{number:05d}" for number in range(10_000)]
    chance = Random(1)
    order = order_of(*itertools.pairwise(tasks))
    for _ in range(40_000):
        first, then = sorted(chance.sample(tasks, 2))
        order.put(first, then)
    chain = order_of(*itertools.pairwise(tasks))
    began_s = time.process_time()
    assert order.path(tasks[-1], tasks[0]) == []
    assert len(chain.path(tasks[0], tasks[-1])) == 10_000
    assert order.path(tasks[0], tasks[-1])
    assert time.process_time() - began_s < 0.5


def test_a_short_side_ends_the_search_however_long_the_other_one_is() -> None:
    tasks = [f"{number:05d}" for number in range(10_000)]
    order = order_of(*itertools.pairwise(tasks))
    order.put("x", "y")
    looks = Counted(order.after)
    order.after = looks
    assert order.path(tasks[0], "y") == []
    assert looks.count < 100


@pytest.mark.parametrize("seed", range(10))
def test_a_draft_goes_its_own_way(seed: int) -> None:
    random, names = Random(seed), [f"t{number}" for number in range(6)]
    pairs = [(one, other) for one, other in itertools.combinations(names, 2) if random.random() < 0.5]
    order = order_of(*pairs, *pairs)
    draft, expected = order.draft(), order_of(*pairs, *pairs)
    for first, then in random.sample(pairs, len(pairs) // 2):
        draft.drop(first, then)
        draft.put(first, names[-1])
        expected.drop(first, then)
        expected.put(first, names[-1])
    assert (draft, order) == (expected, order_of(*pairs, *pairs))


def test_pairs_that_were_foreseen_need_no_search() -> None:
    """Two long chains, and many pairs from the end of one to the begin of the other."""
    ones, others = ([f"{name}{number:04d}" for number in range(2_000)] for name in "ab")
    order = order_of(*itertools.pairwise(ones), *itertools.pairwise(others))
    coming = list(zip(reversed(ones[-100:]), others[:100], strict=True))
    order.foresee(coming)
    looks = Counted(order.after)
    order.after = looks
    for first, then in coming:
        assert order.path(then, first) == []
        order.put(first, then)
    assert looks.count < 1_000
    assert len(order.path(ones[-1], others[5])) == 7


@pytest.mark.parametrize("seed", range(20))
def test_what_was_foreseen_never_changes_an_answer(seed: int) -> None:
    """Whether the pairs come, or others instead of them, and whether or not they would close a cycle."""
    chance = Random(seed)
    names = [str(number) for number in range(12)]
    order, plain = Order(), Order()
    for _ in range(60):
        coming = [(one, other) for one, other in (chance.sample(names, 2) for _ in range(4)) if one != other]
        order.foresee(coming)
        first, then = chance.choice([*coming, chance.sample(names, 2)])
        assert len(order.path(then, first)) == len(plain.path(then, first))
        if not plain.path(then, first):
            order.put(first, then)
            plain.put(first, then)
        assert all(
            len(order.path(one, other)) == len(plain.path(one, other))
            for one, other in itertools.permutations(names, 2)
        )
    assert order == plain
