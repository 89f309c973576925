"""A fuzzer goes through all operations by the published document, and finds no 5xx and nothing that is not published.

The long run is by hand: `python -m tests.acceptance.fuzz --minutes 10`.
"""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from tests.acceptance.fuzz.run import UNLIMITED, fuzz
from tests.server.composed import composed_server

CASES = 450
SECONDS_MAX = 120
PHASES = ("examples", "stateful")
"""The long run has all of them."""


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
async def test_a_fuzzer_finds_nothing(database_dsn: str, tmp_path: Path) -> None:
    async with composed_server(database_dsn, tmp_path, **UNLIMITED) as server:
        figures = await asyncio.to_thread(fuzz, server.url, server.admin_token, SECONDS_MAX, 20, PHASES, CASES)
    gc.collect()  # schemathesis leaves connections open: they end here, where a warning is none
    assert figures.failures == {}
    assert figures.errors == []
    assert figures.share(500, 599) == 0
    # It came further than the doors: most operations did what they are there for, and few requests met a closed one.
    assert figures.share(401, 401) < 0.1, figures.lines()
    assert len(figures.without_success) < len(figures.answers) / 10, figures.without_success
