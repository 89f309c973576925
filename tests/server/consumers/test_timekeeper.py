"""The timekeeper: what an actor says about its timers is in the table once the checkpoint has passed the entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from actors.project.decider import ProjectActor
from actors.runtime.actor import EntryMeta, TimerChange
from protocol.log import shard_of
from protocol.messages import UnreadableEvent
from protocol.profiles import CreateProfile
from protocol.tasks import EditTask, TaskCreated, TaskEdited
from server.consumers.timekeeper import Timekeeper
from storage.memory.consumers import MemoryConsumers
from storage.memory.timers import MemoryTimers
from storage.ports import Move
from tests.actors.given import MEMBER, OWNER, TASK, Life, a_profile, a_task, moved

DUE = "2026-04-01T00:00:00.000Z"


class Reminding(ProjectActor):
    """Sets a timer for every task, and clears it when the task is edited."""

    timer_events = frozenset({"TaskCreated", "TaskEdited"})

    def timers(self, event: Any, meta: EntryMeta) -> Sequence[TimerChange]:
        match event:
            case TaskCreated():
                return [TimerChange(f"due:{event.task['id']}", DUE)]
            case TaskEdited():
                return [TimerChange(f"due:{event.task_id}", None)]
            case _:
                return ()


def _keeper(timers: MemoryTimers, consumers: MemoryConsumers) -> Timekeeper[Any]:
    return Timekeeper(consumers, timers, [Reminding()])


async def _tell(keeper: Timekeeper[Any], life: Life, start: int, end: int) -> bool:
    entries = [moved(entry, number) for number, entry in enumerate(life.entries, 1)]
    return await keeper.apply({shard_of(life.stream): Move(start, end)}, entries[start:end])


async def test_timers_are_set_and_cleared_with_the_checkpoint() -> None:
    timers, consumers, life = MemoryTimers(), MemoryConsumers(), a_task()
    keeper, shard, created = _keeper(timers, consumers), shard_of(life.stream), len(life.entries)
    assert await _tell(keeper, life, 0, created)
    [due] = await timers.due([shard], DUE, 10)
    assert (due.stream, due.name, due.due_at) == (life.stream, f"due:{TASK}", DUE)
    life.given((MEMBER, EditTask(task_id=TASK, title="Sooner")))
    assert await _tell(keeper, life, created, created + 1)
    assert await timers.due([shard], DUE, 10) == []
    assert (await consumers.positions("timekeeper"))[shard] == created + 1


async def test_a_late_timekeeper_sets_nothing() -> None:
    timers, consumers, life = MemoryTimers(), MemoryConsumers(), a_task()
    keeper = _keeper(timers, consumers)
    assert not await _tell(keeper, life, 3, len(life.entries))
    assert await timers.due([shard_of(life.stream)], DUE, 10) == []


async def test_a_stream_that_no_actor_answers_for_is_not_skipped() -> None:
    life = a_profile(OWNER)
    life.given((OWNER, CreateProfile()))
    with pytest.raises(UnreadableEvent):
        await _tell(_keeper(MemoryTimers(), MemoryConsumers()), life, 0, 1)
