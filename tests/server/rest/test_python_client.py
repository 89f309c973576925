"""Bulk reads of our own Python client against the real routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pantherahive_client import Client, Forbidden, NotFound, Unauthenticated
from protocol.comments import AddComment
from protocol.custom_fields import DefineField
from protocol.invitations import InviteMember
from protocol.links import AddLink
from protocol.milestones import CreateMilestone
from protocol.tasks import CreateTask, DeleteTask, EditTask
from protocol.watchers import WatchTask
from tests.server.world import ADMIN_TOKEN, User, World


@asynccontextmanager
async def client_of(world: World, user: User | None) -> AsyncIterator[Client]:
    """It reads over REST alone, so it need not connect."""
    client = Client(str(world.http.make_url("")), token=user.token if user is not None else ADMIN_TOKEN)
    try:
        yield client
    finally:
        await client.aclose()


async def a_busy_project(world: World, ada: User, ben: User) -> tuple[str, list[str]]:
    """Five tasks of which the last is deleted, a thread with a reply, and one of everything else."""
    project_id: str = (await world.project(ada))["id"]
    await world.add(ada, project_id, ben)
    tasks = [
        (await world.send(ada, project_id, CreateTask(title=f"Task {number}", assignee_ids=[ben.id]))).result["taskId"]
        for number in range(5)
    ]
    first = (await world.send(ben, project_id, AddComment(task_id=tasks[0], body="Why?"))).result["commentId"]
    await world.send(ada, project_id, AddComment(task_id=tasks[0], body="So.", reply_to=first))
    await world.send(ada, project_id, AddLink(task_id=tasks[0], type="blocks", other_id=tasks[1]))
    await world.send(ada, project_id, CreateMilestone(name="Launch"))
    await world.send(ada, project_id, DefineField(name="Part", type="text"))
    await world.send(ben, project_id, WatchTask(task_id=tasks[1]))
    await world.send(ada, project_id, EditTask(task_id=tasks[1], state_id="done"))
    await world.send(ada, project_id, DeleteTask(task_id=tasks[4]))
    return project_id, tasks


async def test_lists_of_a_project_come_whole_page_after_page(world: World) -> None:
    ada, ben, eve = [await world.register(name) for name in ("ada", "ben", "eve")]
    project_id, tasks = await a_busy_project(world, ada, ben)
    await world.send(ada, project_id, InviteMember(user_id=eve.id, role="viewer"))
    async with client_of(world, ada) as hive:
        reads = hive.reads(project_id)
        assert (await reads.project())["name"] == "Apollo"
        listing = reads.tasks(page_size=2)
        assert [task["id"] async for task in listing] == tasks[:4]
        assert listing.cursor is not None
        assert not listing.has_more
        assert await listing.page() == []
        assert [task["number"] for task in await reads.tasks(parent="none").all()] == [1, 2, 3, 4]
        assert (await reads.task(tasks[4]))["deletedAt"] is not None
        [thread] = await reads.comments(tasks[0]).all()
        assert (thread["body"], thread["replyCount"]) == ("Why?", 1)
        [reply] = await reads.replies(thread["id"]).all()
        assert (await reads.comment(reply["id"]))["threadId"] == thread["id"]
        assert {one["userId"] for one in await reads.members(page_size=1).all()} == {ada.id, ben.id}
        [link] = await reads.links(task_id=tasks[0]).all()
        assert (await reads.link(link["id"])) == link
        [milestone] = await reads.milestones().all()
        assert (await reads.milestone(milestone["id"])) == milestone
        assert [one["name"] for one in await reads.fields().all()] == ["Part"]
        assert len(await reads.roles().all()) == 5
        assert [one["userId"] for one in await reads.invitations().all()] == [eve.id]
        assert (await hive.resolve_link("APOLLO-2"))["taskId"] == tasks[1]
    async with client_of(world, eve) as stranger:
        with pytest.raises(NotFound):
            await stranger.reads(project_id).tasks().all()
        assert [one["projectName"] for one in await stranger.own_invitations().all()] == ["Apollo"]


async def test_the_past_is_read_as_it_was(world: World) -> None:
    ada, ben = await world.register("ada"), await world.register("ben")
    project_id, tasks = await a_busy_project(world, ada, ben)
    async with client_of(world, ada) as hive:
        reads = hive.reads(project_id)
        entries = await reads.entries(page_size=3).all()
        assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
        created = next(entry["seq"] for entry in entries if entry["events"][0]["kind"] == "TaskCreated")
        then = hive.reads(project_id, as_of=created + 4)
        assert [task["id"] for task in await then.tasks(page_size=2).all()] == tasks
        assert await then.comments(tasks[0]).all() == []
        after = await reads.entries(after=len(entries) - 2).all()
        assert after == entries[-2:]
        differences = await reads.diff(created + 4, page_size=2).all()
        assert {one["collection"] for one in differences} >= {"tasks", "comments", "links", "milestones", "fields"}
        items = await reads.activity(page_size=2).all()
        assert items[0]["seq"] == len(entries)
        of_task = await reads.activity(task_id=tasks[0]).all()
        assert {event["kind"] for item in of_task for event in item["events"]} >= {"TaskCreated", "CommentAdded"}
        by_ben = await hive.activity_of(ben.id).all()
        assert {item["projectId"] for item in by_ben} == {project_id}


async def test_exports_come_line_by_line_to_their_end(world: World) -> None:
    ada, ben = await world.register("ada"), await world.register("ben")
    project_id, _ = await a_busy_project(world, ada, ben)
    async with client_of(world, ada) as hive:
        lines = [line async for line in hive.reads(project_id).export()]
        assert lines[-1]["end"] == f"project/{project_id}"
        assert sum("entry" in line for line in lines) == lines[-1]["entries"] > 10
        records = [line async for line in hive.reads(project_id, as_of=3).export(entries=False)]
        assert {line["object"] for line in records[1:-1]} == {"project", "members", "tasks"}
        own = [line async for line in hive.export_account()]
        assert own[-1]["end"] == f"profile/{ada.id}"
        with pytest.raises(Forbidden):
            [line async for line in hive.export_account(ben.id)]
    async with client_of(world, None) as operator:
        assert [line async for line in operator.export_account(ben.id)][-1]["end"] == f"profile/{ben.id}"
        with pytest.raises(Unauthenticated):
            await operator.inbox()


async def test_lists_across_projects_are_one_s_own(world: World) -> None:
    ada, ben = await world.register("ada"), await world.register("ben", email="ben@example.org")
    project_id, tasks = await a_busy_project(world, ada, ben)
    for number in range(3):
        await world.project(ben, f"Own {number}")
    async with client_of(world, ben) as hive:
        assert len(await hive.projects(page_size=2).all()) == 4
        assert await hive.projects(public=True).all() == []
        assert await hive.projects(deleted=True).all() == []
        assert {task["id"] for task in await hive.own_tasks(page_size=2).all()} == set(tasks[:4])
        assert {task["id"] for task in await hive.own_tasks(is_open=False).all()} == {tasks[1]}
        [watched] = await hive.watched_tasks().all()
        assert (watched["id"], watched["projectId"]) == (tasks[1], project_id)
        found = await hive.find_user("ada")
        assert found is not None
        assert (found["userId"], await hive.find_user("nobody")) == (ada.id, None)
        assert (await hive.profile(ben.id)).get("email") == "ben@example.org"
        assert "email" not in await hive.profile(ada.id)
        assert await hive.listing("/v1/projects", {"limit": 1}).page()


async def test_the_inbox_is_read_in_groups(world: World) -> None:
    ada, ben = await world.register("ada"), await world.register("ben")
    project_id, tasks = await a_busy_project(world, ada, ben)
    async with client_of(world, ben) as hive:
        inbox = await hive.inbox(limit=1)
        assert (inbox["unread"], inbox["readUpTo"], inbox["items"]) == (0, 0, [])
        assert await hive.notifications().all() == []
        explained = await hive.explain_notification(f"project/{project_id}", 3)
        assert (explained["why"], explained["reasons"]) == ("notYet", ["assigned"])
        of_another = await hive.explain_notification(f"project/{project_id}", 3, task_id=tasks[-1])
        assert (of_another["why"], of_another["reasons"]) == ("notConcerned", [])
        assert (await hive.preferences())["mutedProjectIds"] == []
