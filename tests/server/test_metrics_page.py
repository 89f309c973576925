"""The text of /metrics is made once for many."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.metrics_page import PAGE_AGE_MAX_S, MetricsPage
from server.telemetry import LoopLag, Readiness, telemetry_routes


class Pages:
    """Counts how often one was made, by a clock that is moved by hand."""

    def __init__(self) -> None:
        self.made = 0
        self.now_s = 1000.0

    def make(self) -> bytes:
        self.made += 1
        if self.made == 3:
            raise OSError("a gauge that cannot be read")
        return b"text %d" % self.made

    def page(self) -> MetricsPage:
        return MetricsPage(self.make, lambda: self.now_s)


def test_it_is_made_again_when_it_is_too_old() -> None:
    pages = Pages()
    page = pages.page()
    assert pages.made == 0, "for nobody none is made"
    assert [page.text() for _ in range(3)] == [b"text 1"] * 3
    pages.now_s += PAGE_AGE_MAX_S - 0.01
    assert page.text() == b"text 1"
    pages.now_s += 0.01
    assert [page.text() for _ in range(3)] == [b"text 2"] * 3


def test_one_that_fails_is_not_kept() -> None:
    pages = Pages()
    page = pages.page()
    page.text()
    pages.now_s += PAGE_AGE_MAX_S
    page.text()
    pages.now_s += PAGE_AGE_MAX_S
    with pytest.raises(OSError, match="cannot be read"):
        page.text()
    assert page.text() == b"text 4"


async def test_many_callers_cost_one() -> None:
    pages = Pages()
    app = web.Application()
    app.add_routes(telemetry_routes(pages.page(), LoopLag(1, lambda _seconds: None), Readiness({}, 1)))
    async with TestClient(TestServer(app)) as http:

        async def asked() -> str:
            async with http.get("/metrics") as answer:
                return await answer.text()

        assert set(await asyncio.gather(*(asked() for _ in range(100)))) == {"text 1"}
        pages.now_s += PAGE_AGE_MAX_S
        assert set(await asyncio.gather(*(asked() for _ in range(100)))) == {"text 2"}
    assert pages.made == 2
