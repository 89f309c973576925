"""A bot on the whole server is stopped, and goes on behind the very event that it was done with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from pantherahive_client import BotProject, FileCursors, ProjectEvent, ProjectState, run_bot
from tests.client.waiting import until
from tests.examples.given import Api, Person, a_bot, command, register
from tests.server.composed import Composed, composed_server

WITHIN_S = 5.0
"""Longer than a bot waits for its cursors' place at its end."""


class Mailer:
    """A handler whose acts no `opId` can undo; it waits for ever at one title."""

    def __init__(self, waits_at: str = "") -> None:
        self.mails: list[str] = []
        # Titles at which the handler was called, in their order.
        self.heard: list[str] = []
        self._waits_at = waits_at

    async def __call__(self, event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        if event.kind == "TaskEdited":
            title = state.tasks[event.data["taskId"]]["title"]
            self.heard.append(title)
            if title == self._waits_at:
                await asyncio.Event().wait()
            self.mails.append(title)


@pytest.fixture
async def server(database_dsn: str, tmp_path: Path) -> AsyncIterator[tuple[Composed, AsyncExitStack]]:
    """The server, and what takes it away."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(composed_server(database_dsn, tmp_path)), stack


async def edited(ada: Person, project_id: str, titles: str) -> None:
    """New tasks get their titles in one entry."""
    tasks = [(await command(ada, project_id, "CreateTask", title="new"))["taskId"] for _ in titles]
    edits = [{"taskId": task, "title": title} for task, title in zip(tasks, titles, strict=True)]
    await command(ada, project_id, "EditTasks", edits=edits)


async def heard(mailer: Mailer, title: str, life: asyncio.Task[None]) -> None:
    """Returns when the bot has heard of that title, or has ended."""
    await until(lambda: title in mailer.heard or life.done())


async def stopped(life: asyncio.Task[None]) -> None:
    life.cancel()
    async with asyncio.timeout(WITHIN_S):
        await asyncio.wait([life])
    assert life.cancelled()


async def test_a_stopped_bot_mails_once_of_each_event(server: tuple[Composed, AsyncExitStack], tmp_path: Path) -> None:
    ada = await register(server[0].url, "ada")
    project_id = (await ada.api.ask("POST", "/v1/projects", {"name": "Apollo"}))["id"]
    bot, cursors = await a_bot(ada, project_id, "mailer"), FileCursors(tmp_path / "cursors")
    first, second, third = Mailer(waits_at="c"), Mailer(), Mailer()
    await edited(ada, project_id, "abcd")
    async with bot.client() as hive:
        for mailer, last in ((first, "c"), (second, "d"), (third, "f")):
            life = asyncio.create_task(run_bot(hive, project_id, mailer, "mailer", cursors=cursors, start="0.0"))
            await heard(mailer, last, life)
            await stopped(life)
            if mailer is second:
                await edited(ada, project_id, "ef")
    assert [mailer.mails for mailer in (first, second, third)] == [["a", "b"], ["c", "d"], ["e", "f"]]


async def test_a_bot_is_stopped_while_the_server_is_away_and_goes_on_with_the_next_one(
    server: tuple[Composed, AsyncExitStack], database_dsn: str, tmp_path: Path
) -> None:
    ada = await register(server[0].url, "ada")
    project_id = (await ada.api.ask("POST", "/v1/projects", {"name": "Apollo"}))["id"]
    bot, cursors = await a_bot(ada, project_id, "mailer"), FileCursors(tmp_path / "cursors")
    first, second = Mailer(waits_at="c"), Mailer()
    await edited(ada, project_id, "abc")
    async with bot.client() as hive:
        life = asyncio.create_task(run_bot(hive, project_id, first, "mailer", cursors=cursors, start="0.0"))
        await heard(first, "c", life)
        await server[1].aclose()
        await until(lambda: not hive.is_connected)
        await stopped(life)
    async with composed_server(database_dsn, tmp_path) as again:
        there = Person(bot.id, bot.name, Api(again.url, bot.api.token))
        async with there.client() as hive:
            life = asyncio.create_task(run_bot(hive, project_id, second, "mailer", cursors=cursors))
            await heard(second, "c", life)
            await stopped(life)
    assert (first.mails, second.mails) == (["a", "b"], ["c"])
