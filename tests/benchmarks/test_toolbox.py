"""What a run needs beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.toolbox import AnotherRun, only_run


def test_one_measures_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "build"
    for _ in range(2):
        with only_run(folder), pytest.raises(AnotherRun, match="wait for it"), only_run(folder):
            pytest.fail("two would measure each other")
