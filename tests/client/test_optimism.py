"""Commands show their effect at once, and lose it when the server refuses them."""

from __future__ import annotations

import asyncio

import pytest

from pantherahive_client import Client, DeadlineExceeded, RuleBroken, Settings, derived_id, new_id
from pantherahive_client.ids import made_id
from protocol.errors import ErrorCode, Rejection
from tests.client.hive import QUICK, Hive
from tests.client.hive_accounts import ADMIN_TOKEN
from tests.client.waiting import until


async def test_a_command_is_shown_before_it_is_confirmed(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        await hive.cut_connections()
        sending = asyncio.create_task(project.create_task("Land", labels=["moon"]))
        await asyncio.sleep(0)
        [task] = project.state.tasks.values()
        assert (task["title"], task["key"], task["createdBy"]) == ("Land", "APOLLO-1", client.user_id)
        assert project.confirmed.tasks == {}
        assert [one.type for one in project.pending] == ["CreateTask"]
        ack = await sending
        assert ack.result["taskId"] == task["id"]
        assert task["id"] in project.state.tasks
        await project.caught_up(ack.cursor)
        assert project.pending == []
        assert project.state is project.confirmed


async def test_what_the_server_refuses_is_taken_back(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        task_id = (await project.create_task("Land")).result["taskId"]
        hive.refuse = lambda frame: Rejection(ErrorCode.RULE_BROKEN, "no", {"reason": "mood"})
        refused = asyncio.create_task(project.edit_task(task_id, title="Crash"))
        await asyncio.sleep(0)
        assert project.state.tasks[task_id]["title"] == "Crash"
        with pytest.raises(RuleBroken):
            await refused
        assert project.state.tasks[task_id]["title"] == "Land"
        assert project.pending == []


async def test_pending_commands_outlive_a_connection_and_are_sent_with_their_op_ids(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        await hive.stop()
        await until(lambda: not client.is_connected)
        sending = [asyncio.create_task(project.create_task(title)) for title in ("one", "two")]
        await asyncio.sleep(0)
        op_ids = [one.op_id for one in project.pending]
        assert [task["title"] for task in project.state.tasks.values()] == ["one", "two"]
        await hive.start()
        acks = await asyncio.gather(*sending)
        assert [ack.op_id for ack in acks] == op_ids
        await project.caught_up(acks[-1].cursor)
        assert [task["key"] for task in project.confirmed.tasks.values()] == ["APOLLO-1", "APOLLO-2"]


async def test_after_the_deadline_nothing_is_shown_any_longer(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        await hive.stop()
        with pytest.raises(DeadlineExceeded):
            await project.create_task("Land", deadline_s=0.05)
        assert project.state.tasks == {}
        await hive.start()


async def test_nothing_is_shown_for_others_or_beyond_the_limit(hive: Hive) -> None:
    few = Settings(pending_max=1, reconnect=QUICK.reconnect, retry=QUICK.retry)
    async with Client(hive.url, username="ada", password="correct horse", settings=few) as client:
        project_id = await client.create_project("Apollo")
        async with client.project(project_id) as project:
            sending = [asyncio.create_task(project.create_task(title)) for title in ("one", "two")]
            await asyncio.sleep(0)
            assert [task["title"] for task in project.state.tasks.values()] == ["one"]
            await asyncio.gather(*sending)
    async with Client(hive.url, token=ADMIN_TOKEN, settings=few) as operator:
        sending = [asyncio.create_task(operator.project(project_id).create_task("unseen"))]
        await asyncio.gather(*sending)


async def test_what_two_send_is_shown_until_neither_does(client: Client) -> None:
    project_id, op_id = await client.create_project("Apollo"), new_id()
    async with client.project(project_id) as project:
        first, second, third = (asyncio.create_task(project.create_task("Land", op_id=op_id)) for _ in range(3))
        await asyncio.sleep(0)
        for one in (second, third):
            one.cancel()
            await asyncio.sleep(0)
            assert len(project.state.tasks) == 1
        ack = await first
        assert len(project.state.tasks) == 1
        await project.caught_up(ack.cursor)
        assert (len(project.state.tasks), project.pending) == (1, [])


async def test_an_op_id_in_capitals_is_the_same_one(client: Client) -> None:
    project_id, op_id = await client.create_project("Apollo"), new_id()
    async with client.project(project_id) as project:
        sending = [project.create_task("Land", op_id=one) for one in (op_id.upper(), op_id)]
        acks = await asyncio.gather(*sending)
        assert acks[0].result == acks[1].result
        await project.caught_up(acks[0].cursor)
        assert (len(project.state.tasks), project.pending) == (1, [])


async def test_ids_and_labels_are_shown_as_the_server_takes_them(client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project:
        made = await project.create_task("Land", labels=["a", "b"])
        task_id = made.result["taskId"]
        await project.caught_up(made.cursor)
        sending = asyncio.create_task(project.edit_task(task_id.upper(), title="NEW", remove_labels=[" a"]))
        await asyncio.sleep(0)
        shown = project.state.tasks[task_id]
        assert (shown["title"], shown["labels"]) == ("NEW", ["b"])
        await project.caught_up((await sending).cursor)
        assert project.state.tasks[task_id] == {**shown, "updatedAt": project.state.tasks[task_id]["updatedAt"]}


async def test_a_project_that_is_not_open_shows_nothing_and_keeps_nothing(hive: Hive, client: Client) -> None:
    project = client.project(await client.create_project("Apollo"))
    await project.create_task("Land")
    assert project.pending == []


def test_what_a_command_makes_is_named_by_its_op_id() -> None:
    op_id = new_id()
    made = made_id(op_id, "taskId")
    assert made == made_id(op_id, "taskId")
    assert made != made_id(op_id, "commentId")
    assert (made[:13], made[14], made[19] in "89ab") == (op_id[:13], "7", True)
    assert made_id("any text", "taskId")[14] == "5"
    assert made_id(op_id.upper(), "taskId") == made_id(op_id, "taskId")
    derived = derived_id("ada", "any text")
    made = made_id(derived, "taskId")
    assert (made[:15], made == derived) == (derived[:15], False), "it is for the same account alone"
