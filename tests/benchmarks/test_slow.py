"""What a series of looks says of slow followers."""

from __future__ import annotations

from benchmarks.slow import Crowded
from benchmarks.watch import Look, settled_after_s, settled_by

MIB = 1 << 20


def looks(*seen: tuple[float, int, int]) -> list[Look]:
    """(time, connections, promised); commands come from the second look on."""
    return [
        Look(at_s, 0, connections, commands=number, promised=promised)
        for number, (at_s, connections, promised) in enumerate(seen)
    ]


def test_slow_ones_are_settled_by_promises_and_those_let_go_beyond_the_never_readers() -> None:
    seen = looks((100, 10, 7), (101, 10, 7), (102, 8, 7), (103, 8, 8), (104, 7, 8))
    assert [settled_by(seen, look, never=2) for look in seen] == [0, 0, 0, 1, 2]
    assert settled_after_s(seen, never=2, slow=1) == 2
    assert settled_after_s(seen, never=2, slow=2) == 3
    assert settled_after_s(seen, never=2, slow=3) is None


def test_their_time_begins_when_their_limit_is_passed() -> None:
    said = {"bytes_in": 10 * 1_050_000, "seconds": 1.0, "unread_max": 750_000 - MIB // 4}
    seen = looks((0, 12, 0), (1, 12, 0), (7, 12, 0), (8, 11, 1))
    run = Crowded(said, seen, healthy=10, never=1, slow=1)
    assert (run.settled, run.settled_s) == (1, 7 - (750_000 + MIB) / 1_000_000)


def test_one_that_is_left_alone_is_said_to_be() -> None:
    said = {"bytes_in": 10 * 1_050_000, "seconds": 1.0, "unread_max": 0}
    run = Crowded(said, looks((0, 12, 0), (1, 12, 0), (9, 11, 1)), healthy=9, never=1, slow=2)
    assert (run.settled, run.settled_s) == (1, None)
