"""Two processes on one database, under load: never both at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.exits import Exit
from tests.chaos.load import Size
from tests.chaos.takeover import Plan, run
from tests.postgres import fresh_database


@pytest.fixture
async def database_url(postgres_dsn_root: str) -> AsyncIterator[str]:
    """An empty database of its own."""
    async with fresh_database(postgres_dsn_root) as dsn:
        yield dsn


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("chaos")
async def test_a_frozen_process_never_writes_after_the_takeover(tmp_path: Path, database_url: str) -> None:
    result = await run(Plan(trials=2, size=Size(clients=8, projects=4), seed=5), tmp_path, database_url)
    print("\n".join(result.lines()))
    assert result.violations == []
    assert result.behind == []
    assert result.late_entries == []
    assert [trial.exit_code for trial in result.trials] == [Exit.SESSION_LOST] * 2
    assert result.refused_with == Exit.ANOTHER_NODE
