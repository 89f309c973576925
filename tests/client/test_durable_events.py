"""A named cursor gets exactly what it missed, whatever happened to the bot, the connection and the server."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pantherahive_client import (
    Client,
    CursorUnreadable,
    DurableEvents,
    FileCursors,
    HistoryChanged,
    Invalid,
    LogEvents,
    MemoryCursors,
    NotFound,
    ProjectEvent,
    derived_id,
    new_id,
)
from pantherahive_client.project import Project
from tests.client.hive import QUICK, Hive
from tests.client.hive_reads import EPOCH
from tests.client.waiting import until

BOT = "digest-bot"


async def take(events: LogEvents | DurableEvents, count: int) -> list[int]:
    """The seqs of the next events."""
    async with asyncio.timeout(20):
        return [(await anext(events)).seq for _ in range(count)]


async def a_project(client: Client, tasks: int = 0) -> str:
    project_id = await client.create_project("Apollo")
    await create_tasks(client, project_id, tasks)
    return project_id


async def create_tasks(client: Client, project_id: str, count: int) -> None:
    """They become one entry each."""
    await asyncio.gather(
        *(client.command(f"project/{project_id}", "CreateTask", {"title": f"{number}"}) for number in range(count))
    )


@asynccontextmanager
async def reading(
    client: Client, project_id: str, store: MemoryCursors | FileCursors, start: str = "now"
) -> AsyncIterator[tuple[Project, DurableEvents]]:
    """A bot's whole life, from its start to its end."""
    async with client.project(project_id) as project, project.durable_events(BOT, store, start=start) as events:
        yield project, events


async def test_everything_after_a_cursor_comes_from_the_log_and_then_live(hive: Hive, client: Client) -> None:
    project_id = await a_project(client, 250)
    async with client.project(project_id) as project, project.events_after(f"10.{EPOCH}") as events:
        assert not events.is_caught_up
        assert await take(events, 241) == list(range(11, 252))
        await until(lambda: events.is_caught_up)
        await create_tasks(client, project_id, 3)
        assert await take(events, 3) == [252, 253, 254]
        assert events.cursor == f"254.{EPOCH}"
    assert hive.pages == [f"{seq}.{EPOCH}" for seq in (10, 110, 210)]


async def test_from_the_beginning_there_is_the_creation_and_its_events_come_one_by_one(client: Client) -> None:
    project_id = await a_project(client, 1)
    async with client.project(project_id) as project, project.events_after("0.0") as events:
        async with asyncio.timeout(10):
            seen = [await anext(events) for _ in range(3)]
        assert [(event.kind, event.seq, event.last) for event in seen] == [
            ("ProjectCreated", 1, False),
            ("MemberAdded", 1, True),
            ("TaskCreated", 2, True),
        ]


async def test_a_restarted_bot_goes_on_where_it_committed(client: Client) -> None:
    project_id, store = await a_project(client, 2), MemoryCursors()
    async with reading(client, project_id, store) as (_, events):
        await create_tasks(client, project_id, 3)
        assert await take(events, 2) == [4, 5]
        await events.commit()
        assert await take(events, 1) == [6]
    await create_tasks(client, project_id, 2)
    async with reading(client, project_id, store) as (_, events):
        assert await take(events, 3) == [6, 7, 8]


async def test_a_new_cursor_counts_from_its_first_opening(client: Client) -> None:
    project_id, store = await a_project(client, 2), MemoryCursors()
    async with reading(client, project_id, store) as (_, events):
        assert events.cursor == f"3.{EPOCH}"
    await create_tasks(client, project_id, 1)
    async with reading(client, project_id, store, start="0.0") as (_, events):
        assert await take(events, 1) == [4], "the start is for new cursors"
    async with reading(client, project_id, MemoryCursors(), start="0.0") as (_, events):
        assert await take(events, 2) == [1, 1]


async def test_an_entry_is_committed_whole_or_not_at_all(client: Client) -> None:
    project_id, store = await a_project(client), MemoryCursors()
    for _ in range(2):
        async with reading(client, project_id, store, start="0.0") as (_, events):
            first = await anext(events)
            assert (first.kind, first.last, events.cursor) == ("ProjectCreated", False, "0.0")
            await events.commit()


class CutOff(MemoryCursors):
    """The save of a text that holds `word` takes effect, and nobody hears of it."""

    word = "cut off"

    async def save(self, name: str, stream: str, text: str) -> None:
        await super().save(name, stream, text)
        if self.word in text:
            raise asyncio.CancelledError


async def test_what_is_committed_after_a_commit_that_was_cut_off_is_what_stands(client: Client) -> None:
    project_id, store = await a_project(client), CutOff()
    async with reading(client, project_id, store) as (_, events):
        await events.commit({"note": "before"})
        with pytest.raises(asyncio.CancelledError):
            await events.commit({"note": store.word})
        await events.commit({"note": "before"})
    async with reading(client, project_id, store) as (_, events):
        assert events.kept == {"note": "before"}


async def test_what_is_kept_beside_the_cursor_comes_back_with_it(client: Client) -> None:
    project_id, store = await a_project(client, 1), MemoryCursors()
    async with reading(client, project_id, store, start="0.0") as (_, events):
        await take(events, 2)
        await events.commit({"welcomed": ["ada"]})
        await take(events, 1)
        await events.commit()
    async with reading(client, project_id, store) as (_, events):
        assert (dict(events.kept), events.cursor) == ({"welcomed": ["ada"]}, f"2.{EPOCH}")


async def test_ten_thousand_missed_entries_come_once_each_in_order(hive: Hive, client: Client) -> None:
    """The server no longer resumes so far back: its reset loses nothing."""
    project_id, store = await a_project(client, 1), MemoryCursors()
    async with reading(client, project_id, store):
        pass
    stream = hive.streams[f"project/{project_id}"]
    stream.entries += [{**stream.entries[-1], "seq": seq, "opId": new_id()} for seq in range(3, 10_003)]
    async with reading(client, project_id, store) as (_, events):
        assert await take(events, 10_000) == list(range(3, 10_003))
        await until(lambda: events.is_caught_up)


async def test_a_reset_while_it_reads_loses_nothing(hive: Hive, client: Client) -> None:
    project_id, store = await a_project(client), MemoryCursors()
    async with reading(client, project_id, store) as (project, events):
        await create_tasks(client, project_id, 1)
        assert await take(events, 1) == [2]
        hive.lose_entry, hive.resume_max = lambda seq: True, 0
        await create_tasks(client, project_id, 30)
        await hive.cut_connections()
        await until(lambda: project.seq == 32)
        hive.lose_entry = lambda seq: False
        await create_tasks(client, project_id, 1)
        assert await take(events, 31) == list(range(3, 34))


async def test_a_server_that_is_away_is_waited_for(hive: Hive, client: Client) -> None:
    project_id, store = await a_project(client), MemoryCursors()
    async with reading(client, project_id, store):
        pass
    await create_tasks(client, project_id, 5)
    hive.away = True
    async with reading(client, project_id, store) as (_, events):
        waiting = asyncio.create_task(take(events, 6))
        await until(lambda: len(hive.pages) > 3)
        await hive.stop()
        await hive.start()
        hive.away = False
        await until(lambda: client.is_connected)
        await create_tasks(client, project_id, 1)
        assert await waiting == list(range(2, 8))


async def test_a_log_with_another_history_is_told(hive: Hive, client: Client) -> None:
    project_id = await a_project(client, 3)
    for cursor, reason in ((f"3.{EPOCH - 1}", "epoch"), (f"99.{EPOCH}", "ahead")):
        async with client.project(project_id) as project, project.events_after(cursor) as events:
            with pytest.raises(HistoryChanged) as changed:
                await take(events, 1)
            assert (changed.value.reason, changed.value.cursor) == (reason, cursor)


async def test_the_end_of_the_client_ends_the_reading(hive: Hive, client: Client) -> None:
    project_id = await a_project(client, 1)
    other = Client(hive.url, username="ada", password="correct horse", settings=QUICK)
    async with other, other.project(project_id) as project:
        paging, living = project.events_after("0.0"), project.events_after(f"2.{EPOCH}")
        ends = asyncio.create_task(anext(living))
        await until(lambda: living.is_caught_up)
    for read in (ends, anext(paging)):
        with pytest.raises(StopAsyncIteration):
            await read


async def test_when_the_client_has_ended_nobody_knows_whether_there_is_more(hive: Hive, client: Client) -> None:
    project_id = await a_project(client, 1)
    other = Client(hive.url, username="ada", password="correct horse", settings=QUICK)
    async with other, other.project(project_id) as project, project.events_after(f"2.{EPOCH}") as events:
        assert await events.is_at_head()
    assert not await events.is_at_head()


async def test_less_than_what_was_given_out_can_be_committed(client: Client) -> None:
    project_id, store = await a_project(client, 3), MemoryCursors()
    async with reading(client, project_id, store, start="0.0") as (_, events):
        assert await take(events, 4) == [1, 1, 2, 3]
        await events.commit({"done": 2}, cursor=f"2.{EPOCH}")
    async with reading(client, project_id, store) as (_, events):
        assert dict(events.kept) == {"done": 2}
        assert await take(events, 2) == [3, 4]


async def test_a_project_that_is_not_there_is_told(hive: Hive, client: Client) -> None:
    project_id = await a_project(client, 1)
    async with client.project(project_id) as project, project.events_after(f"1.{EPOCH}") as events:
        await take(events, 1)
        await hive.tell_closed({"stream": f"project/{project_id}", "reason": "removed"})
        with pytest.raises(Exception, match="removed"):
            await take(events, 1)
    with pytest.raises(NotFound):
        async with client.project("018f0000-0000-7000-8000-00000000000a"):
            pass


async def test_a_crash_between_the_act_and_the_commit_doubles_nothing(hive: Hive, client: Client) -> None:
    project_id, store = await a_project(client), MemoryCursors()
    stream = hive.streams[f"project/{project_id}"]
    async with reading(client, project_id, store):
        await create_tasks(client, project_id, 5)
    for life in itertools.count():
        async with reading(client, project_id, store) as (project, events):
            event = await anext(events)
            while event.author != hive.users["ada"] or event.kind != "TaskCreated":
                event = await anext(events)
            await welcome(project, events, event)
            if life % 2:  # in every other life it dies before it can commit
                await events.commit()
        if event.seq == 6:
            break
    comments = [comment["taskId"] for comment in stream.state.comments.values()]
    assert sorted(comments) == sorted(stream.state.tasks)
    assert len(hive.frames) > 1 + 5 + 5


async def test_every_event_of_an_entry_has_its_own_act_and_keeps_it(hive: Hive, client: Client) -> None:
    """The creation of a project and its first member are one entry; here the answer to both says the same."""
    project_id, store = await a_project(client), MemoryCursors()
    stream = f"project/{project_id}"
    for _ in range(2):
        async with reading(client, project_id, store, start="0.0") as (project, events):
            async with asyncio.timeout(10):
                entry = [await anext(events), await anext(events)]
            for event in entry:
                await project.create_task("Noted", op_id=events.op_id(event, "note"))
            assert [(event.seq, event.number, event.last) for event in entry] == [(1, 0, False), (1, 1, True)]
            made = [events.op_id(event, *what) for event in entry for what in ((), ("note",), (1,), (1, "note"))]
            assert len(set(made)) == len(made)
            assert made[1] == derived_id(client.user_id, BOT, stream, 1, "note")
    assert len(hive.streams[stream].state.tasks) == 2


async def welcome(project: Project, events: DurableEvents, event: ProjectEvent) -> None:
    await project.add_comment(event.data["task"]["id"], "Seen.", op_id=events.op_id(event, "seen"))


@pytest.mark.parametrize("text", ["", "{}", '{"cursor": "x", "kept": {}}', "[1]", '{"cursor": 7, "kept": {}}'])
async def test_a_store_that_holds_nonsense_is_told_and_not_overwritten(client: Client, text: str) -> None:
    project_id, store = await a_project(client), MemoryCursors()
    await store.save(BOT, f"project/{project_id}", text)
    with pytest.raises(CursorUnreadable, match=BOT):
        async with reading(client, project_id, store):
            pass
    assert await store.load(BOT, f"project/{project_id}") == text


async def test_a_name_that_is_none_and_a_start_that_is_none_are_refused(client: Client) -> None:
    project_id = await a_project(client)
    async with client.project(project_id) as project:
        for name in ("", "../x", "a b", ".hidden", "x" * 65):
            with pytest.raises(Invalid):
                project.durable_events(name, MemoryCursors())
        with pytest.raises(Invalid):
            project.durable_events(BOT, MemoryCursors(), start="yesterday")
        with pytest.raises(ValueError, match="async with"):
            project.durable_events(BOT, MemoryCursors()).cursor  # noqa: B018


def test_derived_ids_are_the_same_for_the_same_parts_only() -> None:
    assert derived_id("ada", "bot", "project/1", 7) == derived_id("ada", "bot", "project/1", 7)
    ways: list[tuple[str | int, ...]] = [
        ("bot", 7),
        ("bot", "7"),
        ("bot7",),
        ("bo", "t7"),
        ("bot", 7, "x"),
        ('bot",7',),
    ]
    assert len({derived_id(owner, *parts) for parts in ways for owner in ("ada", None)}) == 2 * len(ways)
