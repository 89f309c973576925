"""One process: start, work, be killed, start again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.product import launch, ready, running_product, until
from tests.chaos.socket import Socket


async def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data") as product:
        ada = await product.register("ada")
        project = await product.create_project(ada, **{"Idempotency-Key": "first"})
        product.kill()

    async with running_product(tmp_path / "data") as product:
        again = await product.login("ada")
        assert again.id == ada.id
        found = await product.ask("GET", f"/v1/projects/{project['id']}", again)
        assert (found.status, found.body["name"]) == (200, "Apollo")
        listed = await product.ask("GET", "/v1/projects", again)
        assert [one["id"] for one in listed.body] == [project["id"]]
        repeated = await product.create_project(again, **{"Idempotency-Key": "first"})
        assert repeated["id"] == project["id"], "a retry after the crash gets the original answer"
        assert len((await product.ask("GET", "/v1/projects", again)).body) == 1


async def test_a_second_process_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data") as product:
        second = launch(tmp_path / "data")
        try:
            assert await second.ended() == 1
        finally:
            second.process.kill()
        assert f"is in use by process {product.process.pid}" in second.log
        assert "Traceback" not in second.log
        assert (await product.ask("GET", "/readyz")).status == 200


async def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data") as product:
        port = product.url.rpartition(":")[2]
        second = launch(tmp_path / "other", port=port)
        try:
            assert await second.ended() == 1
        finally:
            second.process.kill()
        assert second.log.startswith(f"Port {port} on 127.0.0.1 is in use")
        assert len(second.log.splitlines()) == 1


async def test_live_connections_take_no_place_of_those_that_ask(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data", http_connections_per_address_max=4) as product:
        ada = await product.register("ada")
        sockets = [Socket() for _ in range(6)]
        async with aiohttp.ClientSession() as http:
            for socket in sockets:
                await socket.open(http, product.url, ada.token)
            assert (await product.ask("GET", "/readyz")).status == 200
            assert not [socket for socket in sockets if socket.lost.done()]
            for socket in sockets:
                await socket.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    async with running_product(tmp_path / "data") as product:
        await product.create_project(await product.register("ada"))
        product.process.send_signal(number)
        assert await product.ended() == 0
        assert "stopped" in product.log
        assert "Traceback" not in product.log
        with pytest.raises(aiohttp.ClientError):
            await product.ask("GET", "/healthz")


async def test_a_killed_postgres_is_started_again_and_nothing_is_lost(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data") as product:
        ada = await product.register("ada")
        project = await product.create_project(ada)
        postmaster = int((tmp_path / "data/postgres/postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)

        await until(lambda: "starting it again" in product.log, 10, product, "does not notice the end of Postgres")
        await ready(product)
        found = await product.ask("GET", f"/v1/projects/{project['id']}", ada)
        assert found.status == 200
        await product.create_project(ada, "Gemini")
        assert await product.stop() == 0
