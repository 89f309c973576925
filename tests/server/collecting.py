"""Requests, and connections, that are still in memory, while nothing is collected that keeps itself alive."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from tests.server.gateway.hive import eventually


def _requests() -> int:
    return sum(isinstance(one, (web.Request, web.RequestHandler)) for one in gc.get_objects())


class Requests:
    """Those that came since, with their connections."""

    def __init__(self) -> None:
        self._before = _requests()

    async def are_gone(self) -> None:
        """Raises TimeoutError: what was answered to them, and read of them, is kept too then."""
        await eventually(lambda: _requests() <= self._before)


@contextmanager
def uncollected() -> Iterator[Requests]:
    """No collections; what goes, goes by itself."""
    gc.collect()
    gc.disable()
    try:
        yield Requests()
    finally:
        gc.enable()
