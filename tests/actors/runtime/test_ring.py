"""The ring: the newest entries without a gap, for everybody, within its limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.ring import Ring
from protocol.cursors import Cursor
from tests.actors.runtime.publications import publication, seqs


def a_ring(first: int, last: int, entries_max: int = 100, bytes_max: int = 1 << 20) -> Ring:
    """A ring that began before `first` and has come to `last`."""
    ring = Ring(Cursor(first - 1, 1), entries_max, bytes_max)
    for seq in range(first, last + 1):
        assert ring.append(publication(seq))
    return ring


def test_entries_come_in_order_after_any_place_that_it_holds() -> None:
    ring = a_ring(6, 9)
    assert seqs(ring.after(5, 100)) == [6, 7, 8, 9]
    assert seqs(ring.after(7, 100)) == [8, 9]
    assert seqs(ring.after(5, 2)) == [6, 7]
    assert seqs(ring.after(8, 1)) == [9]


def test_at_the_head_there_is_nothing_and_before_the_ring_there_is_no_answer() -> None:
    ring = a_ring(6, 9)
    assert ring.after(9, 100) == []
    assert ring.after(10, 100) == []
    assert ring.after(4, 100) is None
    assert Ring(Cursor(5, 1), 10, 10).after(4, 10) is None
    assert Ring(Cursor(5, 1), 10, 10).after(5, 10) == []


def test_an_entry_behind_the_head_is_not_taken_twice() -> None:
    ring = a_ring(1, 3)
    assert [ring.append(publication(seq)) for seq in (2, 3, 4)] == [False, False, True]
    assert seqs(ring.after(0, 100)) == [1, 2, 3, 4]


def test_a_gap_makes_it_forget_what_was_before() -> None:
    ring = a_ring(1, 3)
    ring.append(publication(7, epoch=4))
    assert ring.head == Cursor(7, 4)
    assert ring.after(3, 100) is None
    assert seqs(ring.after(6, 100)) == [7]


def test_it_says_how_much_the_entries_after_a_place_take() -> None:
    ring = Ring(Cursor(0, 1), 100, 1 << 20)
    sizes = [100, 200, 300, 600]
    for seq, size in enumerate(sizes, 1):
        ring.append(publication(seq, size=size))
    assert [ring.payload_bytes_after(seq) for seq in (0, 2, 3, 4, 5)] == [1200, 900, 600, 0, 0]


def test_of_entries_that_it_has_not_it_says_about_how_much_they_take() -> None:
    ring = Ring(Cursor(10, 1), 100, 1 << 20)
    assert ring.payload_bytes_after(8) > 0
    for seq in (11, 12):
        ring.append(publication(seq, size=500))
    assert ring.payload_bytes_after(0) == 12 * 500


def test_the_number_of_entries_is_bounded() -> None:
    ring = a_ring(1, 10, entries_max=4)
    assert (len(ring), seqs(ring.after(6, 100)), ring.after(5, 100)) == (4, [7, 8, 9, 10], None)


def test_the_bytes_are_bounded_but_the_newest_entry_stays() -> None:
    ring = Ring(Cursor(0, 0), 100, 3_000)
    for seq in range(1, 6):
        ring.append(publication(seq, size=200))
    assert len(ring) == 2
    ring.append(publication(6, size=10_000))
    assert seqs(ring.after(5, 100)) == [6]


@given(
    appended=st.lists(st.integers(1, 12), max_size=20),
    entries_max=st.integers(1, 5),
    after=st.integers(0, 13),
    limit=st.integers(1, 6),
)
def test_whatever_is_answered_is_the_dense_run_after_the_place(
    appended: list[int], entries_max: int, after: int, limit: int
) -> None:
    ring = Ring(Cursor(0, 0), entries_max, 1 << 20)
    for seq in appended:
        ring.append(publication(seq))
    found = seqs(ring.after(after, limit))
    if found is None:
        assert after < ring.head.seq
    else:
        assert found == list(range(after + 1, min(after + limit, ring.head.seq) + 1))
    assert len(ring) <= entries_max
