"""Cards that are moved again and again: no ties, short ranks at random places, bounded re-ranks in one gap."""

from __future__ import annotations

from actors.project.limits import ProjectLimits
from tests.laws.ordering import Board, at_random, into_one_gap


def test_random_places_keep_ranks_short_and_never_tie() -> None:
    tally = at_random(Board(100), 3000)
    assert tally.moved > 2000
    assert tally.neighbours_moved > 0, "no client was ever behind"
    assert tally.longest_rank <= ProjectLimits().rank_short_characters_max


def test_one_gap_takes_as_many_cards_as_come() -> None:
    tally = into_one_gap(Board(400), 3000)
    assert tally.moved == tally.moves
    assert tally.reranks > 0
    assert tally.longest_rank <= ProjectLimits().rank_short_characters_max
    assert tally.largest_rerank <= ProjectLimits().reranked_tasks_max


def test_a_stretch_that_is_too_small_for_short_ranks_makes_them_as_short_as_it_can() -> None:
    limits = ProjectLimits(rank_short_characters_max=8, reranked_tasks_max=16)
    tally = into_one_gap(Board(400, limits), 2000)
    assert tally.moved == tally.moves
    assert tally.largest_rerank <= 16
    assert tally.reranks < tally.moves / 2, "a re-rank at every move"
