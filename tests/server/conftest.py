"""A running server for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.server.world import World, a_world


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A server with cheap password hashes."""
    async with a_world() as running:
        yield running
