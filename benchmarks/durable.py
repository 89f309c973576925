"""Durable commands: acknowledged after the commit, beside a bare INSERT into the same Postgres in the same run."""

from __future__ import annotations

import asyncio
from time import perf_counter

import aiohttp
import asyncpg

from benchmarks.blocking import BlockingClient
from benchmarks.client import LeanClient
from benchmarks.figures import Section, median, milliseconds, percentile
from benchmarks.product import Product, create_project, sign_up
from storage.embedded import running_dsn

_ROUNDS = 5
_PAYLOAD = b"x" * 300


async def _bare_inserts(connection: asyncpg.Connection[asyncpg.Record], seconds: float) -> list[float]:
    """One INSERT per transaction, the way a server without a log would do it."""
    times = []
    until_s = perf_counter() + seconds
    while perf_counter() < until_s:
        began_s = perf_counter()
        await connection.execute("INSERT INTO bench_bare (body) VALUES ($1)", _PAYLOAD)
        times.append(perf_counter() - began_s)
    return times


def _edits_alone(client: BlockingClient, stream: str, task_id: str, seconds: float) -> list[float]:
    times = []
    until_s = perf_counter() + seconds
    while (now_s := perf_counter()) < until_s:
        times.append(client.command(stream, "EditTask", {"taskId": task_id, "title": f"Title {now_s}"}))
    return times


async def _edits(client: LeanClient, stream: str, task_id: str, seconds: float) -> list[float]:
    times = []
    until_s = perf_counter() + seconds
    while (began_s := perf_counter()) < until_s:
        await client.command(stream, "EditTask", {"taskId": task_id, "title": f"Title {began_s}"})
        times.append(perf_counter() - began_s)
    return times


async def _clients(
    http: aiohttp.ClientSession, product: Product, token: str, count: int, projects: list[str]
) -> list[tuple[LeanClient, str, str]]:
    places = []
    for number in range(count):
        stream = f"project/{projects[number % len(projects)]}"
        client = await LeanClient.connect(http, product.url, token)
        task = await client.command(stream, "CreateTask", {"title": f"Task {number}"})
        places.append((client, stream, task["result"]["taskId"]))
    return places


async def measure(product: Product, seconds: float) -> Section:
    """A B C A B C …, medians over the rounds."""
    _, token = await sign_up(product, "durable")
    projects = [await create_project(product, token, f"Durable {number}") for number in range(10)]
    dsn = running_dsn(product.data_dir)
    if dsn is None:
        raise RuntimeError("the embedded Postgres does not run")
    bare = await asyncpg.connect(dsn)
    await bare.execute("CREATE TABLE bench_bare (id bigserial PRIMARY KEY, body bytea)")
    samples: dict[str, list[list[float]]] = {"INSERT": [], "1 client": [], "50 clients": []}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        fifty = await _clients(http, product, token, 50, projects)
        for _ in range(_ROUNDS):
            samples["INSERT"].append(await _bare_inserts(bare, seconds))
            with BlockingClient(product.url, token) as alone:
                samples["1 client"].append(_edits_alone(alone, *fifty[0][1:], seconds))
            runs = await asyncio.gather(*(_edits(*place, seconds) for place in fifty))
            samples["50 clients"].append([time for run in runs for time in run])
        for client, _, _ in fifty:
            await client.close()
    await bare.execute("DROP TABLE bench_bare")
    await bare.close()
    return _section(samples, seconds)


def _section(samples: dict[str, list[list[float]]], seconds: float) -> Section:
    rows = [
        [
            name,
            f"{median([len(run) / seconds for run in runs]):,.0f}",
            milliseconds(median([percentile(run, 0.5) for run in runs])),
            milliseconds(median([percentile(run, 0.99) for run in runs])),
        ]
        for name, runs in samples.items()
    ]
    ratios = [
        percentile(ack, 0.5) / percentile(insert, 0.5)
        for ack, insert in zip(samples["1 client"], samples["INSERT"], strict=True)
    ]
    note = (
        f"A single client's durable ack takes {median(ratios):.2f} times a bare INSERT "
        f"(rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)}; the aim is under 3). "
        "It includes the WebSocket both ways, validation, permission, the actor, the fence and the log's three keys."
    )
    return Section("Durable commands", ["what", "per second", "p50", "p99"], rows, [note])
