"""The people of the measurements: members of one project of a thousand tasks, with tokens of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.client import LeanClient
from benchmarks.product import Product, create_project, sign_in, sign_up

_IN_FLIGHT = 40
_SIGN_INS_AT_ONCE = 4


@dataclass(slots=True)
class Crowd:
    """Who may do what where. `tokens` are in the order of `names`; they live a quarter of an hour."""

    names: Sequence[str]
    user_ids: Sequence[str]
    project_id: str
    task_ids: Sequence[str]
    tokens: Sequence[str] = field(default_factory=tuple)
    # The newest entry's, so that a follower begins without a snapshot, as one that comes back does.
    cursor: str = ""

    @property
    def stream(self) -> str:
        return f"project/{self.project_id}"

    def write(self, folder: Path) -> dict[str, object]:
        """Tokens and task ids as files: flags for the generator."""
        tokens, keys = folder / "tokens", folder / "keys"
        tokens.write_text("\n".join(self.tokens))
        keys.write_text("\n".join(self.task_ids))
        return {"tokens": tokens, "keys": keys}


async def _tasks(client: LeanClient, stream: str, count: int) -> list[str]:
    ids: list[str] = []
    for start in range(0, count, _IN_FLIGHT):
        answers = await asyncio.gather(
            *(
                client.command(
                    stream,
                    "CreateTask",
                    {"title": f"Task {number} of a project that somebody works on", "labels": ["server"]},
                )
                for number in range(start, min(start + _IN_FLIGHT, count))
            )
        )
        ids += [answer["result"]["taskId"] for answer in answers]
    return ids


async def gather_crowd(product: Product, people: int, tasks: int) -> Crowd:
    """Registers the people, and makes the project with its tasks and members."""
    names = [f"member{number}" for number in range(people)]
    users = [await sign_up(product, name) for name in names]
    project_id = await create_project(product, users[0][1], "Benchmark")
    crowd = Crowd(names, [user_id for user_id, _ in users], project_id, (), [token for _, token in users])
    async with aiohttp.ClientSession() as http:
        owner = await LeanClient.connect(http, product.url, crowd.tokens[0])
        for user_id, _ in users[1:]:
            await owner.command(crowd.stream, "AddMember", {"userId": user_id, "role": "member"})
        crowd.task_ids = await _tasks(owner, crowd.stream, tasks)
        await owner.close()
    return crowd


async def more_projects(product: Product, crowd: Crowd, count: int) -> list[str]:
    """So many projects more, empty, with everybody as a member: their streams."""
    streams = []
    async with aiohttp.ClientSession() as http:
        owner = await LeanClient.connect(http, product.url, crowd.tokens[0])
        for number in range(count):
            stream = f"project/{await create_project(product, crowd.tokens[0], f'Project {number}')}"
            members = ({"userId": user_id, "role": "member"} for user_id in crowd.user_ids[1:])
            await asyncio.gather(*(owner.command(stream, "AddMember", member) for member in members))
            streams.append(stream)
        await owner.close()
    return streams


async def come_back(product: Product, crowd: Crowd) -> None:
    """Signs everybody in again, and looks how far the project is."""
    gate = asyncio.Semaphore(_SIGN_INS_AT_ONCE)

    async def one(name: str) -> str:
        async with gate:
            return await sign_in(product, name)

    crowd.tokens = await asyncio.gather(*map(one, crowd.names))
    await look(product, crowd)


async def look(product: Product, crowd: Crowd) -> None:
    """Notes the project's newest cursor."""
    async with aiohttp.ClientSession() as http:
        client = await LeanClient.connect(http, product.url, crowd.tokens[0])
        crowd.cursor = (await client.join(crowd.stream))["cursor"]
        await client.close()
