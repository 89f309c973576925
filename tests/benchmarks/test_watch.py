"""What is seen of a product is of the time in which it is looked at."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from benchmarks.product import Product
from benchmarks.watch import watched
from tests.server.gateway.hive import eventually


class Cached:
    """A product whose page is as old as it may be: it shows at first what was before."""

    memory_bytes = 0

    def __init__(self, age_s: float) -> None:
        self._fresh_at_s = asyncio.get_running_loop().time() + age_s

    async def metrics(self) -> str:
        return "now" if asyncio.get_running_loop().time() >= self._fresh_at_s else "before"

    def figure_in(self, text: str, name: str) -> float:
        del name
        return 1000 if text == "before" else 0


async def test_nothing_is_seen_of_what_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.watch.PAGE_AGE_MAX_S", 0.02)
    product: Any = Cached(0.01)
    async with watched(cast(Product, product)) as looks:
        await eventually(lambda: bool(looks))
    assert {look.connections for look in looks} == {0}
