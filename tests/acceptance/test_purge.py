"""A purged project is gone: from the API, and from every table of the database."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from storage.embedded import running_dsn
from tests.acceptance.product import Product, User, running_product

MARK = "zanzibar"
"""Stands in everything that the project holds, and nowhere else."""


async def a_deleted_project(product: Product, ada: User) -> str:
    path = f"/v1/projects/{(await product.create_project(ada, MARK))['id']}"
    answer = await product.ask("POST", f"{path}/tasks", ada, {"title": MARK, "labels": [MARK]})
    assert answer.status == 201, answer
    task = f"{path}/tasks/{answer.body['id']}"
    assert (await product.ask("POST", f"{task}/comments", ada, {"body": MARK})).status == 201
    invited = {"email": f"eve@{MARK}.org", "token": "t" * 43, "role": "viewer"}
    assert (await product.ask("POST", f"{path}/commands", ada, {"type": "InviteMember", "data": invited})).status == 200
    assert (await product.ask("DELETE", path, ada)).status == 200
    return path


async def test_a_purged_project_leaves_nothing(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data", erasure_interval_s=0.1) as product:
        ada = await product.register("ada")
        path = await a_deleted_project(product, ada)
        assert (await product.ask("POST", f"{path}/restore", ada)).status == 200
        refused = await product.ask("POST", f"{path}/purge", ada)
        assert (refused.status, refused.body["details"]["reason"]) == (422, "project_not_deleted")
        assert (await product.ask("DELETE", path, ada)).status == 200
        dsn = running_dsn(product.data_dir)
        assert dsn is not None
        connection = await asyncpg.connect(dsn)
        try:
            assert {"entries", "invitation_secrets"} <= set(await tables_with(connection, MARK))
            assert (await product.ask("POST", f"{path}/purge", ada)).status == 204
            for asked in (path, f"{path}?deleted=true", f"{path}/events", f"{path}?asOf=2"):
                assert (await product.ask("GET", asked, ada)).status == 404
            first = f"project/{path.rpartition('/')[2]}"
            erased = "SELECT digest = '' FROM entries WHERE stream = $1 AND seq = 1"
            while not await connection.fetchval(erased, first):
                assert product.process.poll() is None
            assert await tables_with(connection, MARK) == []
        finally:
            await connection.close()


async def tables_with(connection: asyncpg.Connection[asyncpg.Record], text: str) -> list[str]:
    """The tables in which it stands, in any column, in upper or lower case."""
    found = []
    for record in await connection.fetch("SELECT relname FROM pg_stat_user_tables ORDER BY relname"):
        table = record["relname"]
        rows = await connection.fetch(f"SELECT t::text AS row FROM {table} t")
        hexed = text.encode().hex()
        if any(text in row["row"].lower() or hexed in row["row"].lower() for row in rows):
            found.append(table)
    return found
