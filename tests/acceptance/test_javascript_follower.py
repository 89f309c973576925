"""The JavaScript follower keeps the same replica as the server and the Python client, through gaps and restarts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pantherahive_client import Client
from tests.acceptance.javascript import js_follower, node
from tests.client.hive import QUICK, Hive, running_hive
from tests.client.hive_accounts import ADMIN_TOKEN

pytestmark = pytest.mark.only_if(node() is not None)


@pytest.fixture
async def hive() -> AsyncIterator[Hive]:
    async with running_hive() as running:
        yield running


@pytest.fixture
async def client(hive: Hive) -> AsyncIterator[Client]:
    async with Client(hive.url, username="ada", password="correct horse", settings=QUICK) as connected:
        yield connected


async def test_its_replica_equals_the_python_clients(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    friend = hive.add_user("grace")
    async with client.project(project_id) as project:
        before = (await project.create_task("before", labels=["x"])).result["taskId"]
        async with js_follower(hive.url, ADMIN_TOKEN, project_id) as follower:
            await follower.until(lambda line: line["type"] == "joined")
            await project.add_member(friend, "viewer")
            await project.change_member_role(friend, "member")
            await project.edit_task(before, add_assignees=[friend], add_labels=["y"], remove_labels=["x"])
            await project.edit_task(before, state_id="done")
            comment = (await project.add_comment(before, "雨 🌧")).result["commentId"]
            await project.edit_comment(comment, "rain")
            answer = (await project.add_comment(before, "again?", reply_to=comment)).result["commentId"]
            for emoji in ("👍", "❤️"):
                await project.add_reaction(comment, emoji)
            await project.remove_reaction(comment, "❤")
            await project.delete_comment(comment)
            await project.delete_comment(answer)
            await project.restore_comment(comment)
            await project.remove_member(friend)
            await project.edit_project(name="Apollo 11")
            await project.delete_project()
            last = await project.restore_project()
            await project.caught_up(last.cursor)
            await follower.caught_up(last.seq)
            told = await follower.state()
            assert told["cursor"] == project.cursor
            assert told["state"] == project.confirmed.as_json()


async def test_it_notices_gaps_and_comes_back_after_a_restart(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    async with client.project(project_id) as project, js_follower(hive.url, ADMIN_TOKEN, project_id) as follower:
        await follower.until(lambda line: line["type"] == "joined")
        hive.lose_entry = lambda seq: seq == 3
        for title in "abc":
            await project.create_task(title)
        await follower.until(lambda line: line["type"] == "gap")
        await follower.caught_up(4)
        heard = len(follower.lines)
        await hive.stop()
        await follower.until(lambda line: line["type"] == "disconnected")
        await hive.start()
        last = await project.create_task("after")
        await follower.caught_up(last.seq)
        resumed = await follower.until(lambda line: line["type"] == "joined", after=heard)
        assert (resumed["mode"], resumed["cursor"]) == ("resume", "4.7")
        told = await follower.state()
        assert len(told["state"]["tasks"]) == 4
