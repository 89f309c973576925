"""What was ended stays ended: sockets close at once, and a crash forgets nothing."""

from __future__ import annotations

import time
from pathlib import Path

from tests.acceptance.product import CHEAP, PASSWORD, User, running_product
from tests.server.gateway.client import LiveClient

WITHIN_S = 1.0


async def test_a_stolen_refresh_token_closes_its_sockets_and_a_crash_brings_nothing_back(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data", **CHEAP) as product:
        stolen = await product.register("ada")
        answer = await product.ask("POST", "/v1/users/login", json={"username": "ada", "password": PASSWORD})
        signed_in = answer.body
        other = await LiveClient.connect(product.url, stolen.token)
        client = await LiveClient.connect(product.url, signed_in["accessToken"])
        refresh = {"refreshToken": signed_in["refreshToken"]}
        assert (await product.ask("POST", "/v1/users/refresh", json=refresh)).status == 200
        began_s = time.monotonic()
        assert (await product.ask("POST", "/v1/users/refresh", json=refresh)).status == 401
        await client.until_end()
        assert time.monotonic() - began_s < WITHIN_S
        assert client.of("closed")[0]["reason"] == "ended"
        assert "error" in await other.join("project/018f0000-0000-7000-8000-00000000000a"), "it goes on"
        for one in (client, other):
            await one.close()
        product.kill()
    async with running_product(tmp_path / "data", **CHEAP) as product:
        ended = User(stolen.id, "ada", signed_in["accessToken"])
        assert (await product.ask("GET", "/v1/projects", ended)).status == 401
        assert (await product.ask("GET", "/v1/projects", stolen)).status == 200
