"""Every test of this folder runs on both kinds of storage."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.storages import Storage, memory_storage, postgres_storage
from tests.postgres import fresh_database


@pytest.fixture(params=["memory", "postgres"])
async def storage(
    request: pytest.FixtureRequest, postgres_dsn_root: str, migrated_template: str
) -> AsyncIterator[Storage]:
    """Empty storage."""
    if request.param == "memory":
        yield memory_storage()
        return
    async with (
        fresh_database(postgres_dsn_root, template=migrated_template) as dsn,
        postgres_storage(dsn) as opened,
    ):
        yield opened
