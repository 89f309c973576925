"""A server for the importer's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.client.hive import Hive, running_hive


@pytest.fixture
async def hive() -> AsyncIterator[Hive]:
    async with running_hive() as running:
        yield running
