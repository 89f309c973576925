"""Reading: opening large projects, lists across projects, and the past of long histories.

    python -m benchmarks.reading                    sizes up to 10,000 tasks, 300 projects and 1,000,000 entries
    python -m benchmarks.reading --entries 10000,100000 --out benchmarks/RESULTS.md

The tables are printed; with `--out` they take the place of those that the page has already. Seeding a million entries
takes some minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import orjson
import uvloop

from benchmarks import reading_tables
from benchmarks.figures import Section
from benchmarks.product import Product, create_project, running_product, sign_in, sign_up
from benchmarks.reader import Reader, Reading, open_reader
from benchmarks.rounds import say
from benchmarks.seeding import History, opened

TASKS: tuple[int, ...] = (1_000, 3_000, 10_000)
PROJECTS: tuple[int, ...] = (30, 100, 300)
ENTRIES: tuple[int, ...] = (10_000, 100_000, 1_000_000)

_USER = "reader"
_CATCH_UP_S = 3600.0
_TASKS_PER_PROJECT = 10
_YEAR = timedelta(days=365)
_YEARS = 2


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is read, each at several sizes."""

    tasks: Sequence[int]
    projects: Sequence[int]
    entries: Sequence[int]


@dataclass(frozen=True, slots=True)
class Seeded:
    """Project ids by size, and how long it took to make them."""

    of_tasks: dict[int, str]
    of_entries: dict[int, str]
    entries: int
    seconds: float


async def measure(sizes: Sizes) -> list[Section]:
    """All tables, on a product of its own."""
    async with running_product() as product:
        user_id, token = await sign_up(product, _USER)
        own = await _own_tasks(product, user_id, token, sizes.projects)
        product.stop()
        seeded = await _seed(product, user_id, sizes)
        await product.start()
        async with open_reader(product, await sign_in(product, _USER)) as reader:
            caught_up_s = await _caught_up(reader)
            opening = [(tasks, await _opened(reader, project)) for tasks, project in seeded.of_tasks.items()]
            past = [(entries, await _past(reader, user_id, project)) for entries, project in seeded.of_entries.items()]
    how = (
        f"Seeded through the actor, its snapshots and the log's own append ({seeded.entries:,} entries in "
        f"{seeded.seconds:,.0f} s); the read tables took {caught_up_s:,.0f} s to take them in."
    )
    return [
        reading_tables.opening(opening),
        reading_tables.own_tasks(own, _TASKS_PER_PROJECT),
        reading_tables.past(past, how),
    ]


# --------------------------------------------------------------------------- the data


async def _seed(product: Product, user_id: str, sizes: Sizes) -> Seeded:
    """Projects of tasks, and projects with long histories. The product does not run meanwhile."""
    began_s, began = perf_counter(), datetime.now(UTC) - _YEARS * _YEAR
    of_tasks: dict[int, str] = {}
    of_entries: dict[int, str] = {}
    async with opened(product.data_dir) as seeder:
        for number, tasks in enumerate(sizes.tasks):
            say(f"  seeding a project of {tasks:,} tasks")
            of_tasks[tasks] = await seeder.seed(user_id, History(tasks * 3 // 2, tasks, began, f"TASKS{number}"))
        for number, entries in enumerate(sizes.entries):
            say(f"  seeding a history of {entries:,} entries")
            tasks = min(entries // 10, 10_000)
            of_entries[entries] = await seeder.seed(user_id, History(entries, tasks, began, f"PAST{number}"))
    made = sum(tasks * 3 // 2 for tasks in sizes.tasks) + sum(sizes.entries)
    return Seeded(of_tasks, of_entries, made, perf_counter() - began_s)


async def _task(reader: Reader, project_id: str, user_id: str, number: int) -> None:
    body = {"title": f"Task {number} of somebody in many projects", "assigneeIds": [user_id]}
    async with reader.http.post(f"{reader.product.url}/v1/projects/{project_id}/tasks", json=body) as answer:
        if answer.status != 201:
            raise RuntimeError(await answer.text())


async def _caught_up(reader: Reader) -> float:
    """Seconds until the read tables have what was seeded: until then lists say that they are behind."""
    began_s = perf_counter()
    while perf_counter() - began_s < _CATCH_UP_S:
        async with reader.http.get(f"{reader.product.url}/v1/tasks?limit=1") as answer:
            if answer.status == 200:
                return perf_counter() - began_s
        await asyncio.sleep(1)
    raise RuntimeError("the read tables did not catch up")


# --------------------------------------------------------------------------- the reads


async def _own_tasks(
    product: Product, user_id: str, token: str, sizes: Sequence[int]
) -> list[tuple[int, dict[str, Reading]]]:
    """Projects made over the API; page 1 and all pages of `/v1/tasks`."""
    measured = []
    made = 0
    async with open_reader(product, token) as reader:
        for size in sizes:
            say(f"  own tasks across {size:,} projects")
            for number in range(made, size):
                project_id = await create_project(product, token, f"Project {number}")
                await asyncio.gather(*(_task(reader, project_id, user_id, n) for n in range(_TASKS_PER_PROJECT)))
            made = size
            await reader.one("/v1/tasks")
            first = await reader.reading(lambda: reader.one("/v1/tasks"))
            every = await reader.reading(lambda: reader.pages("/v1/tasks?limit=1000"))
            measured.append((size, {"first": first, "all": every}))
    return measured


async def _opened(reader: Reader, project_id: str) -> dict[str, Reading]:
    """Cold first: the actor is not in memory after the restart."""
    say("  opening a project")
    project, stream = f"/v1/projects/{project_id}", f"project/{project_id}"
    return {
        "cold": await reader.reading(lambda: reader.one(project), rounds=1),
        "first join": await reader.reading(lambda: reader.joined(stream), rounds=1),
        "join": await reader.reading(lambda: reader.joined(stream)),
        "pages": await reader.reading(lambda: reader.pages(f"{project}/tasks?limit=1000")),
        "export": await reader.reading(lambda: reader.one(f"{project}/export?entries=false")),
    }


async def _past(reader: Reader, user_id: str, project_id: str) -> dict[str, Reading]:
    say("  looking into a history")
    project = f"/v1/projects/{project_id}"
    then = f"{datetime.now(UTC) - _YEAR:%Y-%m-%dT%H:%M:%SZ}"
    task = orjson.loads((await reader.get(f"{project}/tasks?limit=1"))[0])[0]["id"]
    return {
        "activity": await reader.reading(lambda: reader.one(f"{project}/activity")),
        "of a task": await reader.reading(lambda: reader.one(f"{project}/tasks/{task}/activity")),
        "of a person": await reader.reading(lambda: reader.one(f"/v1/users/{user_id}/activity")),
        "as of": await reader.reading(lambda: reader.one(f"{project}/tasks?asOf={then}&limit=100")),
        "diff": await reader.reading(lambda: reader.one(f"{project}/diff?from={then}&limit=100")),
    }


# --------------------------------------------------------------------------- by itself


def put(page: str, section: Section) -> str:
    """The page with this table in the place of the one with the same title, or at its end."""
    place = re.compile(rf"^## {re.escape(section.title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    text = section.markdown() + "\n"
    found = place.search(page)
    return page[: found.start()] + text + page[found.end() :] if found else page.rstrip() + "\n\n" + text


def _when() -> str:
    """Beside the page's own run: when this one was, and what else the machine had to do."""
    load, cores = os.getloadavg()[1], os.cpu_count()
    return f"Measured by itself on {datetime.now(UTC):%Y-%m-%d}, with a load average of {load:.0f} on {cores} cores."


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def main() -> None:
    """Measures, prints, and writes where it is told to."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.reading", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=_numbers, default=TASKS)
    parser.add_argument("--projects", type=_numbers, default=PROJECTS)
    parser.add_argument("--entries", type=_numbers, default=ENTRIES)
    parser.add_argument("--out", type=Path, help="the page whose tables are replaced")
    arguments = parser.parse_args()
    sections = uvloop.run(measure(Sizes(arguments.tasks, arguments.projects, arguments.entries)))
    sections = [replace(section, notes=[*section.notes, _when()]) for section in sections]
    print("\n".join(section.markdown() for section in sections))
    if arguments.out is not None:
        page = arguments.out.read_text() if arguments.out.exists() else ""
        for section in sections:
            page = put(page, section)
        arguments.out.write_text(page.rstrip() + "\n")


if __name__ == "__main__":
    main()
