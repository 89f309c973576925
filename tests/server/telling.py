"""Steps of tests about notifications: a project of two, its log, and the notifier that goes through it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from actors.runtime.request import Outcome, Request
from protocol.errors import ErrorCode, Rejection
from protocol.faults import NotApplied
from protocol.log import Entry, shard_of
from protocol.tasks import CreateTask, EditTask, EditTasks
from server.consumers.notifier import NOTIFIER, Notifier
from storage.memory.consumers import MemoryConsumers
from storage.memory.transactions import MemoryTransaction
from storage.ports import Move
from tests.server.world import User, World

PAGE = 1000


async def a_project_of_two(world: World) -> tuple[User, User, str]:
    """Ada's project with bob in it."""
    ada, bob = await world.register("ada"), await world.register("bob_b")
    project = await world.project(ada)
    await world.add(ada, project["id"], bob)
    return ada, bob, project["id"]


async def tasks_in(world: World, by: User, project_id: str, count: int) -> list[str]:
    """The ids of so many new tasks."""
    made = [await world.send(by, project_id, CreateTask(title=f"Task {number}")) for number in range(count)]
    return [str(one.result["taskId"]) for one in made]


async def assign_all(world: World, by: User, project_id: str, tasks: Sequence[str], to: User) -> int:
    """One entry that assigns all of these tasks; its seq."""
    edits = [EditTask(task_id=task_id, add_assignees=[to.id]) for task_id in tasks]
    return (await world.send(by, project_id, EditTasks(edits=edits))).cursor.seq


async def log_of(world: World, project_id: str) -> Sequence[Entry]:
    return await world.storage.journal.read(f"project/{project_id}", 0, PAGE)


def a_notifier(world: World, consumers: MemoryConsumers) -> Notifier[MemoryTransaction]:
    return Notifier(consumers, world.region, world.clock, 5)


async def tell(world: World, consumers: MemoryConsumers, entries: Sequence[Entry]) -> bool:
    """Handles these entries as if they were all that their shard has."""
    shard = shard_of(entries[0].stream)
    start = (await consumers.positions(NOTIFIER))[shard]
    return await a_notifier(world, consumers).apply({shard: Move(start, start + len(entries))}, entries)


async def inbox(world: World, user: User) -> dict[str, Any]:
    response = await world.http.get(f"/v1/users/{user.id}/notifications", headers=user.auth)
    assert response.status == 200
    body: dict[str, Any] = await response.json()
    return body


async def tell_and_crash(world: World, entry: Entry, told: int) -> None:
    """Tells of so many notices of an entry. No checkpoint moves, and the inboxes' actors forget what they were told."""
    commands = world.region.command
    sent: list[str] = []

    def dies(request: Request) -> asyncio.Future[Outcome]:
        sent.append(request.stream)
        if len(sent) <= told:
            return commands(request)
        gone: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        gone.set_result(Rejection(ErrorCode.UNAVAILABLE, "the process is gone"))
        return gone

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.region, "command", dies)
        with pytest.raises(NotApplied):
            await tell(world, MemoryConsumers(), [entry])
    for stream in set(sent[:told]):
        assert world.region.passivate(stream)
