"""The page about the metrics is what the server shows."""

from __future__ import annotations

import aiohttp

from scripts.write_metrics_reference import described, main
from server.app import Product
from tests.server.test_app import product

__all__ = ["product"]


def test_the_page_is_up_to_date() -> None:
    assert main(["--check"]) == 0, "run python scripts/write_metrics_reference.py"


async def test_a_running_server_shows_these_metrics_and_no_others(product: Product) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{product.url}/metrics") as response:
        text = await response.text()
    await product.stop()
    typed = {line.split()[2]: line.split()[3] for line in text.splitlines() if line.startswith("# TYPE")}
    shown = {name: kind for name, kind in typed.items() if not name.endswith("_created")}
    assert shown == {one.name: one.type for one in described()}
