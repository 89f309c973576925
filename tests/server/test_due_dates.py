"""Reminders of due dates on a running server: from the log into the table of timers, and from there to people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from typing import Any

import pytest

from actors.profile.decider import ProfileActor
from actors.project.decider import ProjectActor
from actors.runtime.actor import AnyActor
from actors.runtime.timers import TimerService
from actors.user.decider import UserActor
from protocol.event import Command
from protocol.log import shard_of
from protocol.messages import unpack_payload
from protocol.projects import ArchiveProject, DeleteProject, RestoreProject, UnarchiveProject
from protocol.tasks import CreateTask, DeleteTask, EditTask, RestoreTask
from server.consumers.timekeeper import TIMEKEEPER, Timekeeper
from storage.ports import Move
from tests.server.telling import PAGE, a_project_of_two, inbox, log_of, tell
from tests.server.world import User, World, a_world

Make = Callable[[str], Command]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as world:
        yield world


async def time_passes(world: World, project_id: str, beats: int = 2) -> None:
    """The timekeeper catches up with the project's shard, then due timers fire; more than once, as on a server.

    Others may have that shard, too: their ids are drawn.
    """
    shard = shard_of(f"project/{project_id}")
    actors: list[AnyActor] = [ProjectActor(), ProfileActor(), UserActor()]
    keeper = Timekeeper(world.storage.consumers, world.storage.timers, actors)
    service = TimerService(actors, world.storage.timers, world.region, world.shards, world.clock, 10.0)
    for _ in range(beats):
        start = (await world.storage.consumers.positions(TIMEKEEPER))[shard]
        entries = await world.storage.journal.read_shard(shard, start, PAGE)
        if entries:
            assert await keeper.apply({shard: Move(start, entries[-1].pos)}, entries)
        await service.fire_due()


async def carry_out(world: World, by: User, project_id: str, command: Command) -> None:
    """The command, and everything that follows from it."""
    await world.send(by, project_id, command)
    await time_passes(world, project_id)


async def a_task_due_tomorrow(world: World, by: User, project_id: str, assignee: User) -> tuple[str, str]:
    """The task's id and its due date."""
    due = (date.fromisoformat(world.clock.now()[:10]) + timedelta(days=1)).isoformat()
    made = await world.send(by, project_id, CreateTask(title="x", due_date=due, assignee_ids=[assignee.id]))
    return str(made.result["taskId"]), due


async def reminders(world: World, project_id: str) -> list[Any]:
    """What the log says of due dates that came near: (task, date)."""
    events = [event for entry in await log_of(world, project_id) for event in unpack_payload(entry.payload).events]
    return [(e["data"]["taskId"], e["data"]["dueDate"]) for e in events if e["kind"] == "DueDateNeared"]


WAYS: dict[str, tuple[Make, Make]] = {
    "reopened": (
        lambda task: EditTask(task_id=task, state_id="done"),
        lambda task: EditTask(task_id=task, state_id="todo"),
    ),
    "restored": (lambda task: DeleteTask(task_id=task), lambda task: RestoreTask(task_id=task)),
    "unarchived": (lambda _: ArchiveProject(), lambda _: UnarchiveProject()),
    "project restored": (lambda _: DeleteProject(), lambda _: RestoreProject()),
}


@pytest.mark.parametrize(("away", "back"), WAYS.values(), ids=WAYS)
async def test_who_works_on_a_task_is_told_once_when_it_comes_back_in_time(
    world: World, away: Make, back: Make
) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    task, due = await a_task_due_tomorrow(world, ada, project_id, bob)
    await carry_out(world, ada, project_id, away(task))
    assert await reminders(world, project_id) == []
    await carry_out(world, ada, project_id, back(task))
    assert await reminders(world, project_id) == [(task, due)]
    await tell(world, world.storage.consumers, await log_of(world, project_id))
    [told] = (await inbox(world, bob))["items"]
    assert (told["subject"]["taskId"], told["reasons"], told["count"]) == (task, ["assigned", "dueSoon"], 2)
    for command in (away(task), back(task)):
        await carry_out(world, ada, project_id, command)
    assert await reminders(world, project_id) == [(task, due)]


async def test_a_date_that_is_taken_away_and_set_again_at_once_is_told_of_once(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    task, due = await a_task_due_tomorrow(world, ada, project_id, bob)
    await carry_out(world, ada, project_id, EditTask(task_id=task, state_id="done"))
    for edit in ({"state_id": "todo", "due_date": None}, {"due_date": due}, {"due_date": None}, {"due_date": due}):
        await carry_out(world, ada, project_id, EditTask(task_id=task, **edit))
    assert await reminders(world, project_id) == [(task, due)]


async def test_a_task_that_comes_back_after_its_day_reminds_nobody(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    task, _ = await a_task_due_tomorrow(world, ada, project_id, bob)
    await carry_out(world, ada, project_id, EditTask(task_id=task, state_id="done"))
    world.clock.now_s += 2 * 86_400
    await carry_out(world, ada, project_id, EditTask(task_id=task, state_id="todo"))
    assert await reminders(world, project_id) == []
