"""Large answers that nobody reads are bounded, for one and for all."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from protocol.event import OPERATOR, Principal
from protocol.projects import EditProject
from protocol.tasks import CreateTask
from server.unread_answers import ANSWERS, SMALL_BYTES, AnswerLimits, UnreadAnswers
from tests.server.gateway.hive import eventually
from tests.server.listening import GET, LARGE_BYTES, PATIENT, problem_in, sent, served
from tests.server.test_unread import asked, is_reset
from tests.server.world import User, World, problem_of

ADA = Principal("ada", "user")
BOT = Principal("bot", "bot", owner_id="ada")
BOB = Principal("bob", "user")
LAST_GET = b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def why(answers: UnreadAnswers, reader: Principal, size_bytes: int) -> str | None:
    refusal = answers.refusal(reader.counts_for, size_bytes)
    return None if refusal is None else str(refusal.details["limit"])


def test_each_has_a_bound_and_all_have_one() -> None:
    answers = UnreadAnswers(AnswerLimits(answers_unread_max_bytes=100, answers_unread_per_user_max_bytes=40))
    assert why(answers, ADA, 1000) is None
    with answers.holding(ADA.counts_for, 30):
        assert [why(answers, reader, 10) for reader in (ADA, BOT, BOB, OPERATOR)] == [None] * 4
        assert [why(answers, reader, 11) for reader in (ADA, BOT)] == ["answers-unread-per-user"] * 2
        assert [why(answers, reader, 70) for reader in (BOB, OPERATOR)] == [None] * 2
        assert [why(answers, reader, 71) for reader in (BOB, OPERATOR)] == ["answers-unread"] * 2
        with answers.holding(OPERATOR.counts_for, 60), answers.holding(BOB.counts_for, 10):
            assert (answers.bytes, len(answers)) == (100, 3)
            assert why(answers, OPERATOR, 1) == "answers-unread"
    assert (answers.bytes, len(answers)) == (0, 0)


def read(client: socket.socket) -> bool:
    """Takes what has come."""
    try:
        return bool(client.recv(LARGE_BYTES))
    except BlockingIOError:
        return True


@pytest.mark.parametrize("ends", ["by hanging up", "by reading", "by its time"])
async def test_what_nobody_reads_is_bounded_until_it_is_gone(ends: str) -> None:
    limits = AnswerLimits(answers_unread_per_user_max_bytes=2 * LARGE_BYTES, answers_unread_max_bytes=9 * LARGE_BYTES)
    answers = UnreadAnswers(limits)
    times = replace(PATIENT, unread_s=0.5) if ends == "by its time" else PATIENT
    async with served(times, answers=answers) as port:
        async with AsyncExitStack() as clients:
            asking = [asked(port, b"/large", receive_buffer_bytes=1 << 20) for _ in range(2)]
            waiting = [await clients.enter_async_context(client) for client in asking]
            await eventually(lambda: answers.bytes == 2 * LARGE_BYTES)
            refused = await sent(port, LAST_GET)
            assert problem_in(refused)["details"] == {"limit": "answers-unread-per-user", "retryAfterS": 2}
            assert (problem_in(refused)["code"], b"\r\nRetry-After: 2\r\n" in refused) == ("overloaded", True)
            small = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            assert (await sent(port, small)).startswith(b"HTTP/1.1 200")
            for method in (b"POST", b"HEAD"):
                told = await sent(port, LAST_GET.replace(b"GET", method))
                assert told.startswith(b"HTTP/1.1 200"), "what a command did is told, and a head is small"
            if ends == "by its time":
                await eventually(lambda: all(map(is_reset, waiting)))
            elif ends == "by reading":
                await eventually(lambda: all(map(read, waiting)) and answers.bytes == 0)
                assert len(await sent(port, LAST_GET)) > LARGE_BYTES
        await eventually(lambda: answers.bytes == 0)
        assert len(answers) == 0
        assert len(await sent(port, LAST_GET)) > LARGE_BYTES


async def test_a_users_answers_count_for_the_user_with_their_bots(world: World) -> None:
    ada, eve = await world.register("ada"), await world.register("eve")
    answers: UnreadAnswers = world.http.app[ANSWERS]
    project = (await world.project(ada))["id"]
    await world.send(ada, project, EditProject(visibility="public"))
    await world.send(ada, project, CreateTask(title="x", description="x" * SMALL_BYTES))
    path = f"/v1/projects/{project}/tasks"
    bot = await world.http.post("/v1/bots", json={"username": "builder"}, headers=ada.auth)
    bot_id = (await bot.json())["userId"]
    wanted = {"name": "x", "scopes": ["read"]}
    token = await world.http.post(f"/v1/bots/{bot_id}/tokens", json=wanted, headers=ada.auth)
    of_bot = User(bot_id, "builder", (await token.json())["token"])
    with answers.holding(ada.id, AnswerLimits().answers_unread_per_user_max_bytes):
        for user in (ada, of_bot):
            problem = await problem_of(await world.http.get(path, headers=user.auth), 503)
            assert (problem["code"], problem["details"]["limit"]) == ("overloaded", "answers-unread-per-user")
        operator = {"Authorization": f"Bearer {world.admin_token}"}
        for headers in (eve.auth, operator):
            assert (await world.http.get(path, headers=headers)).status == 200
        assert (await world.http.get("/v1/projects", headers=ada.auth)).status == 200
    assert (await world.http.get(path, headers=of_bot.auth)).status == 200
