"""Memory per active project of 1,000 tasks."""

from __future__ import annotations

import asyncio

import aiohttp

from benchmarks.client import LeanClient
from benchmarks.figures import Section
from benchmarks.product import Product, create_project, sign_up

_TASKS = 1_000
_BATCHES = (5, 5, 10)
_IN_FLIGHT = 40


async def _fill(client: LeanClient, project_id: str) -> None:
    for start in range(0, _TASKS, _IN_FLIGHT):
        await asyncio.gather(
            *(
                client.command(
                    f"project/{project_id}",
                    "CreateTask",
                    {
                        "title": f"Task {number} of a project that somebody works on",
                        "description": "What is to be done here takes a line or two to say. " * 4,
                        "labels": ["server", "later"],
                    },
                )
                for number in range(start, min(start + _IN_FLIGHT, _TASKS))
            )
        )


async def measure(product: Product) -> Section:
    """Resident memory of the application after each batch of projects; all of them stay active."""
    _, token = await sign_up(product, "memory")
    rows = []
    active = 0
    async with aiohttp.ClientSession() as http:
        client = await LeanClient.connect(http, product.url, token)
        await _fill(client, await create_project(product, token, "Warm up"))
        for batch in _BATCHES:
            before = product.memory_bytes
            for number in range(batch):
                await _fill(client, await create_project(product, token, f"Memory {active + number}"))
            active += batch
            grown = product.memory_bytes - before
            rows.append([str(active), f"{product.memory_bytes / 2**20:.0f} MiB", f"{grown / batch / 2**20:.2f} MiB"])
        await client.close()
    note = "Every project has 1,000 tasks of about 300 characters; the memory of 1,000 commands per actor is in it."
    return Section(
        "Memory per active project of 1,000 tasks",
        ["active projects", "resident", "each of the last"],
        rows,
        [note],
    )
