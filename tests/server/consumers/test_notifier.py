"""The notifier: everybody whom an entry concerns is told once, however often it is handled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from protocol.comments import AddComment, DeleteComment, EditComment
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command
from protocol.faults import NotApplied
from protocol.links import AddLink
from protocol.log import Entry, shard_of
from protocol.messages import UnreadableEvent, unpack_payload
from protocol.tasks import CreateTask, DeleteTask, EditTask, RestoreTask
from protocol.watchers import WatchTask
from server.consumers.notifier import NOTIFIER, Notifier, tellings
from storage.memory.consumers import MemoryConsumers
from storage.memory.transactions import MemoryTransaction
from storage.ports import Move
from tests.server.world import User, World, a_world

PAGE = 1000


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as world:
        yield world


async def a_project_of_two(world: World) -> tuple[User, User, str]:
    """Ada's project with bob in it."""
    ada, bob = await world.register("ada"), await world.register("bob_b")
    project = await world.project(ada)
    await world.add(ada, project["id"], bob)
    return ada, bob, project["id"]


async def log_of(world: World, project_id: str) -> Sequence[Entry]:
    return await world.storage.journal.read(f"project/{project_id}", 0, PAGE)


def a_notifier(world: World, consumers: MemoryConsumers) -> Notifier[MemoryTransaction]:
    return Notifier(consumers, world.region, world.clock, 5)


async def tell(world: World, consumers: MemoryConsumers, entries: Sequence[Entry]) -> bool:
    """Handles these entries as if they were all that their shard has."""
    shard = shard_of(entries[0].stream)
    start = (await consumers.positions(NOTIFIER))[shard]
    return await a_notifier(world, consumers).apply({shard: Move(start, start + len(entries))}, entries)


async def inbox(world: World, user: User) -> dict[str, object]:
    response = await world.http.get(f"/v1/users/{user.id}/notifications", headers=user.auth)
    assert response.status == 200
    body: dict[str, object] = await response.json()
    return body


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
    assert (body["unread"], len(body["items"])) == (1, 1)  # type: ignore[arg-type]
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


# --------------------------------------------------------------------------- explained


async def explained(world: World, asked_by: User, about: User, project_id: str, seq: int) -> tuple[int, str]:
    query = {"stream": f"project/{project_id}", "seq": str(seq)}
    address = f"/v1/users/{about.id}/notifications/explain"
    response = await world.http.get(address, params=query, headers=asked_by.auth)
    body = await response.json()
    return response.status, body.get("why", body.get("code"))


async def test_everybody_can_ask_why_they_were_or_were_not_told(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    stranger = await world.register("carol")
    made = await world.send(ada, project_id, CreateTask(title="x", assignee_ids=[bob.id]))
    seq = made.cursor.seq
    assert await explained(world, bob, bob, project_id, seq) == (200, "notYet")
    assert await explained(world, ada, ada, project_id, seq) == (200, "ownAction")
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    assert await explained(world, bob, bob, project_id, seq) == (200, "told")
    edit = EditTask(task_id=made.result["taskId"], title="y")
    changed, unchanged = [(await world.send(ada, project_id, edit)).cursor.seq for _ in range(2)]
    for edited in (changed, unchanged):
        assert await explained(world, bob, bob, project_id, edited) == (200, "notConcerned")
    assert await explained(world, bob, bob, project_id, 99) == (404, "not_found")
    assert await explained(world, stranger, stranger, project_id, seq) == (404, "not_found")
    assert await explained(world, stranger, bob, project_id, seq) == (404, "not_found")


async def test_a_watcher_is_told_when_entries_of_that_kind_tell_nobody(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    made = [await world.send(ada, project_id, CreateTask(title=title)) for title in ("x", "y")]
    task, other = [one.result["taskId"] for one in made]
    said = await world.send(ada, project_id, AddComment(task_id=task, body="?"))
    await world.send(bob, project_id, WatchTask(task_id=task))
    comment = said.result["commentId"]
    quiet: list[Command] = [
        EditComment(comment_id=comment, body="!"),
        DeleteComment(comment_id=comment),
        AddLink(task_id=task, other_id=other, type="relates"),
    ]
    loud: list[Command] = [DeleteTask(task_id=task), RestoreTask(task_id=task)]
    seqs = [(await world.send(ada, project_id, command)).cursor.seq for command in (*quiet, *loud)]
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    found = [(await explained(world, bob, bob, project_id, seq))[1] for seq in seqs]
    assert found == ["quietKind"] * 3 + ["told"] * 2


async def test_a_muted_project_is_given_as_the_reason(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    muted = await world.http.put(f"/v1/users/{bob.id}/preferences/muted/{project_id}", headers=bob.auth)
    assert (await muted.json())["mutedProjectIds"] == [project_id]
    made = await world.send(ada, project_id, CreateTask(title="x", assignee_ids=[bob.id]))
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    assert await explained(world, bob, bob, project_id, made.cursor.seq) == (200, "projectMuted")
    assert (await inbox(world, bob))["unread"] == 0
