"""The timekeeper: what an actor says about its timers is in the table once the checkpoint has passed the entry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actors.project.decider import ProjectActor
from protocol.log import shard_of
from protocol.messages import UnreadableEvent
from protocol.profiles import CreateProfile
from protocol.projects import DeleteProject, PurgeProject
from protocol.tasks import DeleteTask, EditTask, RestoreTask
from server.consumers.timekeeper import Timekeeper
from storage.memory.consumers import MemoryConsumers
from storage.memory.timers import MemoryTimers
from storage.ports import Move
from tests.actors.given import MEMBER, OWNER, TASK, Life, a_profile, a_task, moved

MUCH_LATER = "2027-01-01T00:00:00.000Z"


def _keeper(timers: MemoryTimers, consumers: MemoryConsumers) -> Timekeeper[Any]:
    return Timekeeper(consumers, timers, [ProjectActor()])


async def _tell(keeper: Timekeeper[Any], life: Life, start: int, end: int) -> bool:
    entries = [moved(entry, number) for number, entry in enumerate(life.entries, 1)]
    return await keeper.apply({shard_of(life.stream): Move(start, end)}, entries[start:end])


def _due_task() -> Life:
    life = a_task()
    life.given((MEMBER, EditTask(task_id=TASK, due_date="2026-04-02")))
    return life


async def test_timers_are_set_and_cleared_with_the_checkpoint() -> None:
    timers, consumers, life = MemoryTimers(), MemoryConsumers(), _due_task()
    keeper, shard, dated = _keeper(timers, consumers), shard_of(life.stream), len(life.entries)
    assert await _tell(keeper, life, 0, dated)
    [due] = await timers.due([shard], MUCH_LATER, 10)
    assert (due.stream, due.name, due.due_at) == (life.stream, f"due:{TASK}", "2026-04-01T00:00:00.000Z")
    life.given((MEMBER, EditTask(task_id=TASK, due_date=None)))
    assert await _tell(keeper, life, dated, dated + 1)
    assert await timers.due([shard], MUCH_LATER, 10) == []
    assert (await consumers.positions("timekeeper"))[shard] == dated + 1


async def test_a_task_that_comes_back_wakes_its_timer_by_the_seq_of_the_entry() -> None:
    timers, consumers, life = MemoryTimers(), MemoryConsumers(), _due_task()
    keeper, shard, dated = _keeper(timers, consumers), shard_of(life.stream), len(life.entries)
    assert await _tell(keeper, life, 0, dated)
    [due] = await timers.due([shard], MUCH_LATER, 10)
    assert due.seq == dated
    await timers.rest(due, MUCH_LATER)
    life.given((MEMBER, DeleteTask(task_id=TASK)), (MEMBER, RestoreTask(task_id=TASK)))
    assert await _tell(keeper, life, dated, dated + 2)
    assert await timers.due([shard], MUCH_LATER, 10) == [replace(due, seq=dated + 2)]


async def test_a_purged_project_leaves_no_timer() -> None:
    timers, consumers, life = MemoryTimers(), MemoryConsumers(), _due_task()
    keeper, dated = _keeper(timers, consumers), len(life.entries)
    assert await _tell(keeper, life, 0, dated)
    life.given((OWNER, DeleteProject()), (OWNER, PurgeProject()))
    assert await _tell(keeper, life, dated, dated + 2)
    assert await timers.due([shard_of(life.stream)], MUCH_LATER, 10) == []


async def test_a_late_timekeeper_sets_nothing() -> None:
    timers, consumers, life = MemoryTimers(), MemoryConsumers(), _due_task()
    keeper = _keeper(timers, consumers)
    assert not await _tell(keeper, life, 3, len(life.entries))
    assert await timers.due([shard_of(life.stream)], MUCH_LATER, 10) == []


async def test_a_stream_that_no_actor_answers_for_is_not_skipped() -> None:
    life = a_profile(OWNER)
    life.given((OWNER, CreateProfile()))
    with pytest.raises(UnreadableEvent):
        await _tell(_keeper(MemoryTimers(), MemoryConsumers()), life, 0, 1)
