"""Ranks of numbers grow with the numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.ranks import rank_of_number


@given(st.integers(1, 2**53), st.integers(1, 2**53))
def test_ranks_of_numbers_are_ordered_as_the_numbers(one: int, other: int) -> None:
    assert (rank_of_number(one) < rank_of_number(other)) == (one < other)


def test_there_is_no_rank_below_the_first_number() -> None:
    with pytest.raises(ValueError, match="1"):
        rank_of_number(0)
