"""How much of the log is in hand for one client."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from server.gateway.log_pages import LogPages


class Feeds:
    """Gives a page at once, which counts as given."""

    async def catch_up(self, following: Any) -> list[str]:
        following.seq += 5
        return ["entry"] * 5


async def test_few_pages_are_in_hand_at_once_and_none_counts_as_given() -> None:
    feeds: Any = Feeds()
    pages, followings = LogPages(feeds), [SimpleNamespace(seq=number) for number in range(10)]
    in_hand, sent = asyncio.Semaphore(0), asyncio.Semaphore(0)
    most = now = 0

    async def send(following: Any) -> None:
        nonlocal most, now
        async with pages.next(following) as publications:
            assert len(publications) == 5
            now += 1
            most = max(most, now)
            in_hand.release()
            await sent.acquire()
            now -= 1

    tasks = [asyncio.create_task(send(following)) for following in followings]
    for _ in followings:
        await in_hand.acquire()
        sent.release()
    await asyncio.gather(*tasks)
    assert most == 3
    assert [following.seq for following in followings] == list(range(10))
