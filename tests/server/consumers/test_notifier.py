"""The notifier: everybody whom an entry concerns is told once, however often it is handled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest

from actors.project import notices
from protocol.errors import ErrorCode, Rejection
from protocol.faults import NotApplied
from protocol.log import shard_of
from protocol.messages import UnreadableEvent, unpack_payload
from protocol.tasks import CreateTask, EditTask, EditTasks
from protocol.watchers import WatchTask
from server.consumers.notifier import NOTIFIER, tellings
from server.streams import name_based_id
from storage.memory.consumers import MemoryConsumers
from storage.ports import Move
from tests.server.telling import (
    a_notifier,
    a_project_of_two,
    assign_all,
    inbox,
    log_of,
    tasks_in,
    tell,
    tell_and_crash,
)
from tests.server.world import World, a_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as world:
        yield world


async def test_an_entry_says_whom_it_concerns_and_followers_never_see_that(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    await world.send(ada, project_id, CreateTask(title="x", assignee_ids=[bob.id]))
    entry = (await log_of(world, project_id))[-1]
    [notice] = unpack_payload(entry.payload).notices
    assert (notice["userId"], notice["reasons"]) == (bob.id, ["assigned"])
    [telling] = tellings([entry])
    assert telling.stream == f"user/{bob.id}"
    assert telling.command.source == {"stream": entry.stream, "seq": entry.seq}


async def test_who_is_concerned_is_told_once_however_often_the_entry_is_handled(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    await world.send(ada, project_id, CreateTask(title="x", assignee_ids=[bob.id]))
    entries = await log_of(world, project_id)
    consumers = MemoryConsumers()
    for _ in range(3):
        assert await tell(world, consumers, entries)
    body = await inbox(world, bob)
    assert (body["unread"], len(body["items"])) == (1, 1)
    assert (await inbox(world, ada))["unread"] == 0


async def test_a_checkpoint_that_moved_stops_it(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    await world.send(ada, project_id, CreateTask(title="x", assignee_ids=[bob.id]))
    entries = await log_of(world, project_id)
    consumers = MemoryConsumers()
    shard = shard_of(entries[0].stream)
    assert not await a_notifier(world, consumers).apply({shard: Move(5, 6)}, entries)


async def test_somebody_who_cannot_be_told_now_is_told_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    await world.send(ada, project_id, CreateTask(title="x", assignee_ids=[bob.id]))
    entries, consumers = await log_of(world, project_id), MemoryConsumers()
    with monkeypatch.context() as patch:
        patch.setattr(world.region, "_refusal", lambda stream: Rejection(ErrorCode.UNAVAILABLE, "later"))
        world.region.passivate(f"user/{bob.id}")
        with pytest.raises(NotApplied):
            await tell(world, consumers, entries)
    assert (await consumers.positions(NOTIFIER))[shard_of(entries[0].stream)] == 0
    assert await tell(world, consumers, entries)
    assert (await inbox(world, bob))["unread"] == 1


async def test_a_halted_inbox_holds_nobody_up(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    carol = await world.register("carol")
    await world.add(ada, project_id, carol)
    await world.send(ada, project_id, CreateTask(title="x", assignee_ids=[bob.id, carol.id]))
    entries, consumers = await log_of(world, project_id), MemoryConsumers()
    real = world.region.command

    def halted(request: object) -> object:
        future = real(request)  # type: ignore[arg-type]
        if request.stream == f"user/{bob.id}":  # type: ignore[attr-defined]
            future = future.get_loop().create_future()
            future.set_result(Rejection(ErrorCode.STREAM_HALTED, "halted"))
        return future

    world.region.command = halted  # type: ignore[method-assign,assignment]
    assert await tell(world, consumers, entries)
    [letter] = await consumers.dead_letters(NOTIFIER, 10)
    assert (letter.stream, letter.reason) == (f"user/{bob.id}", "halted")
    world.region.command = real  # type: ignore[method-assign]
    assert (await inbox(world, carol))["unread"] == 1


async def test_what_is_no_entry_stalls_rather_than_is_skipped(world: World) -> None:
    _, _, project_id = await a_project_of_two(world)
    entry = (await log_of(world, project_id))[0]
    with pytest.raises(UnreadableEvent):
        await tell(world, MemoryConsumers(), [replace(entry, payload=b"\xc1")])


# --------------------------------------------------------------------------- entries about several tasks


async def test_of_an_entry_about_several_tasks_each_is_told_under_an_id_of_its_own(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    tasks = await tasks_in(world, ada, project_id, 3)
    seq = await assign_all(world, ada, project_id, tasks, bob)
    stream = f"project/{project_id}"
    found = list(tellings((await log_of(world, project_id))[-1:]))
    assert [(one.user_id, one.command.subject["taskId"]) for one in found] == [(bob.id, task_id) for task_id in tasks]
    first, *others = [one.op_id for one in found]
    assert first == name_based_id("notify", stream, str(seq), bob.id), "the id that a person's only notice always had"
    assert others == [name_based_id("notify", stream, str(seq), bob.id, task_id) for task_id in tasks[1:]]


@pytest.mark.parametrize("told", [0, 1, 2])
async def test_a_crash_between_the_tasks_of_an_entry_tells_of_each_once(world: World, told: int) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    tasks = await tasks_in(world, ada, project_id, 3)
    await assign_all(world, ada, project_id, tasks, bob)
    entry = (await log_of(world, project_id))[-1]
    await tell_and_crash(world, entry, told)
    assert (await inbox(world, bob))["unread"] == told
    for _ in range(2):
        assert await tell(world, MemoryConsumers(), [entry])
    body = await inbox(world, bob)
    lines = [(one["newest"]["number"], one["subject"]["taskId"], one["count"]) for one in body["items"]]
    assert sorted(lines) == [(number, task_id, 1) for number, task_id in enumerate(tasks, 1)]
    assert body["unread"] == 3


@pytest.mark.parametrize("told", [0, 1])
async def test_a_notice_of_the_project_as_such_and_those_behind_it_are_told_once_each(
    world: World, monkeypatch: pytest.MonkeyPatch, told: int
) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    *watched, mine = await tasks_in(world, ada, project_id, 4)
    for task_id in watched:
        await world.send(bob, project_id, WatchTask(task_id=task_id))
    edits = [EditTask(task_id=task_id, title="y") for task_id in watched]
    edits.append(EditTask(task_id=mine, add_assignees=[bob.id]))
    monkeypatch.setattr(notices, "notices", partial(notices.notices, each_max=3))
    seq = (await world.send(ada, project_id, EditTasks(edits=edits))).cursor.seq
    entry = (await log_of(world, project_id))[-1]
    ids = [name_based_id("notify", entry.stream, str(seq), bob.id, *task) for task in ((), (mine,))]
    assert [(one.command.subject["taskId"], one.op_id) for one in tellings([entry])] == [(None, ids[0]), (mine, ids[1])]
    await tell_and_crash(world, entry, told)
    for _ in range(2):
        assert await tell(world, MemoryConsumers(), [entry])
    body = await inbox(world, bob)
    lines = [(one["newest"]["number"], one["subject"]["taskId"], one["reasons"]) for one in body["items"]]
    assert (body["unread"], lines) == (2, [(2, mine, ["assigned"]), (1, None, ["watched"])])
