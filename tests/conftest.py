"""Fixtures that many folders share: each is made once per test process. And tests that exist only somewhere."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from aiohttp.web_app import _cached_build_middleware

from tests.migrated import database_dsn, migrated_template
from tests.postgres import postgres_dsn_root

__all__ = ["database_dsn", "migrated_template", "postgres_dsn_root"]


def pytest_xdist_auto_num_workers() -> int:
    """One more than cores: many a test waits for a process that it started, and a core would stand idle meanwhile."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`only_if(condition)`: where the condition does not hold there is no such test. None is ever skipped."""
    absent = [item for item in items if not all(mark.args[0] for mark in item.iter_markers("only_if"))]
    if absent:
        config.hook.pytest_deselected(items=absent)
        items[:] = [item for item in items if item not in set(absent)]


def pytest_collection_finish() -> None:
    """What was loaded and collected stays to the end: no collection has to look at it again, and there are many."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _let_go_of_applications() -> Iterator[None]:
    """aiohttp keeps a thousand applications by their handlers, and with each everything that it was made of."""
    yield
    _cached_build_middleware.cache_clear()
