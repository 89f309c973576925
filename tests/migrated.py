"""Databases that have the product's tables: one is migrated per test process, the others are copies of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from storage.postgres.migrations import migrate
from tests.postgres import fresh_database, make_template

TEMPLATE = "migrated"


@pytest.fixture(scope="session")
def migrated_template(postgres_dsn_root: str) -> str:
    """The name of a database with all migrations, to be copied."""

    async def make() -> None:
        await migrate(await make_template(postgres_dsn_root, TEMPLATE))

    asyncio.run(make())
    return TEMPLATE


@pytest.fixture
async def database_dsn(postgres_dsn_root: str, migrated_template: str) -> AsyncIterator[str]:
    """A migrated database of the test's own."""
    async with fresh_database(postgres_dsn_root, template=migrated_template) as dsn:
        yield dsn
