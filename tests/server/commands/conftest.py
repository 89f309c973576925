"""A real server for the commands that visit one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.acceptance.product import launch, ready
from tests.kept_logging import logging_as_before
from tests.server.commands.typed import Typed


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    with logging_as_before():
        yield


@pytest.fixture(scope="session")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typed]:
    """Commands are typed at this server's machine. One server for all: its tests are one group."""
    product = launch(tmp_path_factory.mktemp("commands") / "data", log_level="warning")
    try:
        asyncio.run(ready(product))
        yield Typed(product)
    finally:
        product.kill()
