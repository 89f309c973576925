"""One damaged entry takes its own shard out of service, and the server says which, to everybody who asks."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path

import aiohttp
import asyncpg

from protocol.log import shard_of
from storage.embedded import running_dsn
from tests.acceptance.product import CHECKOUT, Product, running_product

WITHIN_S = 10.0


async def damaged(product: Product, stream: str) -> None:
    """The stream's last entry becomes unreadable, and the projector has not passed it. The process is killed."""
    dsn = running_dsn(product.data_dir)
    assert dsn is not None
    connection = await asyncpg.connect(dsn)
    try:
        product.pause()
        pos = await connection.fetchval(
            r"UPDATE entries e SET payload = '\xc1' WHERE stream = $1"
            " AND seq = (SELECT max(seq) FROM entries WHERE stream = $1) RETURNING pos",
            stream,
        )
        await connection.execute(
            "UPDATE consumers SET pos = $1 WHERE name = 'projector' AND shard_id = $2", pos - 1, shard_of(stream)
        )
    finally:
        await connection.close()
    product.kill()


async def doctor(product: Product) -> tuple[int, str]:
    """What `pantherahive doctor` says, and its exit code."""
    asked = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "doctor", "--data-dir", str(product.data_dir)),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(asked.communicate(), 60)
    assert asked.returncode is not None
    return asked.returncode, said.decode()


async def gauge(product: Product, name: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(product.url + "/metrics") as response:
        found = re.search(rf"^pantherahive_{name} (\S+)$", await response.text(), re.MULTILINE)
    assert found is not None
    return float(found[1])


async def test_a_damaged_entry_takes_its_own_project_out_of_the_lists_and_no_other(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data") as product:
        ada = await product.register("ada")
        lost = await product.create_project(ada, "Lost")
        kept = await product.create_project(ada, "Kept")
        while shard_of(f"project/{kept['id']}") == shard_of(f"project/{lost['id']}"):
            kept = await product.create_project(ada, "Kept")
        assert len((await product.ask("GET", "/v1/projects", ada)).body) >= 2
        stream = f"project/{lost['id']}"
        await damaged(product, stream)
    async with running_product(tmp_path / "data") as product:
        deadline_s = time.monotonic() + WITHIN_S
        while (answer := await product.ask("GET", "/v1/projects", ada)).status == 503:
            assert time.monotonic() < deadline_s, product.log[-3000:]
        assert (answer.status, answer.headers["Derived-State"]) == (200, "incomplete")
        assert kept["id"] in [one["id"] for one in answer.body]
        assert lost["id"] not in [one["id"] for one in answer.body]
        assert (await product.ask("GET", "/v1/tasks", ada)).status == 200
        ready = await product.ask("GET", "/readyz")
        standing = [{"shard": shard_of(stream), "stream": stream, "seq": 1}]
        assert (ready.status, ready.body["ready"]) == (200, True)
        assert ready.body["stalledShards"]["projector"] == standing
        assert await gauge(product, "projector_lag_entries") == 1
        assert await gauge(product, "projector_lag_seconds") > 0
        assert await gauge(product, "projector_stalled_shards") == 1
        assert (await product.ask("GET", f"/v1/projects/{lost['id']}", ada)).status == 404, "its first entry is lost"
        code, said = await doctor(product)
        assert code == 1
        named = rf"it stands before {stream}, entry 1 \(shard {shard_of(stream)}\), and lists leave out"
        assert re.search(rf"BAD +consumer projector +1 entries behind\n +→ {named}", said), said
        assert re.search(rf"BAD +log: entries .*tried, 1 cannot be read\n +→ {stream}, entry 1 ", said), said
        assert re.search(rf"BAD +halted streams +1: {stream}\n", said), said
        assert f"server               {product.url} is ready" in said
        assert "All is well." not in said
