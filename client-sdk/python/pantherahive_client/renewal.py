"""The token of a connection that lives longer than it: renewed in time, without a new connection."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from pantherahive_client.errors import HiveError, Unreachable, error_of
from pantherahive_client.link import Link
from pantherahive_client.session import Session
from pantherahive_client.settings import Settings

logger = logging.getLogger("pantherahive_client")


async def keep_token(link: Link, session: Session, settings: Settings) -> None:
    """Renews until cancelled, or until there is no way to: then the server ends the connection at the token's end."""
    failures = 0
    wait_s = session.renew_in_s()
    while wait_s is not None:
        # However short a life the server gives, it is not asked without a pause.
        await asyncio.sleep(max(wait_s, settings.retry.wait_s(1)))
        try:
            await _renew(link, await session.token())
        except HiveError as error:
            if not (error.retryable or isinstance(error, Unreachable)):
                logger.info("the token of the connection cannot be renewed: %s", error)
                return
            failures += 1
            wait_s = settings.retry.wait_s(failures, error.retry_after_s)
        else:
            failures, wait_s = 0, session.renew_in_s()


async def _renew(link: Link, token: str) -> None:
    """Raises what the server says against it."""
    answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def on_answer(answer: Any) -> None:
        if not answered.done():
            answered.set_result(answer)

    link.send("auth", {"token": token}, on_answer)
    answer = await answered
    if isinstance(answer, dict) and "error" in answer:
        raise error_of(answer["error"])
