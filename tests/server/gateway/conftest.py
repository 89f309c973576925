"""A gateway for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.server.gateway.hive import Hive, a_hive


@pytest_asyncio.fixture
async def hive() -> AsyncIterator[Hive]:
    """With long pings."""
    async with a_hive() as running:
        yield running
