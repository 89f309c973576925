"""Every case of the tables gets what stands there, with pings so long that none can end it, and with short ones."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

import pytest
import pytest_asyncio

from scripts.write_conformance import main
from tests.server.gateway.conformance import websocket_cases
from tests.server.gateway.conformance.case import Case
from tests.server.gateway.conformance.frames import Dialect
from tests.server.gateway.conformance.peer import Peer
from tests.server.gateway.conformance.table import CASES
from tests.server.gateway.hive import ADMIN_TOKEN, LONG_PINGS, Hive, a_hive, eventually

pytestmark = pytest.mark.xdist_group("conformance")

LONG: Final = "long pings"
PINGS: Final = {LONG: LONG_PINGS, "short pings": replace(LONG_PINGS, ping_interval_s=0.02)}
"""Patience with an answer is long in both, so that no case passes because the server lost it."""
SENT: Final = [
    (pings, case, dialect)
    for pings in PINGS
    for case in CASES
    if case.is_sent and (pings == LONG or case not in websocket_cases.CASES)  # below Engine.IO no ping is looked at
    for dialect in case.dialects
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hive(request: pytest.FixtureRequest) -> AsyncIterator[Hive]:
    """One server for all cases with the same pings."""
    async with a_hive(PINGS[request.param]) as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("hive", "case", "dialect"),
    SENT,
    ids=[f"{case.section} {case.name} {dialect.name} {pings}" for pings, case, dialect in SENT],
    indirect=["hive"],
    scope="module",
)
async def test_a_case_gets_what_must_come(hive: Hive, case: Case, dialect: Dialect) -> None:
    assert case.wire is not None
    peer = await Peer.to(hive.url, case, dialect, ADMIN_TOKEN)
    said = peer.answer_to_upgrade if case.start == "http" else peer.said
    try:
        assert await said(case.wire(dialect)) == case.comes
    finally:
        peer.close()
    await eventually(lambda: not hive.left())


def test_cases_that_need_more_are_tests_by_that_name() -> None:
    for case in CASES:
        if case.shown_by:
            module, test = case.shown_by.removesuffix(".py").split(".py::")
            assert callable(getattr(importlib.import_module(module.replace("/", ".")), test)), case


def test_every_case_is_sent_shown_or_waived_and_has_a_name_of_its_own() -> None:
    assert [case for case in CASES if not (case.is_sent or case.shown_by or case.waiver)] == []
    names = [(case.section, case.name) for case in CASES]
    assert len(set(names)) == len(names)


def test_the_page_is_up_to_date() -> None:
    assert main(["--check"]) == 0, "run python scripts/write_conformance.py"
