"""Asking again while the server is away."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pantherahive_client.backoff import Backoff
from pantherahive_client.errors import HiveError, Unreachable

T = TypeVar("T")


async def patiently(
    ask: Callable[[], Awaitable[T]],
    backoff: Backoff,
    ended: Callable[[], HiveError | None] = lambda: None,
    within_s: float = math.inf,
) -> T:
    """What `ask` answers. It is asked again as long as the server is away or says that it may be asked again.

    Raises every other refusal, what `ended` gives (nobody waits for an answer any more), and after `within_s` seconds
    the last refusal, whatever it is.
    """
    give_up_s = time.monotonic() + within_s
    for failures in itertools.count():
        if (why := ended()) is not None:
            raise why
        try:
            return await ask()
        except HiveError as error:
            if not (error.retryable or isinstance(error, Unreachable)):
                raise
            wait_s = backoff.wait_s(failures, error.retry_after_s)
            if time.monotonic() + wait_s > give_up_s:
                raise
        await asyncio.sleep(wait_s)
    raise AssertionError("unreachable: the loop above only ends by returning or raising")
