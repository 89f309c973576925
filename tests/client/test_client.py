"""One client against one server: log in, command, follow, and lose the connection at every bad moment."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors.project.snapshot import parts
from pantherahive_client import (
    AlreadyExists,
    Client,
    DeadlineExceeded,
    EventsMissed,
    NotFound,
    ProjectEvent,
    RuleBroken,
    Settings,
    StateUnknown,
    StreamClosed,
    Unauthenticated,
    Unreachable,
    new_id,
)
from pantherahive_client.backlog import EventStream
from pantherahive_client.commands import UNSET
from pantherahive_client.project_state import from_parts
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from tests.client.hive import QUICK, Hive
from tests.client.hive_accounts import ADMIN_TOKEN
from tests.client.waiting import until


def server_state(hive: Hive, project_id: str) -> Any:
    return from_parts(parts(hive.streams[f"project/{project_id}"].state))


async def take(events: EventStream, count: int) -> list[ProjectEvent]:
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(count)]


async def test_a_command_takes_effect_and_reaches_the_replica(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        ack = await project.create_task("Land", labels=["moon"])
        await project.caught_up(ack.cursor)
        task = project.state.tasks[ack.result["taskId"]]
        assert (task["title"], task["labels"], task["key"]) == ("Land", ["moon"], "APOLLO-1")
        assert project.cursor == ack.cursor


async def test_edits_that_end_half_way_tell_what_came_of_those_before(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        ids = [(await project.create_task("Land")).result["taskId"], *(new_id() for _ in range(200))]
        first = new_id()
        too_much = Rejection(ErrorCode.RULE_BROKEN, "no more", {"reason": "too_many"})
        hive.refuse = lambda frame: too_much if frame["type"] == "EditTasks" and frame["opId"] != first else None
        with pytest.raises(RuleBroken) as ended:
            await project.edit_many([{"taskId": one, "title": "Lift off"} for one in ids], op_id=first)
        assert ended.value.details["reason"] == "too_many"
        assert [item["taskId"] for item in ended.value.details["items"]] == ids[:200]
        assert ["ok" in item for item in ended.value.details["items"]] == [True] + [False] * 199


async def test_every_typed_command_keeps_the_replica_equal_to_the_servers_snapshot(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo", description="To the *moon*")
    friend = hive.add_user("grace")
    async with client.project(project_id) as project:
        task_id = (await project.create_task("Land", due_date="2030-02-01", estimate=3.5)).result["taskId"]
        await project.add_member(friend, "member")
        await project.change_member_role(friend, "admin")
        await project.edit_task(task_id, add_assignees=[friend], add_labels=["a", "b"], due_date=None)
        await project.edit_task(task_id, state_id="done", remove_labels=["a"])
        await project.edit_task(task_id, state_id="todo")
        other_id = (await project.create_task("Return", state_id="todo")).result["taskId"]
        moved = await project.move_task(other_id, before=task_id)
        await project.caught_up(moved.cursor)
        assert [task["id"] for task in project.state.tasks_of("todo")] == [other_id, task_id]
        await project.move_task(other_id, state_id="done", after=UNSET)
        comment_id = (await project.add_comment(task_id, "One small step")).result["commentId"]
        await project.edit_comment(comment_id, "One giant leap")
        answer = (await project.add_comment(task_id, "For whom?", reply_to=comment_id)).result["commentId"]
        for emoji in ("🚀", "👍"):
            await project.add_reaction(comment_id, emoji)
        await project.remove_reaction(comment_id, "👍")
        for gone in (comment_id, answer):
            await project.delete_comment(gone)
        await project.restore_comment(comment_id)
        part_id = (await project.create_task("Undock", parent_id=task_id)).result["taskId"]
        await project.edit_task(part_id, parent_id=None)
        link_id = (await project.add_link(task_id, "blocks", part_id)).result["linkId"]
        await project.add_link(part_id, "relates", task_id, link_id=new_id())
        await project.remove_link(link_id)
        await project.delete_task(task_id)
        await project.delete_task(part_id)
        await project.restore_task(part_id)
        await project.edit_project(name="Apollo 11")
        await project.remove_member(friend)
        await project.delete_project()
        last = await project.restore_project()
        await project.caught_up(last.cursor)
        assert project.state == server_state(hive, project_id)
        assert task_id not in [task["id"] for task in project.state.living_tasks()]
    async with client.project(project_id) as opened_anew:
        assert opened_anew.state == server_state(hive, project_id)


async def test_events_come_each_once_in_order_with_who_and_when(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        events = project.events()
        for number in range(5):
            await project.create_task(f"task {number}")
        seen = await take(events, 5)
        assert [event.seq for event in seen] == [2, 3, 4, 5, 6]
        assert {event.kind for event in seen} == {"TaskCreated"}
        assert {(event.author, event.at) for event in seen} == {(client.user_id, hive.now)}
        assert seen[-1].last
        assert seen[-1].cursor == project.cursor


async def test_a_refusal_is_an_exception_named_for_its_code(client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        with pytest.raises(NotFound, match="no such task"):
            await project.edit_task(new_id(), title="x")
        task_id = (await project.create_task("once")).result["taskId"]
        with pytest.raises(AlreadyExists):
            await project.create_task("twice", task_id=task_id)
    with pytest.raises(NotFound):
        async with client.project(new_id()):
            pass


async def test_wrong_credentials_are_told_at_once_and_a_silent_server_in_time(hive: Hive) -> None:
    with pytest.raises(Unauthenticated):
        async with Client(hive.url, username="ada", password="wrong", settings=QUICK):
            pass
    with pytest.raises(Unauthenticated):
        async with Client(hive.url, token="wrong", settings=QUICK):
            pass
    quick = Settings(connect_patience_s=0.2, connect_timeout_s=0.1, reconnect=QUICK.reconnect)
    with pytest.raises(Unreachable):
        async with Client("http://127.0.0.1:9", token="t", settings=quick):
            pass


async def test_a_lost_answer_is_fetched_with_the_same_op_id_and_nothing_is_doubled(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    lost: list[str] = []

    def lose_first(frame: dict[str, Any]) -> bool:
        lost.append(frame["opId"])
        return len(lost) == 1

    hive.lose_answer = lose_first
    async with client.project(project_id) as project:
        ack = await project.create_task("Land")
        assert lost == [ack.op_id, ack.op_id]
        await project.caught_up(ack.cursor)
        assert len(project.state.tasks) == 1
        assert len(hive.streams[f"project/{project_id}"].entries) == 2


async def test_retryable_refusals_are_tried_again_and_the_wait_asked_for_is_kept(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    arrivals: list[float] = []

    def refuse_twice(frame: dict[str, Any]) -> Rejection | None:
        arrivals.append(asyncio.get_running_loop().time())
        busy = Rejection(ErrorCode.OVERLOADED, "busy", {"retryAfterS": 0.05})
        return busy if len(arrivals) <= 2 else None

    hive.refuse = refuse_twice
    async with client.project(project_id) as project:
        await project.create_task("Land")
    assert arrivals[1] - arrivals[0] >= 0.05
    assert len({frame["opId"] for frame in hive.frames[-3:]}) == 1


async def test_a_token_of_one_s_own_tells_who_one_is(hive: Hive) -> None:
    hive.tokens["bots-own"] = Principal(hive.users["ada"])
    async with Client(hive.url, token="bots-own", settings=QUICK) as bot:
        assert bot.user_id == hive.users["ada"]
    async with Client(hive.url, token=ADMIN_TOKEN, settings=QUICK) as operator:
        assert operator.user_id is None
        with pytest.raises(Unauthenticated, match="account"):
            await operator.mark_read()


async def test_no_answer_before_the_deadline_tells_the_op_id_to_try_again_with(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    await hive.stop()
    with pytest.raises(DeadlineExceeded) as raised:
        await client.command(f"project/{project_id}", "CreateTask", {"title": "Land"}, deadline_s=0.1, op_id="the-op")
    assert isinstance(raised.value, TimeoutError)
    assert raised.value.op_id == "the-op"
    await hive.start()


async def test_commands_in_flight_survive_a_restart_of_the_server_in_their_order(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        events = project.events()
        await hive.stop()
        titles = [f"task {number}" for number in range(50)]
        sending = [asyncio.create_task(project.create_task(title)) for title in titles]
        await asyncio.sleep(0)
        await hive.start()
        await asyncio.gather(*sending)
        seen = await take(events, 50)
        assert [event.data["task"]["title"] for event in seen] == titles
        assert project.state == server_state(hive, project_id)


async def test_a_lost_entry_is_noticed_by_the_next_one(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        events = project.events()
        hive.lose_entry = lambda seq: seq == 3
        for title in "abc":
            await project.create_task(title)
        seen = await take(events, 3)
        assert [event.seq for event in seen] == [2, 3, 4]
        assert hive.joins[-1]["cursor"] == "2.7"


async def test_a_lost_last_entry_is_noticed_by_the_heads(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        hive.lose_entry = lambda seq: True
        ack = await project.create_task("a")
        await hive.tell_heads()
        await hive.tell_heads()
        await project.caught_up(ack.cursor)
        assert len(project.state.tasks) == 1


async def test_a_doubled_entry_is_ignored(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    stream = f"project/{project_id}"
    async with client.project(project_id) as project:
        events = project.events()
        await project.create_task("a")
        await hive.broadcast(stream, hive.streams[stream].entries[-1])
        await project.create_task("b")
        assert [event.seq for event in await take(events, 2)] == [2, 3]
        assert len(project.state.tasks) == 2


async def test_a_slow_reader_pauses_following_and_misses_nothing(hive: Hive) -> None:
    limits = Settings(unread_entries_max=4, reconnect=QUICK.reconnect, retry=QUICK.retry)
    async with Client(hive.url, username="ada", password="correct horse", settings=limits) as client:
        project_id = await client.create_project("Apollo")
        async with client.project(project_id) as project:
            events = project.events()
            for number in range(20):
                await project.create_task(f"{number}")
            await until(lambda: not project.is_live)
            assert project.seq == 5
            seen = await take(events, 20)
            assert [event.seq for event in seen] == list(range(2, 22))
            await until(lambda: project.seq == 21)


async def test_a_reader_that_was_let_go_holds_nobody_up(hive: Hive) -> None:
    limits = Settings(unread_entries_max=4, reconnect=QUICK.reconnect, retry=QUICK.retry)
    async with Client(hive.url, username="ada", password="correct horse", settings=limits) as client:
        project_id = await client.create_project("Apollo")
        async with client.project(project_id) as project:
            events = project.events()
            for number in range(8):
                await project.create_task(f"{number}")
            await until(lambda: not project.is_live)
            del events
            await until(lambda: project.seq == 9)


async def test_a_bot_goes_on_from_its_cursor_and_state(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        await project.caught_up((await project.create_task("before")).cursor)
        cursor, state = project.cursor, project.confirmed.as_json()
        assert cursor is not None
    for number in range(3):
        await client.command(f"project/{project_id}", "CreateTask", {"title": f"{number}"})
    async with client.project(project_id, cursor=cursor, state=state) as project:
        seen = await take(project.events(), 3)
        assert [event.data["task"]["title"] for event in seen] == ["0", "1", "2"]
        assert project.state == server_state(hive, project_id)
    async with client.project(project_id, cursor=cursor) as project:
        assert [event.seq for event in await take(project.events(), 3)] == [3, 4, 5]
        with pytest.raises(StateUnknown):
            project.state  # noqa: B018


async def test_a_reset_is_told_once_and_reading_goes_on_behind_it(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        events = project.events()
        hive.lose_entry = lambda seq: True
        for number in range(3):
            await project.create_task(f"{number}")
        hive.resume_max = 0
        hive.lose_entry = lambda seq: False
        await project.create_task("3")
        with pytest.raises(EventsMissed, match="behind"):
            await take(events, 1)
        await until(lambda: project.seq == 5)
        assert project.state == server_state(hive, project_id)
        await project.create_task("4")
        assert [event.seq for event in await take(events, 1)] == [6]


async def test_who_was_too_far_behind_goes_on_from_a_whole_state(hive: Hive, client: Client) -> None:
    """The server says so by itself, on the living connection."""
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        reader = project.events()
        hive.lose_entry = lambda seq: 2 <= seq <= 4
        for title in "abc":
            await client.command(f"project/{project_id}", "CreateTask", {"title": title})
        joins = len(hive.joins)
        await hive.tell_reset(f"project/{project_id}")
        await project.caught_up("4.7")
        assert [task["title"] for task in project.state.tasks.values()] == ["a", "b", "c"]
        with pytest.raises(EventsMissed, match="behind"):
            await anext(reader)
        last = await project.create_task("d")
        assert (await anext(reader)).seq == last.seq == 5
        assert len(hive.joins) == joins


@pytest.mark.parametrize("halted", [True, False])
async def test_a_replica_knows_whether_the_server_has_all_of_it(hive: Hive, client: Client, halted: bool) -> None:
    project_id = await client.create_project("Apollo")
    hive.halted = halted
    async with client.project(project_id) as project:
        assert project.is_halted is halted
        cursor, state = project.cursor, project.confirmed.as_json()
    async with client.project(project_id, cursor=cursor, state=state) as project:
        await until(lambda: project.is_live)
        assert project.is_halted is halted


async def test_whoever_is_removed_is_told_so(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        events = project.events()
        await hive.tell_closed({"stream": f"project/{project_id}", "reason": "removed"})
        with pytest.raises(StreamClosed, match="removed"):
            await take(events, 1)


async def test_an_ended_token_leads_to_a_new_log_in(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        hive.tokens = {ADMIN_TOKEN: hive.tokens[ADMIN_TOKEN]}
        await hive.tell_closed({"reason": "expired"})
        await hive.cut_connections()
        ack = await project.create_task("after")
        await project.caught_up(ack.cursor)
        assert (hive.logins, hive.refreshes) == (1, 1)


async def test_a_short_lived_token_is_renewed_before_it_is_refused(hive: Hive) -> None:
    hive.expires_in_s = 0
    async with Client(hive.url, username="ada", password="correct horse", settings=QUICK) as client:
        await hive.cut_connections()
        await client.create_project("Apollo")
        assert hive.logins == 1
        assert hive.refreshes >= 1


async def test_closing_ends_readers_quietly_and_waiting_commands_loudly(hive: Hive) -> None:
    client = Client(hive.url, username="ada", password="correct horse", settings=QUICK)
    async with client:
        project_id = await client.create_project("Apollo")
        project = client.project(project_id)
        async with project:
            reading = asyncio.create_task(_read_all(project.events()))
            await asyncio.sleep(0)
        assert await reading == []
        await hive.stop()
        waiting = asyncio.create_task(client.command(f"project/{project_id}", "DeleteProject", {}))
        await asyncio.sleep(0)
    with pytest.raises(Exception, match="client was closed"):
        await waiting
    await hive.start()


async def _read_all(events: EventStream) -> list[ProjectEvent]:
    return [event async for event in events]
