"""What is used of asyncpg's private names does what its public ones do."""

from __future__ import annotations

import asyncpg
import pytest

from storage.postgres.driver import quicken_arrays, run_prepared
from tests.storage.postgres.sessions import raw


async def test_the_short_way_to_the_driver_gives_what_the_public_one_gives(database_dsn: str) -> None:
    async with raw(database_dsn) as connection:
        rows = await connection.prepare("SELECT n, 1 / n AS part FROM unnest($1::int[]) n")
        assert await run_prepared(connection, rows, ([1, 2],), 5) == (await rows.fetch([1, 2]), b"SELECT 2")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await run_prepared(connection, rows, ([0],), 5)
        with pytest.raises(TimeoutError):
            await run_prepared(connection, await connection.prepare("SELECT pg_sleep(60)"), (), 0.05)
        assert await run_prepared(connection, rows, ([4],), 5) == (await rows.fetch([4]), b"SELECT 1")
        await connection.close()
        with pytest.raises(asyncpg.InterfaceError, match="clos"):
            await run_prepared(connection, rows, ([1],), 5)


async def test_arrays_are_encoded_as_the_driver_would(database_dsn: str) -> None:
    quicken_arrays()
    columns = "$1::int[], $2::bigint[], $3::text[], $4::uuid[], $5::bytea[], $6::float8[]"
    rows = [
        (1, 2**40, 'text, {with} "marks"', "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000", b"\0bytes", 0.5),
        (-1, -1, "", "00000000-0000-0000-0000-000000000000", b"", -0.0),
        (None,) * 6,
    ]
    async with raw(database_dsn) as connection:
        columnwise = list(zip(*rows, strict=True))
        for sent in (columnwise, [list(column) for column in columnwise], [()] * 6):
            found = await connection.fetch(f"SELECT * FROM unnest({columns})", *sent)
            expected = [tuple(map(str, row)) for row in zip(*sent, strict=True)]
            assert [tuple(map(str, row)) for row in found] == expected


async def test_only_lists_and_tuples_are_arrays(database_dsn: str) -> None:
    quicken_arrays()
    async with raw(database_dsn) as connection:
        for other in ({1, 2}, {1: 2}, range(2), "12"):
            with pytest.raises(asyncpg.DataError, match="sized iterable container"):
                await connection.fetch("SELECT $1::int[]", other)
