"""The application is killed under load: a short run of what `tests.chaos.kill_application` does at length."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.kill_application import Plan, run
from tests.chaos.load import Size


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("chaos")
async def test_nothing_acknowledged_is_lost_or_doubled_when_the_application_is_killed(tmp_path: Path) -> None:
    result = await run(Plan(kills=6, size=Size(clients=12, projects=5), seed=7), tmp_path)
    print("\n".join(result.lines()))
    assert result.violations == []
    assert result.behind == []
    assert len(result.kills) == 6
    assert 2 * result.in_flight >= len(result.kills), "the kills did not fall where they hurt"
