"""The databases that tests are given."""

import asyncpg
import pytest

from tests.postgres import execute, fresh_database, make_template, postgres_dsn_root

__all__ = ["postgres_dsn_root"]


async def test_each_is_a_copy_of_its_own_and_is_dropped(postgres_dsn_root: str) -> None:
    await execute(await make_template(postgres_dsn_root, "filled"), "CREATE TABLE kept AS SELECT 7 AS n")
    async with (
        fresh_database(postgres_dsn_root, "filled") as one,
        fresh_database(postgres_dsn_root, "filled") as other,
    ):
        await execute(one, "UPDATE kept SET n = 8")
        connection = await asyncpg.connect(other)
        assert await connection.fetchval("SELECT n FROM kept") == 7
        await connection.close()
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(one)


async def test_a_template_of_an_odd_name_is_refused(postgres_dsn_root: str) -> None:
    with pytest.raises(ValueError, match="no simple database name"):
        async with fresh_database(postgres_dsn_root, "a; DROP DATABASE b"):
            pass
