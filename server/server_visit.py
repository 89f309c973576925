"""Asks the running servers of a database how they are, for `doctor`: they know what cannot be seen in the tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from typing import Any, Final

import aiohttp

from server.finding import Finding
from server.payload_trial import REPAIR, Unreadable, stands

TIMEOUT_S: Final = 5.0


async def look_at_servers(addresses: Collection[str], known: Collection[str]) -> AsyncIterator[Finding]:
    """What `/readyz` says at each address. Consumers in `known` have been found to stand still already."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session:
        for address in addresses:
            try:
                async with session.get(f"{address}/readyz") as response:
                    answer = await response.json(content_type=None)
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                yield Finding("server", f"{address} renews its lease but cannot be asked from here: {error!r}")
                continue
            for finding in _of_answer(address, answer, known):
                yield finding


def _of_answer(address: str, answer: Mapping[str, Any], known: Collection[str]) -> Iterator[Finding]:
    reasons = "; ".join(f"{check}: {why}" for check, why in answer["reasons"].items())
    yield Finding(
        "server",
        f"{address} is not ready ({reasons})" if reasons else f"{address} is ready",
        "its log says more; it takes no new requests until that is over" if reasons else None,
    )
    halted = answer.get("haltedStreams")
    if halted is not None:
        some, count = halted["some"], halted["count"]
        yield Finding(
            "halted streams",
            f"{count}: {', '.join(some)}{', …' if count > len(some) else ''}",
            "their log cannot be replayed, so they take no commands and are read as of the last good entry; "
            f"the server's log names the entry: {REPAIR}",
        )
    for consumer, places in answer.get("stalledShards", {}).items():
        if consumer not in known:
            before = [Unreadable(place["shard"], place["stream"], place["seq"]) for place in places]
            yield Finding(f"consumer {consumer}", f"stands still in {len(before)} shards", stands(consumer, before))
