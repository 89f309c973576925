"""Large answers that nobody reads are bounded, for one and for all."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from protocol.event import OPERATOR, Principal
from protocol.projects import EditProject
from protocol.tasks import CreateTask
from server.unread_answers import ANSWERS, SMALL_BYTES, AnswerLimits, UnreadAnswers
from tests.server.gateway.hive import eventually
from tests.server.listening import GET, LARGE_BYTES, PATIENT, large, problem_in, sent, served
from tests.server.test_unread import asked, is_reset
from tests.server.world import PASSWORD, User, World, problem_of

ADA = Principal("ada", "user")
BOT = Principal("bot", "bot", owner_id="ada")
BOB = Principal("bob", "user")
LAST_GET = b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
LAST_POST = LAST_GET.replace(b"GET", b"POST")
LIMITS = AnswerLimits()


def test_room_is_used_up_when_not_even_the_smallest_large_answer_fits() -> None:
    answers = UnreadAnswers(AnswerLimits(answers_unread_max_bytes=1, answers_unread_per_user_max_bytes=3 * SMALL_BYTES))
    assert not answers.is_used_up(ADA.counts_for)
    with answers.holding(ADA.counts_for, 2 * SMALL_BYTES - 1), answers.holding(None, 9 * SMALL_BYTES):
        assert not answers.is_used_up(ADA.counts_for), "a small large one fits still"
        with answers.holding(BOT.counts_for, 1):
            holders = [one.counts_for for one in (ADA, BOT, BOB, OPERATOR)]
            assert [answers.is_used_up(one) for one in holders] == [True, True, False, False]


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
            assert (await sent(port, LAST_GET.replace(b"GET", b"HEAD"))).startswith(b"HTTP/1.1 200"), "a head is small"
            told = problem_in(await sent(port, LAST_POST))
            assert (told["status"], told["code"], told["retryable"]) == (504, "timeout", True)
            assert told["details"] == {"limit": "answers-unread-per-user", "retryAfterS": 2}
            assert told["detail"].startswith("it was carried out")
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


class Gated:
    """A change with a large answer, which is ready when the gate opens."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.under_way = 0
        self.done = 0

    async def change(self, request: web.Request) -> web.Response:
        self.under_way += 1
        await self.gate.wait()
        self.done += 1
        return await large(request)


async def test_answers_to_changes_that_are_ready_together_are_bounded() -> None:
    limits = AnswerLimits(answers_unread_per_user_max_bytes=2 * LARGE_BYTES, answers_unread_max_bytes=9 * LARGE_BYTES)
    answers, gated = UnreadAnswers(limits), Gated()
    async with served(PATIENT, answers=answers, more=[web.post("/gated", gated.change)]) as port:
        asking = [asyncio.create_task(sent(port, LAST_POST.replace(b"large", b"gated"))) for _ in range(6)]
        await eventually(lambda: gated.under_way == 6)
        gated.gate.set()
        said = await asyncio.gather(*asking)
    told = [problem_in(one)["code"] for one in said if len(one) < LARGE_BYTES]
    assert told == ["timeout"] * 4
    assert answers.bytes == 0


async def test_what_is_ready_for_nobody_any_more_holds_nothing() -> None:
    answers, gated = UnreadAnswers(LIMITS), Gated()
    async with served(PATIENT, answers=answers, more=[web.get("/gated", gated.change)]) as port:
        async with asked(port, b"/gated"):
            await eventually(lambda: gated.under_way == 1)
        gated.gate.set()
        await eventually(lambda: gated.done == 1 and answers.bytes == 0)
        assert len(answers) == 0


async def large_task(world: World, user: User) -> tuple[str, str]:
    """A task whose answers are large: its project's address, and its own."""
    project = f"/v1/projects/{(await world.project(user))['id']}"
    body = {"title": "x", "description": "x" * SMALL_BYTES}
    task = await (await world.http.post(f"{project}/tasks", json=body, headers=user.auth)).json()
    return project, f"{project}/tasks/{task['id']}"


async def entries(world: World, user: User, project: str) -> int:
    """How many the project's log has."""
    events: dict[str, Any] = await (await world.http.get(f"{project}/events", headers=user.auth)).json()
    return len(events["entries"])


async def test_whose_room_is_used_up_changes_nothing(world: World) -> None:
    ada, eve = await world.register("ada"), await world.register("eve")
    answers: UnreadAnswers = world.http.app[ANSWERS]
    project, task = await large_task(world, ada)
    others = f"/v1/projects/{(await world.project(eve))['id']}/tasks"
    before = await entries(world, ada, project)
    with answers.holding(ada.id, LIMITS.answers_unread_per_user_max_bytes):
        for method, path in (("POST", f"{project}/tasks"), ("PUT", task), ("DELETE", task)):
            body = {"title": "y"} if method != "DELETE" else None
            refused = await world.http.request(method, path, json=body, headers=ada.auth)
            problem = await problem_of(refused, 503)
            assert (problem["code"], problem["details"]["limit"]) == ("overloaded", "answers-unread-per-user")
        assert (await world.http.post(others, json={"title": "z"}, headers=eve.auth)).status == 201
        sign_in = {"username": "ada", "password": PASSWORD}
        assert (await world.http.post("/v1/users/login", json=sign_in)).status == 200, "its answer is always small"
    assert await entries(world, ada, project) == before
    assert (await world.http.delete(task, headers=ada.auth)).status == 204


@pytest.mark.parametrize("limit", ["answers-unread-per-user", "answers-unread"])
async def test_a_change_whose_answer_has_no_room_is_made_once_and_its_key_gets_the_answer(
    world: World, limit: str
) -> None:
    ada = await world.register("ada")
    answers: UnreadAnswers = world.http.app[ANSWERS]
    project, task = await large_task(world, ada)
    before = await entries(world, ada, project)
    holder, most_bytes = {
        "answers-unread-per-user": (ada.id, LIMITS.answers_unread_per_user_max_bytes),
        "answers-unread": ("others", LIMITS.answers_unread_max_bytes),
    }[limit]
    headers = {**ada.auth, "Idempotency-Key": "once"}
    with answers.holding(holder, most_bytes - SMALL_BYTES - 1):
        for _ in range(2):
            told = await world.http.put(task, json={"title": "y"}, headers=headers)
            problem = await problem_of(told, 504)
            assert (problem["code"], problem["retryable"], problem["details"]["limit"]) == ("timeout", True, limit)
            assert told.headers["Retry-After"] == "2"
            assert "carried out" in problem["detail"]
        small = await world.http.post(f"{project}/tasks", json={"title": "z"}, headers=ada.auth)
        assert small.status == 201, "its answer is small"
    again = await world.http.put(task, json={"title": "y"}, headers=headers)
    assert (again.status, (await again.json())["title"]) == (200, "y")
    assert await entries(world, ada, project) == before + 2


async def test_who_watches_has_the_room_of_an_address(world: World) -> None:
    answers: UnreadAnswers = world.http.app[ANSWERS]
    for number in range(60):  # as many routes as make its text a large one
        world.meters.request_answered("GET", f"/made/for/this/{number}", 200, 0.1)
    assert len(world.meters.exposition()) > SMALL_BYTES
    for holder, most_bytes in (
        ("address 127.0.0.1", LIMITS.answers_unread_per_user_max_bytes),
        ("others", LIMITS.answers_unread_max_bytes),
    ):
        with answers.holding(holder, most_bytes):
            problem = await problem_of(await world.http.get("/metrics"), 503)
            assert problem["code"] == "overloaded"
            for path in ("/healthz", "/readyz"):
                assert (await world.http.get(path)).status == 200
    assert (await world.http.get("/metrics")).status == 200
