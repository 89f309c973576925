"""An empty, migrated database, open."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage.postgres.pool import Database


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn, "tests", unsafe_durability=True)
    yield opened
    await opened.close()
