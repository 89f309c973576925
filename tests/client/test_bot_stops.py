"""However a bot ends, it goes on behind what it is done with, to the very event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pantherahive_client import (
    Bot,
    BotProject,
    Client,
    CursorStore,
    FileCursors,
    MemoryCursors,
    ProjectEvent,
    ProjectState,
    bot_runs,
    run_bot,
)
from pantherahive_client.bots import Handler
from tests.client.hive import QUICK, Hive
from tests.client.waiting import until

NAME = "mailer"
Life = asyncio.Task[None]


class Mailed:
    """What a handler did that no `opId` can undo: the places of the events, in their order."""

    def __init__(self, fails: Callable[[ProjectEvent], bool] = lambda event: False) -> None:
        self.events: list[tuple[int, str]] = []
        # Says at which event it raises.
        self._fails = fails

    async def __call__(self, event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        if self._fails(event):
            raise ValueError(f"no mail of {event.kind}")
        self.events.append((event.seq, event.kind))

    @property
    def seqs(self) -> list[int]:
        return [seq for seq, _ in self.events]


@pytest.fixture
async def project_id(client: Client) -> str:
    return await client.create_project("Apollo")


async def create_tasks(client: Client, project_id: str, count: int) -> None:
    """They become one entry each."""
    for number in range(count):
        await client.command(f"project/{project_id}", "CreateTask", {"title": f"{number}"})


def begin(client: Client, project_id: str, bot: Bot | Handler, cursors: CursorStore, **options: Any) -> Life:
    """A bot's life. It looks at the clock so seldom that nothing but its end makes it commit within the test."""
    options = {"start": "0.0", "look_every_s": 600, **options}
    return asyncio.create_task(run_bot(client, project_id, bot, NAME, cursors=cursors, **options))


async def end(life: Life) -> BaseException:
    """Cancels it, and waits for it; what it ended of."""
    life.cancel()
    return await death(life)


async def death(life: Life) -> BaseException:
    """What it ends of by itself."""
    async with asyncio.timeout(10):
        [result] = await asyncio.gather(life, return_exceptions=True)
    assert isinstance(result, BaseException), result
    return result


async def rest_of(client: Client, project_id: str, cursors: CursorStore, up_to: int) -> list[tuple[int, str]]:
    """What the next life hears, up to an entry."""
    mailed = Mailed()
    life = begin(client, project_id, mailed, cursors)
    await until(lambda: up_to in mailed.seqs or life.done())
    await end(life)
    return mailed.events


def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the end of a bot commits, however slow the machine is."""
    monkeypatch.setattr(bot_runs, "COMMIT_WITHIN_S", 600)


async def test_a_bot_that_is_cancelled_right_after_its_last_event_hears_of_none_again(
    client: Client, project_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient(monkeypatch)
    mailed, cursors = Mailed(), FileCursors(tmp_path)
    await create_tasks(client, project_id, 31)
    life = begin(client, project_id, mailed, cursors)
    await until(lambda: len(mailed.events) == 33)
    assert isinstance(await end(life), asyncio.CancelledError)
    await create_tasks(client, project_id, 2)
    assert await rest_of(client, project_id, cursors, 34) == [(33, "TaskCreated"), (34, "TaskCreated")]


async def test_the_event_at_which_a_bot_raises_comes_again_and_none_before_it(
    client: Client, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient(monkeypatch)
    mailed, cursors = Mailed(lambda event: event.seq == 32), MemoryCursors()
    await create_tasks(client, project_id, 33)
    died = await death(begin(client, project_id, mailed, cursors))
    assert (str(died), mailed.seqs) == ("no mail of TaskCreated", [1, *range(1, 32)])
    assert await rest_of(client, project_id, cursors, 34) == [(seq, "TaskCreated") for seq in (32, 33, 34)]


async def test_within_an_entry_it_is_the_event_and_not_the_entry_that_comes_again(
    client: Client, project_id: str
) -> None:
    """As often as it raises there: a mail about the first event goes out once, and not with each restart."""
    mailed, cursors = Mailed(lambda event: event.kind == "MemberAdded"), MemoryCursors()
    await create_tasks(client, project_id, 1)
    for _ in range(3):
        assert str(await death(begin(client, project_id, mailed, cursors))) == "no mail of MemberAdded"
    assert mailed.events == [(1, "ProjectCreated")]
    assert await rest_of(client, project_id, cursors, 2) == [(1, "MemberAdded"), (2, "TaskCreated")]


async def test_an_event_that_comes_again_has_its_state_and_its_op_ids(
    hive: Hive, client: Client, project_id: str
) -> None:
    lives: list[list[str]] = []

    async def greet(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        if event.kind == "MemberAdded":
            lives.append([member["role"] for member in state.members.values()])
            await project.create_task("Hi")
            await asyncio.Event().wait()  # until it is cancelled

    cursors = MemoryCursors()
    for life in (1, 2):
        running = begin(client, project_id, greet, cursors)
        await until(lambda life=life: [frame["type"] for frame in hive.frames].count("CreateTask") == life)  # type: ignore[misc]
        await end(running)
    assert lives == [["owner"], ["owner"]]
    assert len(hive.streams[f"project/{project_id}"].state.tasks) == 1


async def test_a_bot_that_is_stopped_while_the_server_is_away_stops_and_goes_on_where_it_was(
    hive: Hive, client: Client, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient(monkeypatch)
    mailed, cursors, stream = Mailed(), MemoryCursors(), hive.streams[f"project/{project_id}"]
    at_work = asyncio.Event()

    async def answer(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        if event.seq == 3:
            await hive.stop()
            at_work.set()
        if event.seq >= 3 and event.kind == "TaskCreated":
            await project.add_comment(event.data["task"]["id"], "Seen.")
        await mailed(event, state, project)

    await create_tasks(client, project_id, 2)
    life = begin(client, project_id, answer, cursors)
    async with asyncio.timeout(10):
        await at_work.wait()
    await until(lambda: not client.is_connected)
    assert isinstance(await end(life), asyncio.CancelledError)
    assert mailed.seqs == [1, 1, 2]
    await hive.start()
    await until(lambda: client.is_connected)
    assert await rest_of(client, project_id, cursors, 3) == [(3, "TaskCreated")]
    assert stream.state.comments == {}


async def test_a_bot_ends_with_its_client_and_is_done_with_what_it_heard(
    hive: Hive, client: Client, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient(monkeypatch)
    mailed, cursors = Mailed(), MemoryCursors()
    async with Client(hive.url, username="ada", password="correct horse", settings=QUICK) as other:
        life = begin(other, project_id, mailed, cursors)
        await until(lambda: len(mailed.events) == 2)
    async with asyncio.timeout(10):
        await life
    await create_tasks(client, project_id, 1)
    assert await rest_of(client, project_id, cursors, 2) == [(2, "TaskCreated")]


# ------------------------------------------------------------------ the store at the end


class Failing(MemoryCursors):
    """A disk that is full once the cursor has begun."""

    async def save(self, name: str, stream: str, text: str) -> None:
        if self.texts:
            raise OSError("the disk is full")
        await super().save(name, stream, text)


class Slow(MemoryCursors):
    """Saves what comes after the first when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.free = asyncio.Event(), asyncio.Event()

    async def save(self, name: str, stream: str, text: str) -> None:
        if self.texts:
            self.asked.set()
            await self.free.wait()
        await super().save(name, stream, text)


async def test_a_store_that_fails_at_the_end_does_not_hide_what_the_bot_raised(client: Client, project_id: str) -> None:
    mailed = Mailed(lambda event: event.kind == "MemberAdded")
    died = await death(begin(client, project_id, mailed, Failing()))
    assert (type(died), str(died)) == (ValueError, "no mail of MemberAdded")
    assert "the disk is full" in died.__notes__[0]


async def test_a_store_that_fails_at_the_end_does_not_hide_the_cancellation(client: Client, project_id: str) -> None:
    mailed = Mailed()
    life = begin(client, project_id, mailed, Failing())
    await until(lambda: len(mailed.events) == 2)
    assert isinstance(await end(life), asyncio.CancelledError)
    assert life.cancelled()


async def test_a_store_that_does_not_answer_at_the_end_is_given_up(
    client: Client, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot_runs, "LAST_COMMIT_WITHIN_S", 0.05)
    mailed = Mailed(lambda event: event.kind == "MemberAdded")
    died = await death(begin(client, project_id, mailed, Slow()))
    assert isinstance(died, ValueError)
    assert "TimeoutError" in died.__notes__[0]


async def test_a_bot_that_is_cancelled_again_while_it_ends_still_commits(
    client: Client, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient(monkeypatch)
    mailed, cursors = Mailed(), Slow()
    life = begin(client, project_id, mailed, cursors)
    await until(lambda: len(mailed.events) == 2)
    life.cancel()
    async with asyncio.timeout(10):
        await cursors.asked.wait()
    life.cancel()
    await asyncio.wait([life], timeout=0)
    cursors.free.set()
    assert isinstance(await death(life), asyncio.CancelledError)
    await create_tasks(client, project_id, 1)
    assert await rest_of(client, project_id, cursors, 2) == [(2, "TaskCreated")]


# ------------------------------------------------------------------ after a kill


async def test_after_a_kill_a_hundred_entries_come_again_at_most(
    client: Client, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient(monkeypatch)
    mailed, cursors, left = Mailed(), MemoryCursors(), MemoryCursors()
    await create_tasks(client, project_id, 249)
    life = begin(client, project_id, mailed, cursors)
    await until(lambda: len(mailed.events) == 251)
    left.texts = dict(cursors.texts)  # what a killed process leaves behind
    await end(life)
    again = await rest_of(client, project_id, left, 250)
    assert [seq for seq, _ in again] == list(range(201, 251))


async def test_what_is_done_is_committed_in_time_however_seldom_the_bot_looks_at_its_clock(
    client: Client, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot_runs, "COMMIT_WITHIN_S", 0.2)
    cursors = MemoryCursors()
    life = begin(client, project_id, Mailed(), cursors)
    await until(lambda: '"1.7"' in next(iter(cursors.texts.values()), ""))
    await end(life)


# ------------------------------------------------------------------ times


async def test_a_time_at_which_a_bot_raises_comes_again_and_none_before_it(
    hive: Hive, client: Client, project_id: str
) -> None:
    told: list[int] = []

    class Daily(Bot):
        every = timedelta(days=1)
        missed_times = "each"

        async def on_time(self, now: datetime, state: ProjectState, project: BotProject) -> None:
            told.append(now.day)
            if told == [1, 2, 3]:
                raise ValueError("no mail today")

    cursors, new_year = MemoryCursors(), datetime(2030, 1, 1, tzinfo=UTC)
    options = {"clock": lambda: new_year, "look_every_s": 0.01}
    hive.now = "2030-01-05T12:00:00.000Z"
    await create_tasks(client, project_id, 1)
    assert str(await death(begin(client, project_id, Daily(), cursors, **options))) == "no mail today"
    life = begin(client, project_id, Daily(), cursors, **options)
    await until(lambda: 5 in told)
    await end(life)
    assert told == [1, 2, 3, 3, 4, 5]
