"""Activity: the log newest first, runs collapsed, in pages that cost the same however long the log is."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from actors.runtime.log_reads import LogReads
from protocol.activity import EDITS, named_objects
from protocol.comments import AddComment, EditComment
from protocol.custom_fields import DefineField, EditField
from protocol.links import AddLink, RemoveLink
from protocol.log import shard_of
from protocol.members import AddMember, RemoveMember
from protocol.messages import EVENTS, ProjectEvent
from protocol.tasks import CreateTask, EditTask
from server.activity_runs import RUN_ENTRIES_MAX
from server.rest.activity import ENTRIES_MAX
from server.rest.pages import PageSizes
from tests.server.rest.test_events import a_log
from tests.server.rest.test_tasks import NOBODY, pages
from tests.server.world import CHEAP, World, a_world, next_of, problem_of


async def test_the_newest_comes_first_and_pages_hold_everything_once() -> None:
    async with a_world(CHEAP, PageSizes(default=7, largest=500)) as world:
        ada, project, _ = await a_log(world, 600)
        items = await pages(world, ada, f"/v1/projects/{project}/activity?limit=150")
        assert [item["seq"] for item in items] == list(range(601, 0, -1))
        assert items[-1]["events"][0]["kind"] == "ProjectCreated"
        few = await pages(world, ada, f"/v1/projects/{project}/activity?before=9")
        assert [item["seq"] for item in few] == list(range(8, 0, -1))


async def test_a_run_of_edits_by_one_author_is_one_item(world: World) -> None:
    ada, project, _ = await a_log(world, 2)
    bob = await world.register("bob")
    await world.send(ada, project, AddMember(user_id=bob.id, role="member"))
    tasks = await pages(world, ada, f"/v1/projects/{project}/tasks")
    first, second = (task["id"] for task in tasks)
    for user, task in ((ada, first), (ada, first), (ada, second), (ada, first), (bob, first), (bob, first)):
        world.clock.now_s += 1
        await world.send(user, project, EditTask(task_id=task, title=f"at {world.clock.now_s}"))
    world.clock.now_s += 3600
    await world.send(bob, project, EditTask(task_id=first, title="an hour later"))
    world.clock.now_s -= 3600
    items = await pages(world, ada, f"/v1/projects/{project}/activity")
    runs = [(item["author"], item["firstSeq"], item["seq"], item["entries"]) for item in items[:5]]
    assert runs == [
        (bob.id, 11, 11, 1),
        (bob.id, 9, 10, 2),
        (ada.id, 8, 8, 1),
        (ada.id, 7, 7, 1),
        (ada.id, 5, 6, 2),
    ]
    assert len(items[1]["events"]) == 2
    assert items[1]["beganAt"] < items[1]["at"]


async def test_an_edit_of_a_tasks_fields_and_watchers_belongs_to_its_run(world: World) -> None:
    ada, project, _ = await a_log(world, 2)
    first, second = (task["id"] for task in await pages(world, ada, f"/v1/projects/{project}/tasks"))
    size = (await world.send(ada, project, DefineField(name="Size", type="number"))).result["fieldId"]
    for number in range(3):
        await world.send(ada, project, EditTask(task_id=first, fields={size: number}))
        await world.send(ada, project, EditTask(task_id=first, title=f"T{number}", fields={size: number + 9}))
        await world.send(ada, project, EditTask(task_id=first, title=f"U{number}", add_watchers=[ada.id]))
        await world.send(ada, project, EditTask(task_id=first, remove_watchers=[ada.id]))
    await world.send(ada, project, EditTask(task_id=second, fields={size: 1}))
    await world.send(ada, project, EditField(field_id=size, name="Width"))
    await world.send(ada, project, EditField(field_id=size, name="Height"))
    for path, runs in (
        (f"/v1/projects/{project}/activity", [2, 1, 12, 1]),
        (f"/v1/projects/{project}/tasks/{first}/activity", [12, 1]),
        (f"/v1/users/{ada.id}/activity", [2, 1, 12, 1]),
    ):
        items = await pages(world, ada, path)
        assert [item["entries"] for item in items][: len(runs)] == runs, path


def test_every_edit_can_be_a_part_of_a_run() -> None:
    edited = {event.kind for event in get_args(ProjectEvent) if event.kind.endswith("Edited")}
    assert edited | {"FieldValuesSet", "WatchersChanged"} == set(EDITS)
    ids = {name for name in EDITS.values() if name is not None}
    named = {kind: {field.alias for field in EVENTS[kind].model_fields.values()} for kind in EDITS}
    assert all(named[kind] & ids == ({name} if name is not None else set()) for kind, name in EDITS.items())


async def test_a_run_has_an_end_and_no_page_cuts_it(world: World) -> None:
    ada, project, _ = await a_log(world, 1)
    [task] = await pages(world, ada, f"/v1/projects/{project}/tasks")
    for number in range(RUN_ENTRIES_MAX + 10):
        await world.send(ada, project, EditTask(task_id=task["id"], title=f"T{number}"))
    items = await pages(world, ada, f"/v1/projects/{project}/activity?limit=1")
    assert [item["entries"] for item in items] == [RUN_ENTRIES_MAX, 10, 1, 1]


async def test_a_tasks_activity_has_its_comments_and_nothing_of_others(world: World) -> None:
    ada, project, _ = await a_log(world, 2)
    first, second = await pages(world, ada, f"/v1/projects/{project}/tasks")
    said = await world.send(ada, project, AddComment(task_id=first["id"], body="Hm"))
    await world.send(ada, project, AddComment(task_id=second["id"], body="Oh"))
    await world.send(ada, project, EditComment(comment_id=said.result["commentId"], body="Ah"))
    items = await pages(world, ada, f"/v1/projects/{project}/tasks/{first['id']}/activity")
    kinds = [[event["kind"] for event in item["events"]] for item in items]
    assert kinds == [["CommentEdited"], ["CommentAdded"], ["TaskCreated"]]
    await problem_of(await world.http.get(f"/v1/projects/{project}/tasks/{NOBODY}/activity", headers=ada.auth), 404)


async def test_a_quiet_task_in_a_busy_project_comes_in_one_page(world: World) -> None:
    ada, project, _ = await a_log(world, 1)
    [task] = await pages(world, ada, f"/v1/projects/{project}/tasks")
    for _ in range(ENTRIES_MAX + 300):
        await world.send(ada, project, CreateTask(title="x"))
    await world.send(ada, project, EditTask(task_id=task["id"], title="At last"))
    reads = world.feeds.pages.reads
    path = f"/v1/projects/{project}/tasks/{task['id']}/activity"
    page = await world.http.get(path, headers=ada.auth)
    kinds = [item["events"][0]["kind"] for item in await page.json()]
    assert (kinds, next_of(page), world.feeds.pages.reads) == (["TaskEdited", "TaskCreated"], None, reads)
    reads = world.feeds.pages.reads
    await world.http.get(f"/v1/projects/{project}/activity?limit=50", headers=ada.auth)
    assert world.feeds.pages.reads - reads <= 2


@pytest.mark.parametrize("why", ["behind", "standing"])
async def test_while_the_index_is_behind_a_page_looks_at_a_bounded_stretch_of_the_log(world: World, why: str) -> None:
    ada, project, _ = await a_log(world, 1)
    [task] = await pages(world, ada, f"/v1/projects/{project}/tasks")
    for _ in range(ENTRIES_MAX + 300):
        await world.send(ada, project, CreateTask(title="x"))
    if why == "behind":
        world.lists.fresh = False
    else:
        world.lists.standing = frozenset({shard_of(f"project/{project}")})
    reads = world.feeds.pages.reads
    path = f"/v1/projects/{project}/tasks/{task['id']}/activity"
    page = await world.http.get(path, headers=ada.auth)
    assert await page.json() == []
    assert world.feeds.pages.reads - reads <= ENTRIES_MAX / 256 + 2
    assert next_of(page)
    assert len(await pages(world, ada, path)) == 1


async def test_the_activity_about_any_object_also_when_it_is_gone(world: World) -> None:
    ada, project, _ = await a_log(world, 2)
    bob = await world.register("bob")
    await world.send(ada, project, AddMember(user_id=bob.id, role="member"))
    first, second = await pages(world, ada, f"/v1/projects/{project}/tasks")
    linked = await world.send(ada, project, AddLink(type="blocks", task_id=first["id"], other_id=second["id"]))
    await world.send(ada, project, RemoveLink(link_id=linked.result["linkId"]))
    await world.send(ada, project, RemoveMember(user_id=bob.id))

    async def kinds(about: str) -> list[str]:
        items = await pages(world, ada, f"/v1/projects/{project}/activity?limit=1&about={about}")
        return [event["kind"] for item in items for event in item["events"]]

    assert await kinds(linked.result["linkId"]) == ["LinkRemoved", "LinkAdded"]
    assert await kinds(bob.id) == ["MemberRemoved", "MemberAdded"]
    assert await kinds(second["id"]) == ["LinkRemoved", "LinkAdded", "TaskCreated"]
    assert await kinds(NOBODY) == []


async def test_who_has_the_newest_activity_gets_it_once(world: World) -> None:
    ada, project, _ = await a_log(world, 1)
    [task] = await pages(world, ada, f"/v1/projects/{project}/tasks")
    for path in (f"/v1/projects/{project}/activity", f"/v1/projects/{project}/tasks/{task['id']}/activity"):
        first = await world.http.get(path, headers=ada.auth)
        again = {**ada.auth, "If-None-Match": first.headers["ETag"]}
        assert (first.status, (await world.http.get(path, headers=again)).status) == (200, 304)


async def test_strangers_and_those_removed_meanwhile_get_nothing(world: World, monkeypatch: Any) -> None:
    ada, project, _ = await a_log(world, 1)
    bob, eve = await world.register("bob"), await world.register("eve")
    await world.send(ada, project, AddMember(user_id=bob.id, role="viewer"))
    path = f"/v1/projects/{project}/activity"
    await problem_of(await world.http.get(path, headers=eve.auth), 404)
    assert (await world.http.get(path, headers=bob.auth)).status == 200
    honest = LogReads.page_before

    async def slow(self: LogReads, stream: str, before: int) -> Any:
        found = await honest(self, stream, before)
        if before == 4:
            await world.send(ada, project, RemoveMember(user_id=bob.id))
        return found

    monkeypatch.setattr(LogReads, "page_before", slow)
    await problem_of(await world.http.get(path, headers=bob.auth), 404)


@pytest.mark.parametrize("query", ["before=0", "before=x", "limit=0", "after=1"])
async def test_a_query_that_does_not_fit_is_400(world: World, query: str) -> None:
    ada, project, _ = await a_log(world, 0)
    await problem_of(await world.http.get(f"/v1/projects/{project}/activity?{query}", headers=ada.auth), 400)


def test_an_event_names_what_it_is_about() -> None:
    assert set(named_objects({"taskId": "t", "title": "about u", "labels": ["v"]})) == {"t"}
    task = {
        "id": "t",
        "parentId": "p",
        "milestoneId": None,
        "createdBy": "a",
        "assigneeIds": ["b"],
        "fields": {"f": "x"},
    }
    assert set(named_objects({"task": task})) == {"t", "p"}
    assert set(named_objects({"taskId": "t", "changes": {"parentId": "p"}, "was": {"parentId": "o"}})) == {
        "t",
        "p",
        "o",
    }
    assert set(named_objects({"items": [{"taskId": "t"}, {"taskId": "u"}]})) == {"t", "u"}
