"""Ranks between ranks: strictly inside, short where places are random, and none where there is no room."""

from __future__ import annotations

from bisect import bisect_left
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from actors.project.gaps import rank_between, ranks_between
from protocol.ranks import Rank, rank_of_number

RANK: TypeAdapter[str] = TypeAdapter(Rank)


def ranks_by_chance(seed: int, count: int) -> list[str]:
    """As many ranks as that, each put into a random gap of those before."""
    chance = Random(seed)
    ranks: list[str] = []
    for _ in range(count):
        at = chance.randint(0, len(ranks))
        low, high = ranks[at - 1] if at else None, ranks[at] if at < len(ranks) else None
        made = rank_between(low, high)
        assert made is not None
        assert bisect_left(ranks, made) == at, "it lies elsewhere"
        assert made not in ranks[at : at + 1]
        ranks.insert(at, RANK.validate_python(made))
    return ranks


@given(st.integers(0, 10_000), st.integers(1, 200))
def test_every_gap_takes_a_rank_that_lies_in_it(seed: int, count: int) -> None:
    ranks = ranks_by_chance(seed, count)
    assert ranks == sorted(set(ranks))


def test_random_places_keep_ranks_short() -> None:
    assert max(map(len, ranks_by_chance(1, 20_000))) <= 10


@given(st.integers(0, 10_000), st.integers(0, 50), st.data())
def test_many_ranks_fit_between_two(seed: int, count: int, data: st.DataObject) -> None:
    ranks: list[str | None] = [None, *ranks_by_chance(seed, 20), None]
    at = data.draw(st.integers(0, len(ranks) - 2))
    low, high = ranks[at], ranks[at + 1]
    made = ranks_between(low, high, count)
    assert made is not None
    assert len(made) == count
    everything = [rank for rank in (low, *made, high) if rank is not None]
    assert everything == sorted(set(everything))


def test_a_spread_is_hardly_longer_than_its_ends() -> None:
    made = ranks_between("a1", "a2", 1000)
    assert made is not None
    assert max(map(len, made)) <= 6


def test_ends_are_counted() -> None:
    assert rank_between(None, None) == "a1"
    assert rank_between("az", None) == "b00"
    assert rank_between("a1", None) == "a2"
    assert rank_between(None, "a0") == "Zz"
    assert rank_between(None, "Z0") == "Yzz"
    assert rank_between(None, "a0V") == "a0"
    assert rank_between("a1", "a9") == "a5"
    assert rank_between("a1", "a2") == "a1V"
    assert rank_between("a1z", "a2V") == "a2"


@given(st.integers(1, 2**53))
def test_ranks_of_numbers_are_ranks_like_others(number: int) -> None:
    behind = rank_between(rank_of_number(number), None)
    assert behind is not None
    assert rank_of_number(number) < behind <= rank_of_number(number + 1) or behind[0] < rank_of_number(number + 1)[0]


def test_where_nothing_lies_between_nothing_is_made() -> None:
    assert rank_between("a1", "a1") is None
    assert rank_between("a2", "a1") is None
    assert ranks_between("a1", "a1", 3) is None
    assert ranks_between("a1", "a1", 0) == []


@pytest.mark.parametrize("text", ["", "0", "b1", "a1V0", "-", "9zz"])
def test_other_texts_are_no_ranks(text: str) -> None:
    with pytest.raises(ValueError, match="not a rank"):
        rank_between(text, None)


def test_numbers_end_where_counting_never_comes() -> None:
    with pytest.raises(ValueError, match="too large"):
        rank_between("z" * 27, None)
