"""A restart under a crowd: all clients resume from their cursors."""

from __future__ import annotations

import asyncio
from time import perf_counter

import aiohttp

from benchmarks.client import LeanClient
from benchmarks.figures import Section
from benchmarks.product import Product, create_project, sign_up

_CROWDS = (250, 500, 1_000)
_MISSED = 200


async def _join_all(
    http: aiohttp.ClientSession, product: Product, token: str, stream: str, cursors: list[str | None]
) -> list[LeanClient]:
    """All at once, as after a restart."""

    async def one(cursor: str | None) -> LeanClient:
        client = await LeanClient.connect(http, product.url, token)
        await client.join(stream, cursor)
        return client

    return list(await asyncio.gather(*(one(cursor) for cursor in cursors)))


async def _one_crowd(product: Product, token: str, size: int) -> list[str]:
    project_id = await create_project(product, token, f"Crowd {size}")
    stream = f"project/{project_id}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        clients = await _join_all(http, product, token, stream, [None] * size)
        cursor = clients[0].cursor
        writer = clients[0]
        for number in range(_MISSED):
            await writer.command(stream, "CreateTask", {"title": f"Missed {number}"})
        for client in clients:
            await client.close()
        product.kill()
        began_s = perf_counter()
        restart_s = await product.start()
        resumed = await _join_all(http, product, token, stream, [cursor] * size)
        await asyncio.gather(*(client.received(_MISSED) for client in resumed))
        live_s = perf_counter() - began_s
        reads = await product.figure("log_page_reads")
        doubled = sum(client.entries > _MISSED for client in resumed)
        for client in resumed:
            await client.close()
    return [
        f"{size:,}",
        f"{restart_s:.2f} s",
        f"{live_s - restart_s:.2f} s",
        f"{(live_s - restart_s) / size * 1000:.2f} ms",
        f"{reads:.0f}",
        str(doubled),
    ]


async def measure(product: Product) -> Section:
    """The application is killed with SIGKILL; every client has missed 200 entries when it comes back."""
    _, token = await sign_up(product, "crowd")
    rows = [await _one_crowd(product, token, size) for size in _CROWDS]
    head = ["clients", "restart until ready", "then until all are live", "per client", "page reads", "with too much"]
    note = "The clients run in one Python process on the same two cores; connecting them is part of the time."
    return Section("Resume after a restart", head, rows, [note])
