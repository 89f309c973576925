"""A gateway for every test that asks for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
import uvloop

from tests.server.gateway.hive import Hive, a_hive
from tests.server.gateway.sleepers import Scenario


@pytest_asyncio.fixture
async def hive() -> AsyncIterator[Hive]:
    """With long pings."""
    async with a_hive() as running:
        yield running


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    """Runs a scenario on its own loop."""

    def run_it(scenario: Scenario) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(scenario())  # type: ignore[arg-type]

    return run_it
