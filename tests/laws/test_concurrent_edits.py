"""People who edit the same tasks at once: fields and sets merge, and the same field is refused with both values."""

from __future__ import annotations

import pytest

from tests.laws.concurrent_edits import live


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_and_nothing_is_overwritten(seed: int) -> None:
    seen = live(400, seed)
    assert min(seen["merged"], seen["refused"]) > 20, seen
