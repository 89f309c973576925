"""Exports end with the right to read them, also where their reader is slow: cut off, without `end`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import pytest

from protocol.members import AddMember, RemoveMember
from protocol.projects import EditProject
from protocol.tasks import CreateTask, EditTask
from server.rest import personal_data
from server.rest.export_places import ExportLimits
from tests.actors.given import uuid
from tests.server.rest.raw_asking import asking
from tests.server.rest.test_bots import a_bot, a_token
from tests.server.world import ADMIN_TOKEN, PASSWORD, User, World, a_world

OPERATOR_AUTH = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
CUT_S = 1.0
TASKS = 60
BUFFERED_BYTES = 600_000
"""What the kernel holds for a reader, and we for it, at most."""
Ending = Literal["removed", "private", "purged", "everywhere", "password", "expired"]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(exports=ExportLimits(at_once_max=1)) as world:
        yield world


async def much(world: World, *, by_bob: bool = False) -> tuple[User, User, str]:
    """Ada, who owns a project of megabytes, bob, who is a member of it and has its tasks, and its id."""
    ada, bob = await world.register("ada"), await world.register("bob")
    project = (await world.project(ada))["id"]
    await world.send(ada, project, AddMember(user_id=bob.id, role="member"))
    tasks = [uuid(0xE000 + number) for number in range(TASKS)]
    for task in tasks:
        await world.send(bob if by_bob else ada, project, CreateTask(task_id=task, title="x", assignee_ids=[bob.id]))
    world.clock.now_s += 1
    for task in tasks:
        await world.send(ada, project, EditTask(task_id=task, description="d" * 30_000))
    return ada, bob, project


async def begun(reader: asyncio.StreamReader) -> None:
    """Reads the beginning, and nothing more."""
    async with asyncio.timeout(5):
        assert b" 200 " in await reader.readline()
        await reader.readexactly(16_000)


async def assert_cut(world: World, reader: asyncio.StreamReader) -> None:
    """Its place is free though nothing was read of it, and no more comes than what was on its way."""
    path = f"/v1/users/{(await world.register('eve')).id}/export"
    async with asyncio.timeout(CUT_S):
        while (await world.http.get(path, headers=OPERATOR_AUTH)).status == 503:
            pass
    rest = await rest_of(reader)
    assert len(rest) < BUFFERED_BYTES
    assert b'"end"' not in rest


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    rest = bytearray()
    async with asyncio.timeout(5):
        try:
            while read := await reader.read(1 << 16):
                rest += read
        except ConnectionError:
            pass
    return bytes(rest)


async def end(world: World, ending: Ending, ada: User, bob: User, project: str) -> None:
    """Takes bob's right away."""
    http = world.http
    match ending:
        case "removed":
            await world.send(ada, project, RemoveMember(user_id=bob.id))
        case "private":
            await world.send(ada, project, EditProject(visibility="private"))
        case "purged":
            assert (await http.delete(f"/v1/projects/{project}", headers=ada.auth)).ok
            assert (await http.post(f"/v1/projects/{project}/purge", headers=ada.auth)).ok
        case "everywhere":
            assert (await http.post("/v1/users/logout", json={"everywhere": True}, headers=bob.auth)).ok
        case "password":
            login = await http.post("/v1/users/login", json={"username": bob.name, "password": PASSWORD})
            elsewhere = {"Authorization": f"Bearer {(await login.json())['accessToken']}"}
            body = {"currentPassword": PASSWORD, "newPassword": PASSWORD + "2"}
            assert (await http.put(f"/v1/users/{bob.id}/password", json=body, headers=elsewhere)).ok
        case "expired":
            world.clock.now_s += 900


@pytest.mark.parametrize("query", ["?entries=false", ""])
@pytest.mark.parametrize("ending", ["removed", "purged", "everywhere", "password", "expired"])
async def test_the_export_of_a_project_ends_with_the_right_to_read_it(world: World, ending: Ending, query: str) -> None:
    ada, bob, project = await much(world)
    async with asking(world, f"/v1/projects/{project}/export{query}", bob.auth) as reader:
        await begun(reader)
        await end(world, ending, ada, bob, project)
        await assert_cut(world, reader)


async def test_a_stranger_gets_no_more_of_a_project_that_is_private_again(world: World) -> None:
    ada, bob, project = await much(world)
    await world.send(ada, project, EditProject(visibility="public"))
    eve = await world.register("stranger")
    async with asking(world, f"/v1/projects/{project}/export?entries=false", eve.auth) as reader:
        await begun(reader)
        await end(world, "private", ada, bob, project)
        await assert_cut(world, reader)


async def test_a_purge_ends_the_operators_export_and_one_of_the_past(world: World) -> None:
    ada, bob, project = await much(world)
    async with asking(world, f"/v1/projects/{project}/export?entries=false&asOf=122", OPERATOR_AUTH) as reader:
        await begun(reader)
        await end(world, "purged", ada, bob, project)
        await assert_cut(world, reader)


@pytest.mark.parametrize("ending", ["everywhere", "password", "expired"])
async def test_the_export_of_a_user_ends_with_their_log_in(world: World, ending: Ending) -> None:
    ada, bob, project = await much(world)
    async with asking(world, f"/v1/users/{bob.id}/export", bob.auth) as reader:
        await begun(reader)
        await end(world, ending, ada, bob, project)
        await assert_cut(world, reader)


@pytest.mark.parametrize("ending", ["revoked", "removed"])
async def test_the_export_of_a_bot_ends_with_its_token_and_with_its_place(world: World, ending: str) -> None:
    ada, bob, project = await much(world)
    bot = await a_bot(world, bob)
    token = await a_token(world, bob, bot["userId"], scopes=["read"])
    await world.send(ada, project, AddMember(user_id=bot["userId"], role="viewer"))
    auth = {"Authorization": f"Bearer {token['token']}"}
    async with asking(world, f"/v1/projects/{project}/export", auth) as reader:
        await begun(reader)
        if ending == "revoked":
            path = f"/v1/bots/{bot['userId']}/tokens/{token['tokenId']}"
            assert (await world.http.delete(path, headers=bob.auth)).ok
        else:
            await world.send(ada, project, RemoveMember(user_id=bob.id))
        await assert_cut(world, reader)


async def test_the_export_of_a_user_has_no_more_of_a_project_that_they_have_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal_data, "FRESH_S", 0.0)
    ada, bob, project = await much(world)
    async with asking(world, f"/v1/users/{bob.id}/export", bob.auth) as reader:
        await begun(reader)
        await end(world, "removed", ada, bob, project)
        rest = await rest_of(reader)
    assert len(rest) < BUFFERED_BYTES
    assert f'{{"end":"profile/{bob.id}"'.encode() in rest


async def test_of_tasks_that_others_changed_no_more_is_exported_than_which_they_were(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal_data, "FRESH_S", 0.0)
    ada, bob, project = await much(world, by_bob=True)
    async with asking(world, f"/v1/users/{bob.id}/export", bob.auth) as reader:
        await begun(reader)
        await end(world, "removed", ada, bob, project)
        rest = await rest_of(reader)
    assert len(rest) < BUFFERED_BYTES
    assert rest.count(b'"object":"task"') == TASKS - 1
    assert f'{{"end":"profile/{bob.id}"'.encode() in rest


async def test_who_hangs_up_gives_the_place_back(world: World) -> None:
    _, bob, project = await much(world)
    async with asking(world, f"/v1/projects/{project}/export", bob.auth) as reader:
        await begun(reader)
    path = f"/v1/users/{bob.id}/export"
    async with asyncio.timeout(CUT_S):
        while (await world.http.get(path, headers=bob.auth)).status == 503:
            pass
