"""Application and Postgres are killed in the middle of an import, while three followers watch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.kill_everything import Plan, Run
from tests.chaos.synthetic import write_archive


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("chaos")
async def test_an_import_survives_the_death_of_everything(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "archive.json", issues=90, comments_each=3)
    result = await Run(Plan(archive, kills=3, seed=3, in_flight=8), tmp_path).run()
    print("\n".join(result.lines()))
    assert result.violations == []
    assert result.wrong == []
    assert len(result.ready_after_s) == 3
