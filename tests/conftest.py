"""Fixtures that many folders share: each is made once per test process. And tests that exist only somewhere."""

from __future__ import annotations

import os

import pytest

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
