"""Looks at a running product several times a second, and what such a series of looks tells."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from benchmarks.product import Product
from server.metrics_page import PAGE_AGE_MAX_S

_INTERVAL_S = 0.1


@dataclass(frozen=True, slots=True)
class Look:
    """At one moment of the loop's clock; what the server says is up to `PAGE_AGE_MAX_S` older."""

    at_s: float
    memory_bytes: int
    connections: int
    commands: int
    promised: int


@contextlib.asynccontextmanager
async def watched(product: Product) -> AsyncIterator[list[Look]]:
    """A list that grows as long as the block runs, of what the server says from then on."""
    looks: list[Look] = []
    await asyncio.sleep(PAGE_AGE_MAX_S)  # the page may be as old, and tell of what was before
    watching = asyncio.create_task(_watch(product, looks))
    try:
        yield looks
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(product: Product, looks: list[Look]) -> None:
    while True:
        text = await product.metrics()
        looks.append(
            Look(
                asyncio.get_running_loop().time(),
                product.memory_bytes,
                int(product.figure_in(text, "connections")),
                int(product.figure_in(text, "commands_total")),
                int(product.figure_in(text, "conflations_promised_total")),
            )
        )
        await asyncio.sleep(_INTERVAL_S)


def memory_max(looks: Sequence[Look]) -> int:
    """The most resident memory that was seen, in bytes."""
    return max(look.memory_bytes for look in looks)


def began_s(looks: Sequence[Look]) -> float:
    """When the first command was answered; the first look if none was."""
    first = looks[0]
    return next((look.at_s for look in looks if look.commands > first.commands), first.at_s)


def settled_after_s(looks: Sequence[Look], never: int, slow: int) -> float | None:
    """Seconds from the first command until so many slow ones had been promised a state or let go. None: never.

    The first connections that are let go are those that never read.
    """
    start_s = began_s(looks)
    return next((look.at_s - start_s for look in looks if settled_by(looks, look, never) >= slow), None)


def settled_by(looks: Sequence[Look], last: Look, never: int) -> int:
    """How many slow ones had been promised a state, or let go, when that look was taken."""
    most = max(look.connections for look in looks if look.at_s <= last.at_s)
    return last.promised - looks[0].promised + max(0, most - last.connections - never)


def gone_after_s(looks: Sequence[Look], count: int) -> float | None:
    """Seconds from the first command until so many connections fewer were open than at most. None: never."""
    most, start_s = 0, began_s(looks)
    for look in looks:
        most = max(most, look.connections)
        if look.at_s > start_s and most - look.connections >= count:
            return look.at_s - start_s
    return None
