"""A bot hears of everything once, at its place, and what it does takes effect once, whatever ends it in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pantherahive_client import (
    Bot,
    BotProject,
    Client,
    MemoryCursors,
    NotFound,
    ProjectEvent,
    ProjectState,
    StreamClosed,
    run_bot,
)
from pantherahive_client.bots import Handler
from protocol.errors import ErrorCode, Rejection
from tests.client.hive import Hive
from tests.client.waiting import until

NAME = "welcome"
DAY_1 = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
async def project_id(client: Client) -> str:
    return await client.create_project("Apollo")


async def create_task(client: Client, project_id: str, title: str) -> None:
    await client.command(f"project/{project_id}", "CreateTask", {"title": title})


@asynccontextmanager
async def running(
    client: Client, project_id: str, bot: Bot | Handler, cursors: MemoryCursors, **options: Any
) -> AsyncIterator[asyncio.Task[None]]:
    """A bot's life; it is ended as by a kill."""
    task = asyncio.create_task(run_bot(client, project_id, bot, NAME, cursors=cursors, look_every_s=0.01, **options))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


class Listener(Bot):
    """Writes down what it hears, with what is in the project then."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, str, list[str]]] = []
        self.times: list[tuple[datetime, list[str]]] = []

    async def on_event(self, event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        self.heard.append((event.seq, event.kind, [task["title"] for task in state.tasks.values()]))

    async def on_time(self, now: datetime, state: ProjectState, project: BotProject) -> None:
        self.times.append((now, [task["title"] for task in state.tasks.values()]))


class Daily(Listener):
    every = timedelta(days=1)
    missed_times = "each"


class Latest(Listener):
    every = timedelta(days=1)


async def test_a_bot_sees_the_project_as_it_was_right_after_each_entry(client: Client, project_id: str) -> None:
    bot, cursors = Listener(), MemoryCursors()
    async with running(client, project_id, bot, cursors, start="0.0"):
        await until(lambda: len(bot.heard) == 2)
        await create_task(client, project_id, "a")
        await until(lambda: len(bot.heard) == 3)
    for title in "bc":
        await create_task(client, project_id, title)
    async with running(client, project_id, bot, cursors):
        await until(lambda: bot.heard[-1][0] == 4)
    assert bot.heard[:2] == [(1, "ProjectCreated", []), (1, "MemberAdded", [])]
    assert {seq: titles for seq, _, titles in bot.heard} == {1: [], 2: ["a"], 3: ["a", "b"], 4: ["a", "b", "c"]}


async def test_a_new_bot_hears_of_nothing_old_and_knows_what_is_there(client: Client, project_id: str) -> None:
    await create_task(client, project_id, "old")
    bot, cursors = Listener(), MemoryCursors()
    async with running(client, project_id, bot, cursors):
        await until(lambda: bool(cursors.texts))
        await create_task(client, project_id, "new")
        await until(lambda: bool(bot.heard))
    assert bot.heard == [(3, "TaskCreated", ["old", "new"])]


async def test_acts_take_effect_once_though_the_bot_dies_before_each_commit(
    hive: Hive, client: Client, project_id: str
) -> None:
    class NeverSaved(MemoryCursors):
        """Keeps where it began, and then nothing: as if every life ended too early."""

        async def save(self, name: str, stream: str, text: str) -> None:
            if (name, stream) not in self.texts:
                await super().save(name, stream, text)

    async def answer(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        if event.kind == "TaskCreated":
            for body in ("Seen.", "Really."):
                await project.add_comment(event.data["task"]["id"], body)

    cursors, stream = NeverSaved(), hive.streams[f"project/{project_id}"]
    for life in range(4):
        async with running(client, project_id, answer, cursors, start="0.0"):
            await create_task(client, project_id, f"{life}")
            await until(lambda life=life: len(stream.state.comments) == 2 * (life + 1))  # type: ignore[misc]
    said = sorted((comment["taskId"], comment["body"]) for comment in stream.state.comments.values())
    assert said == sorted((task_id, body) for task_id in stream.state.tasks for body in ("Seen.", "Really."))
    assert sum(frame["type"] == "AddComment" for frame in hive.frames) > 8


async def test_what_was_committed_is_not_told_again(hive: Hive, client: Client, project_id: str) -> None:
    bot, cursors = Listener(), MemoryCursors()
    async with running(client, project_id, bot, cursors, start="0.0"):
        for number in range(150):
            await create_task(client, project_id, f"{number}")
        await until(lambda: '"151.7"' in next(iter(cursors.texts.values())))
    async with running(client, project_id, bot, cursors):
        await create_task(client, project_id, "last")
        await until(lambda: bot.heard[-1][0] == 152)
    assert [seq for seq, _, _ in bot.heard] == [1, *range(1, 153)]


async def test_a_refusal_is_the_bot_s_own_business_and_ends_it_where_it_does_not_care(
    client: Client, project_id: str
) -> None:
    cared: list[str] = []

    async def careless(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        await project.delete_task("018f0000-0000-7000-8000-00000000000a")

    async def careful(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        try:
            await careless(event, state, project)
        except NotFound as refused:
            cared.append(refused.wire_code)

    cursors = MemoryCursors()
    async with running(client, project_id, careless, cursors, start="0.0") as task:
        with pytest.raises(NotFound):
            await asyncio.wait_for(task, 10)
    async with running(client, project_id, careful, cursors):
        await until(lambda: len(cared) == 2)


async def test_a_server_that_is_away_is_waited_for_in_the_middle_of_an_act(
    hive: Hive, client: Client, project_id: str
) -> None:
    stream = hive.streams[f"project/{project_id}"]
    refusals = [Rejection(ErrorCode.UNAVAILABLE, "later", {"retryAfterS": 0.01})] * 3
    hive.refuse = lambda frame: refusals.pop() if frame["type"] == "AddComment" and refusals else None
    hive.lose_answer = lambda frame: frame["type"] == "AddComment" and len(stream.state.comments) == 1

    async def answer(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        if event.kind == "TaskCreated":
            await project.add_comment(event.data["task"]["id"], "Seen.")

    async with running(client, project_id, answer, MemoryCursors(), start="0.0"):
        await create_task(client, project_id, "a")
        await until(lambda: len(stream.state.comments) == 1 and not refusals)
        hive.lose_answer = lambda frame: False
        await create_task(client, project_id, "b")
        await until(lambda: len(stream.state.comments) == 2)


async def test_a_thing_that_happens_once_has_one_op_id_wherever_it_is_thought_of(
    hive: Hive, client: Client, project_id: str
) -> None:
    keys: list[str] = []

    async def greet(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        assert project.user_id == hive.users["ada"]
        if event.kind == "TaskCreated" and event.data["task"]["title"] != "Hi":
            ack = await project.create_task("Hi", op_id=project.op_id("greeting"))
            keys.append(ack.result["key"])

    stream = hive.streams[f"project/{project_id}"]
    async with running(client, project_id, greet, MemoryCursors(), start="0.0"):
        for title in "ab":
            await create_task(client, project_id, title)
        await until(lambda: len(keys) == 2)
    assert sorted(task["title"] for task in stream.state.tasks.values()) == ["Hi", "a", "b"]
    assert len(set(keys)) == 1


async def test_the_end_of_the_membership_ends_the_bot(hive: Hive, client: Client, project_id: str) -> None:
    async with running(client, project_id, Listener(), MemoryCursors()) as task:
        await until(lambda: bool(hive.streams[f"project/{project_id}"].followers))
        await hive.tell_closed({"stream": f"project/{project_id}", "reason": "removed"})
        with pytest.raises((StreamClosed, NotFound)):
            await asyncio.wait_for(task, 10)


# ------------------------------------------------------------------ times


class Clock:
    """Stands until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


async def life(hive: Hive, client: Client, project_id: str, day: int, title: str) -> None:
    """A task on that day of January 2030, at noon."""
    hive.now = f"2030-01-{day:02}T12:00:00.000Z"
    await create_task(client, project_id, title)


async def test_each_time_is_told_between_what_was_before_it_and_what_came_after(
    hive: Hive, client: Client, project_id: str
) -> None:
    bot, cursors, clock = Daily(), MemoryCursors(), Clock(DAY_1)
    async with running(client, project_id, bot, cursors, clock=clock):
        await until(lambda: bool(cursors.texts))
    for day, title in ((1, "a"), (3, "b"), (3, "c")):
        await life(hive, client, project_id, day, title)
    clock.now = DAY_1 + timedelta(days=4, hours=1)
    async with running(client, project_id, bot, cursors, clock=clock):
        await until(lambda: len(bot.times) == 4)
        assert [seq for seq, _, _ in bot.heard] == [2, 3, 4]
        clock.now += timedelta(days=1)
        await until(lambda: len(bot.times) == 5)
    days = [DAY_1 + timedelta(days=number) for number in range(1, 6)]
    assert bot.times == list(zip(days, (["a"], ["a"], ["a", "b", "c"], ["a", "b", "c"], ["a", "b", "c"]), strict=True))


async def test_a_bot_that_wants_the_latest_time_alone_is_spared_the_others(
    hive: Hive, client: Client, project_id: str
) -> None:
    bot, cursors, clock = Latest(), MemoryCursors(), Clock(DAY_1)
    async with running(client, project_id, bot, cursors, clock=clock):
        await until(lambda: bool(cursors.texts))
    for day in (2, 5, 9):
        await life(hive, client, project_id, day, f"{day}")
    clock.now = DAY_1 + timedelta(days=9, hours=1)
    async with running(client, project_id, bot, cursors, clock=clock):
        await until(lambda: bool(bot.times))
    assert bot.times == [(DAY_1 + timedelta(days=9), ["2", "5", "9"])]


async def test_a_time_that_was_being_told_is_told_again_at_its_place(
    hive: Hive, client: Client, project_id: str
) -> None:
    """Otherwise the act that was cut off would be another one the second time."""

    class Summary(Daily):
        async def on_time(self, now: datetime, state: ProjectState, project: BotProject) -> None:
            await super().on_time(now, state, project)
            await project.create_task(f"{now.date()}: {len(state.tasks)} tasks")
            if len(self.times) == 1:
                raise asyncio.CancelledError  # it dies when its act has taken effect

    bot, cursors, clock = Summary(), MemoryCursors(), Clock(DAY_1)
    async with running(client, project_id, bot, cursors, clock=clock):
        await until(lambda: bool(cursors.texts))
    await life(hive, client, project_id, 1, "a")
    clock.now = DAY_1 + timedelta(days=1, minutes=1)
    async with running(client, project_id, bot, cursors, clock=clock) as task:
        await asyncio.wait([task])
    await life(hive, client, project_id, 2, "b")
    async with running(client, project_id, bot, cursors, clock=clock):
        await until(lambda: len(bot.heard) >= 3)
    stream = hive.streams[f"project/{project_id}"]
    assert sorted(task["title"] for task in stream.state.tasks.values()) == ["2030-01-02: 1 tasks", "a", "b"]
    assert [titles for _, titles in bot.times] == [["a"], ["a"]]


async def test_no_time_is_told_before_what_happened_while_the_server_was_away(
    hive: Hive, client: Client, project_id: str
) -> None:
    bot, cursors, clock = Latest(), MemoryCursors(), Clock(DAY_1)
    async with running(client, project_id, bot, cursors, clock=clock):
        await until(lambda: bool(cursors.texts))
        hive.lose_entry = lambda seq: True
        await life(hive, client, project_id, 3, "nobody was told of it")
        await hive.stop()
        await until(lambda: not client.is_connected)
        clock.now += timedelta(days=3, hours=1)
        await hive.start()
        await until(lambda: bool(bot.times))
    assert bot.times == [(DAY_1 + timedelta(days=3), ["nobody was told of it"])]
