"""Bodies that are on their way are bounded, for one and for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from protocol.event import OPERATOR, Principal
from server.arriving_bodies import BODIES, SMALL_BYTES, ArrivingBodies, BodyLimits
from tests.server.gateway.hive import eventually
from tests.server.listening import GET, PATIENT, QUICK, closed, problem_in, sent, served
from tests.server.world import PASSWORD, User, World, problem_of

BODY_BYTES = 100_000
BODY = b'{"text":"' + b"x" * (BODY_BYTES - 11) + b'"}'
LIMITS = BodyLimits(bodies_arriving_per_user_max_bytes=5 * BODY_BYTES // 2, bodies_arriving_max_bytes=9 * BODY_BYTES)
"""Two bodies of one have room."""
POST = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LAST = b"Connection: close\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % BODY_BYTES
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
WAITED_FOR = b"Expect: 100-continue\r\n"
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PER_USER = {"limit": "bodies-arriving-per-user", "retryAfterS": 2}


def limit_of(bodies: ArrivingBodies, holder: str | None, size_bytes: int) -> Any:
    refusal = bodies.refusal(holder, size_bytes)
    return None if refusal is None else refusal.details["limit"]


def test_each_has_a_bound_and_all_have_one() -> None:
    bodies = ArrivingBodies(BodyLimits(bodies_arriving_max_bytes=100, bodies_arriving_per_user_max_bytes=40))
    ada, bot = Principal("ada", "user"), Principal("bot", "bot", owner_id="ada")
    with bodies.holding(ada.counts_for, 30):
        assert limit_of(bodies, bot.counts_for, 11) == "bodies-arriving-per-user"
        assert limit_of(bodies, OPERATOR.counts_for, 70) is None
        assert limit_of(bodies, OPERATOR.counts_for, 71) == "bodies-arriving"


@asynccontextmanager
async def begun(port: int, *pieces: bytes) -> AsyncIterator[Client]:
    """A client that has sent so much of a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
    try:
        yield reader, writer
    finally:
        await closed(writer)


async def finish(clients: Sequence[Client], rest: bytes) -> list[bytes]:
    """What they are answered when the rest has come."""
    for _, writer in clients:
        writer.write(rest)
    return await asyncio.gather(*(reader.read() for reader, _ in clients))


@pytest.mark.parametrize("ends", ["by hanging up", "by coming whole", "by its time", "by breaking"])
async def test_what_is_on_its_way_is_bounded_until_it_is_over(ends: str) -> None:
    bodies = ArrivingBodies(LIMITS)
    times = replace(PATIENT, body=QUICK.body) if ends == "by its time" else PATIENT
    head = CHUNKED if ends == "by breaking" else LENGTH
    async with served(times, bodies=bodies, body_max_bytes=BODY_BYTES) as port:
        async with AsyncExitStack() as stack:
            begun_body = b"1\r\n{\r\n" if ends == "by breaking" else BODY[:-1]
            clients = [await stack.enter_async_context(begun(port, POST + LAST + head, begun_body)) for _ in range(2)]
            if ends != "by its time":
                await eventually(lambda: bodies.bytes == 2 * BODY_BYTES)
                refused = await sent(port, POST + LAST + LENGTH, BODY)
                assert (problem_in(refused)["code"], problem_in(refused)["details"]) == ("overloaded", PER_USER)
                assert refused.startswith(b"HTTP/1.1 503")
                assert b"\r\nRetry-After: 2\r\n" in refused
                assert bodies.bytes == 2 * BODY_BYTES
            if ends == "by coming whole":
                assert [one[:12] for one in await finish(clients, BODY[-1:])] == [b"HTTP/1.1 200"] * 2
            elif ends == "by breaking":
                assert [one[:12] for one in await finish(clients, b"zzz\r\n\r\n")] == [b"HTTP/1.1 400"] * 2
            elif ends == "by its time":
                assert [one[:12] for one in await finish(clients, b"")] == [b"HTTP/1.1 400"] * 2
        await eventually(lambda: bodies.bytes == 0)
        assert len(bodies) == 0
        assert (await sent(port, POST + LAST + LENGTH, BODY)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("version", "fields", "body"),
    [
        (b"1.1", LENGTH, BODY),
        (b"1.1", b"Content-Length: 9999999\r\n\r\n", b"x"),
        (b"1.1", CHUNKED, b"2\r\n{}\r\n0\r\n\r\n"),
        (b"1.1", WAITED_FOR + LENGTH, BODY),
        (b"1.0", LENGTH, BODY),
    ],
    ids=["with its length", "too large", "in chunks", "waited for", "HTTP/1.0"],
)
async def test_a_body_needs_room_for_all_that_may_come_of_it(version: bytes, fields: bytes, body: bytes) -> None:
    bodies = ArrivingBodies(LIMITS)
    head = POST.replace(b"1.1", version)
    async with served(PATIENT, bodies=bodies, body_max_bytes=BODY_BYTES) as port:
        with bodies.holding("address 127.0.0.1", 3 * BODY_BYTES // 2):
            async with begun(port, head + fields) as (reader, writer):
                await eventually(lambda: bodies.bytes == 5 * BODY_BYTES // 2)
                writer.write(body[:1])
            await eventually(lambda: bodies.bytes == 3 * BODY_BYTES // 2)
            with bodies.holding("address 127.0.0.1", 1):
                async with begun(port, head + fields, body) as (reader, _):
                    answer = await asyncio.wait_for(reader.readuntil(b"}}"), 5)
                    answer = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
                    assert problem_in(answer)["details"] == PER_USER
                assert bodies.bytes == 3 * BODY_BYTES // 2 + 1
        assert bodies.bytes == 0


@pytest.mark.parametrize("fields", [LENGTH, WAITED_FOR + LENGTH], ids=["with its length", "waited for"])
async def test_behind_a_body_that_is_not_read_its_connection_goes_on(fields: bytes) -> None:
    bodies = ArrivingBodies(LIMITS)
    async with served(PATIENT, bodies=bodies, body_max_bytes=BODY_BYTES) as port:
        with bodies.holding("address 127.0.0.1", 5 * BODY_BYTES // 2):
            async with begun(port, POST + fields, BODY[:50_000]) as (reader, writer):
                assert b"HTTP/1.1 503" in await reader.readuntil(b"}}")
                writer.write(BODY[50_000:] + POST + LENGTH + BODY)
                assert (await reader.readuntil(b"}}")).startswith(b"HTTP/1.1 503")
                writer.write(GET)
                assert (await reader.readuntil(b'{"ok":true}')).startswith(b"HTTP/1.1 200")
        async with begun(port, POST + LENGTH, BODY) as (reader, _):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")


async def test_small_bodies_and_none_go_on() -> None:
    bodies = ArrivingBodies(BodyLimits(bodies_arriving_max_bytes=1, bodies_arriving_per_user_max_bytes=1))
    async with served(PATIENT, bodies=bodies, body_max_bytes=BODY_BYTES) as port:
        with bodies.holding("address 127.0.0.1", 1):
            for size_bytes, status in ((SMALL_BYTES, b"200"), (SMALL_BYTES + 1, b"503")):
                body = b'{"text":"x"}'.ljust(size_bytes)
                answer = await sent(port, POST + LAST + b"Content-Length: %d\r\n\r\n" % size_bytes + body)
                assert answer.startswith(b"HTTP/1.1 " + status)
            assert (await sent(port, POST + LAST + b"\r\n")).startswith(b"HTTP/1.1 400"), "no body is no JSON"


async def test_a_users_bodies_count_for_the_user_with_their_bots(world: World) -> None:
    ada, eve = await world.register("ada"), await world.register("eve")
    bodies: ArrivingBodies = world.http.app[BODIES]
    tasks = {user: f"/v1/projects/{(await world.project(user))['id']}/tasks" for user in (ada, eve)}
    bot = await world.http.post("/v1/bots", json={"username": "builder"}, headers=ada.auth)
    bot_id = (await bot.json())["userId"]
    wanted = {"name": "x", "scopes": ["read", "write"]}
    token = await world.http.post(f"/v1/bots/{bot_id}/tokens", json=wanted, headers=ada.auth)
    of_bot = User(bot_id, "builder", (await token.json())["token"])
    large = {"title": "x", "description": "x" * SMALL_BYTES}
    with bodies.holding(ada.id, BodyLimits().bodies_arriving_per_user_max_bytes):
        for user in (ada, of_bot):
            problem = await problem_of(await world.http.post(tasks[ada], json=large, headers=user.auth), 503)
            assert (problem["code"], problem["details"]) == ("overloaded", PER_USER)
        assert (await world.http.post(tasks[ada], json={"title": "x"}, headers=ada.auth)).status == 201
        assert (await world.http.post(tasks[eve], json=large, headers=eve.auth)).status == 201
        operator = {"Authorization": f"Bearer {world.admin_token}"}
        assert (await world.http.post(tasks[ada], json=large, headers=operator)).status == 201
    assert (await world.http.post(tasks[ada], json=large, headers=ada.auth)).status == 201
    assert bodies.bytes == 0


async def test_who_signs_in_needs_no_room(world: World) -> None:
    await world.register("ada")
    bodies: ArrivingBodies = world.http.app[BODIES]
    limits = BodyLimits()
    with (
        bodies.holding("address 127.0.0.1", limits.bodies_arriving_per_user_max_bytes),
        bodies.holding("others", limits.bodies_arriving_max_bytes),
    ):
        sign_in = {"username": "ada", "password": PASSWORD}
        assert (await world.http.post("/v1/users/login", json=sign_in)).status == 200
    assert bodies.bytes == 0
