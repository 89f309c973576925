"""Asking again while the server is away, for those who have all the time in the world."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pantherahive_client.backoff import Backoff
from pantherahive_client.errors import HiveError, Unreachable

T = TypeVar("T")


async def patiently(
    ask: Callable[[], Awaitable[T]], backoff: Backoff, ended: Callable[[], HiveError | None] = lambda: None
) -> T:
    """What `ask` answers. It is asked again as long as the server is away or says that it may be asked again.

    Raises every other refusal, and what `ended` gives: nobody waits for an answer any more.
    """
    for failures in itertools.count():
        if (why := ended()) is not None:
            raise why
        try:
            return await ask()
        except HiveError as error:
            if not (error.retryable or isinstance(error, Unreachable)):
                raise
            wait_s = backoff.wait_s(failures, error.retry_after_s)
        await asyncio.sleep(wait_s)
    raise AssertionError("unreachable: the loop above only ends by returning or raising")
