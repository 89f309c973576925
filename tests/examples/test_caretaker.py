"""The caretaker welcomes members and closes what is stale, each once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from examples.caretaker import Caretaker, in_words
from pantherahive_client import Invalid, MemoryCursors, derived_id, rehearse, run_bot
from pantherahive_client.ids import made_id
from pantherahive_client.project import Project
from tests.client.waiting import until
from tests.examples.given import Person, a_bot, command, has_begun, register
from tests.server.composed import composed_server

STALE_AFTER = timedelta(days=30)


@pytest.fixture
async def url(database_dsn: str, tmp_path: Path) -> AsyncIterator[str]:
    async with composed_server(database_dsn, tmp_path) as server:
        yield server.url


@pytest.fixture
async def ada(url: str) -> Person:
    return await register(url, "ada")


@pytest.fixture
async def project_id(ada: Person) -> str:
    return str((await ada.api.ask("POST", "/v1/projects", {"name": "Apollo"}))["id"])


@asynccontextmanager
async def caretaking(bot: Person, project_id: str, cursors: MemoryCursors, in_days: float = 0) -> AsyncIterator[None]:
    """The bot at work, as if it was so many days later."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC) + timedelta(days=in_days)  # noqa: E731
    async with bot.client() as hive:
        caretaker = Caretaker(STALE_AFTER)
        running = run_bot(hive, project_id, caretaker, "caretaker", cursors=cursors, clock=clock, look_every_s=0.02)
        task = asyncio.create_task(running)
        try:
            await until(lambda: has_begun(cursors) or task.done())
            yield
            assert not task.done(), task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])


def titled(project: Project, title: str) -> Any:
    [task] = [task for task in project.state.living_tasks() if task["title"] == title]
    return task


def said(project: Project, title: str) -> list[str]:
    task = titled(project, title)
    return [comment["body"] for comment in project.state.comments.values() if comment["taskId"] == task["id"]]


async def test_each_new_member_is_welcomed_once_and_finds_it_in_the_inbox(
    url: str, ada: Person, project_id: str
) -> None:
    bob, eve = await register(url, "bob"), await register(url, "eve")
    bot, cursors = await a_bot(ada, project_id, "caretaker"), MemoryCursors()
    async with ada.client() as hive, hive.project(project_id) as project:
        async with caretaking(bot, project_id, cursors):
            await command(ada, project_id, "AddMember", userId=bob.id, role="member")
            await until(lambda: len(project.state.comments) == 1)
        await command(ada, project_id, "AddMember", userId=eve.id, role="viewer")
        async with caretaking(bot, project_id, cursors):
            await until(lambda: len(project.state.comments) == 2)
        assert said(project, "Welcome") == ["Welcome, @bob!", "Welcome, @eve!"]
        assert {comment["authorId"] for comment in project.state.comments.values()} == {bot.id}
    for person in (bob, eve):
        groups: Any = []
        async with asyncio.timeout(10):
            while not groups:
                groups = (await person.api.ask("GET", f"/v1/users/{person.id}/notifications"))["items"]
        assert groups[0]["reasons"] == ["mentioned"]


async def test_a_task_that_nobody_touches_is_closed_with_a_word_and_stays_closed_once(
    ada: Person, project_id: str
) -> None:
    bot, cursors = await a_bot(ada, project_id, "caretaker"), MemoryCursors()
    await command(ada, project_id, "CreateTask", title="Old")
    await command(ada, project_id, "CreateTask", title="Done", stateId="done")
    async with ada.client() as hive, hive.project(project_id) as project:
        async with caretaking(bot, project_id, cursors):
            pass
        async with caretaking(bot, project_id, cursors, in_days=29):
            before = dict(cursors.texts)
            await until(lambda: cursors.texts != before)
        assert (titled(project, "Old")["stateId"], project.state.comments) == ("backlog", {})
        for _ in range(2):
            async with caretaking(bot, project_id, cursors, in_days=31):
                await until(lambda: len(project.state.comments) == 1)
        assert (titled(project, "Old")["stateId"], titled(project, "Old")["labels"]) == ("cancelled", ["stale"])
        assert titled(project, "Done")["stateId"] == "done"
        [why] = said(project, "Old")
        assert why.startswith("Closed: nothing has changed for 30 days.")


async def test_nobody_uses_up_the_ids_of_what_it_is_going_to_make(url: str, ada: Person, project_id: str) -> None:
    """Who knows the bot and its name foresees its opIds, and the ids that the SDK makes of them."""
    eve, cat, bob = [await register(url, name) for name in ("eve", "cat", "bob")]
    bot, cursors = await a_bot(ada, project_id, "caretaker"), MemoryCursors()
    for person, role in ((eve, "member"), (cat, "commenter")):
        await command(ada, project_id, "AddMember", userId=person.id, role=role)
    old = (await command(ada, project_id, "CreateTask", title="Old"))["taskId"]
    touched = (await ada.api.ask("GET", f"/v1/projects/{project_id}/tasks/{old}"))["updatedAt"]
    stream = f"project/{project_id}"
    welcome = derived_id(bot.id, "caretaker", stream, "once", "welcome")
    why = derived_id(bot.id, "caretaker", stream, "once", "stale", old, touched, "why")
    async with eve.client() as member, cat.client() as commenter:
        with pytest.raises(Invalid, match="taskId"):
            await member.command(stream, "CreateTask", {"taskId": made_id(welcome, "taskId"), "title": "Mine"})
        mine = {"commentId": made_id(why, "commentId"), "taskId": old, "body": "Mine"}
        with pytest.raises(Invalid, match="commentId"):
            await commenter.command(stream, "AddComment", mine)
    async with ada.client() as hive, hive.project(project_id) as project:
        async with caretaking(bot, project_id, cursors):
            await command(ada, project_id, "AddMember", userId=bob.id, role="viewer")
            await until(lambda: len(project.state.comments) == 1)
        async with caretaking(bot, project_id, cursors, in_days=31):
            await until(lambda: len(project.state.comments) == 2)
        assert titled(project, "Welcome")["id"] == made_id(welcome, "taskId")
        assert made_id(why, "commentId") in project.state.comments
        assert (said(project, "Welcome"), titled(project, "Old")["stateId"]) == (["Welcome, @bob!"], "cancelled")


def test_the_time_is_told_as_it_was_asked_for() -> None:
    told = {30: "30 days", 1: "1 day", 0.5: "0.5 days", 1.25: "1.25 days"}
    assert {days: in_words(timedelta(days=days)) for days in told} == told


async def test_what_somebody_touches_in_that_moment_is_left_alone(ada: Person, project_id: str) -> None:
    """The bot decides by a state that is older than what it meets."""
    bot, cursors = await a_bot(ada, project_id, "caretaker"), MemoryCursors()
    task = await command(ada, project_id, "CreateTask", title="Old")
    looked: list[object] = []

    class Slow(Caretaker):
        async def _close(self, *arguments: Any) -> None:
            await command(ada, project_id, "EditTask", taskId=task["taskId"], stateId="in-progress")
            await super()._close(*arguments)
            looked.append(arguments)

    clock: Callable[[], datetime] = lambda: datetime.now(UTC) + timedelta(days=31 * has_begun(cursors))  # noqa: E731
    async with bot.client() as hive, ada.client() as own, own.project(project_id) as project:
        running = run_bot(
            hive, project_id, Slow(STALE_AFTER), "caretaker", cursors=cursors, clock=clock, look_every_s=0.02
        )
        life = asyncio.create_task(running)
        await until(lambda: bool(looked) or life.done())
        life.cancel()
        await asyncio.wait([life])
        await until(lambda: titled(project, "Old")["stateId"] == "in-progress")
        assert project.state.comments == {}


async def test_a_rehearsal_says_what_it_would_have_closed(ada: Person, project_id: str) -> None:
    bot = await a_bot(ada, project_id, "caretaker")
    await command(ada, project_id, "CreateTask", title="Old")
    async with bot.client() as hive:
        later = datetime.now(UTC) + timedelta(days=31)
        found = await rehearse(hive, project_id, Caretaker(STALE_AFTER), "caretaker", after=1, until=later)
    assert [(act.command, act.foreseen) for act in found.acts] == [
        ("EditTask", ("TaskEdited",)),
        ("AddComment", ("CommentAdded",)),
    ]
