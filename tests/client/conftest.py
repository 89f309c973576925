"""Fixtures of the client's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pantherahive_client import Client
from tests.client.hive import QUICK, Hive, running_hive


@pytest.fixture
async def hive() -> AsyncIterator[Hive]:
    async with running_hive() as running:
        yield running


@pytest.fixture
async def client(hive: Hive) -> AsyncIterator[Client]:
    async with Client(hive.url, username="ada", password="correct horse", settings=QUICK) as connected:
        yield connected
