"""Server-Sent Events: nothing missing, nothing twice, resumable, and over as soon as they have to be."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import orjson
import pytest

from protocol.cursors import Cursor
from protocol.members import AddMember, RemoveMember
from protocol.tasks import CreateTask
from server.rest.event_streams import EventStreamLimits
from tests.server.gateway.hive import eventually
from tests.server.rest.raw_asking import asking
from tests.server.rest.sse import listening
from tests.server.rest.test_events import a_log
from tests.server.world import CHEAP, SIZES, User, World, a_world, problem_of

LIMITS = EventStreamLimits(heartbeat_s=0.05, grace_s=0.3, chunk_bytes=30_000, buffer_bytes=16_384)


async def write(world: World, user: User, project: str, count: int = 1, description: str = "") -> None:
    for _ in range(count):
        await world.send(user, project, CreateTask(title="x", description=description))


async def test_the_log_comes_and_then_what_is_new(world: World) -> None:
    ada, project, path = await a_log(world)
    async with listening(world, ada, path) as listener:
        joined = await listener.next()
        assert joined is not None
        assert (joined.event, joined.data["mode"]) == ("joined", "resume")
        assert await listener.seqs(5) == [1, 2, 3, 4, 5]
        assert listener.said[-1].id == joined.data["cursor"]
        await write(world, ada, project, 3)
        assert await listener.seqs(8) == [6, 7, 8]
        assert listener.said[-1].data["events"][0]["kind"] == "TaskCreated"


async def test_a_client_that_comes_again_goes_on_where_it_was(world: World) -> None:
    ada, project, path = await a_log(world, 300)
    async with listening(world, ada, path + "?after=280") as listener:
        await listener.next()
        assert await listener.seqs(290) == list(range(281, 291))
        last = str(listener.said[-1].id)
    await write(world, ada, project, 5)
    async with listening(world, ada, path + "?after=280", **{"Last-Event-ID": last}) as listener:
        await listener.next()
        assert await listener.seqs(306) == list(range(291, 307))


async def test_a_lost_cursor_is_reset_with_the_reason(world: World) -> None:
    ada, _, path = await a_log(world)
    for place, reason in (("3.999", "epoch"), ("99", "ahead")):
        async with listening(world, ada, f"{path}?after={place}") as listener:
            joined = await listener.next()
            assert joined is not None
            assert (joined.data["mode"], joined.data["reason"], joined.id) == ("reset", reason, "0.0")
            assert await listener.seqs(5) == [1, 2, 3, 4, 5]


async def test_who_is_removed_is_told_within_a_second_and_gets_nothing_more(world: World) -> None:
    ada, project, path = await a_log(world)
    bob = await world.register("bob")
    await world.send(ada, project, AddMember(user_id=bob.id, role="viewer"))
    async with listening(world, bob, path) as listener:
        await listener.next()
        await listener.seqs(6)
        began_s = time.monotonic()
        await world.send(ada, project, RemoveMember(user_id=bob.id))
        await write(world, ada, project)
        closed = await listener.next()
        assert closed is not None
        assert (closed.event, closed.data) == ("closed", {"reason": "removed"})
        assert await listener.next() is None
        assert time.monotonic() - began_s < 1
    await eventually(lambda: not world.feeds.followers and not len(world.event_streams))
    await problem_of(await world.http.get(path, headers={**bob.auth, "Accept": "text/event-stream"}), 404)


async def test_it_ends_with_its_token(world: World) -> None:
    ada, _, path = await a_log(world)
    async with listening(world, ada, path) as listener:
        await listener.next()
        await listener.seqs(5)
        world.clock.now_s += 900
        closed = await listener.next()
        assert closed is not None
        assert closed.data == {"reason": "expired"}
        assert await listener.next() is None


async def test_it_ends_with_the_log_in(world: World) -> None:
    ada, _, path = await a_log(world)
    async with listening(world, ada, path) as listener:
        await listener.next()
        await listener.seqs(5)
        assert (await world.http.post("/v1/users/logout", json={}, headers=ada.auth)).status < 300
        closed = await listener.next()
        assert closed is not None
        assert closed.data == {"reason": "ended"}


async def test_it_shows_that_it_lives_and_ends_with_the_server() -> None:
    async with a_world(CHEAP, SIZES, LIMITS) as world:
        ada, _, path = await a_log(world)
        async with listening(world, ada, path) as listener:
            await listener.next()
            await listener.seqs(5)
            ending = asyncio.create_task(listener.next())
            await eventually(lambda: listener.comments >= 2)
            world.event_streams.stop()
            closed = await ending
            assert closed is not None
            assert closed.data == {"reason": "shutdown"}
        refused = await world.http.get(path, headers={**ada.auth, "Accept": "text/event-stream"})
        assert (await problem_of(refused, 503))["code"] == "unavailable"


async def test_a_client_that_goes_away_leaves_nothing_though_nothing_is_sent() -> None:
    async with a_world(CHEAP, SIZES, replace(LIMITS, heartbeat_s=999)) as world:
        ada, _, path = await a_log(world)
        async with listening(world, ada, path) as listener:
            await listener.next()
            assert (world.feeds.followers, len(world.event_streams)) == (1, 1)
        await eventually(lambda: not world.feeds.followers and not len(world.event_streams))


def live(user: User) -> dict[str, str]:
    return {**user.auth, "Accept": "text/event-stream"}


async def test_who_does_not_read_is_let_go() -> None:
    async with a_world(CHEAP, SIZES, LIMITS) as world:
        ada, project, path = await a_log(world, 0)
        await write(world, ada, project, 100, "d" * 30_000)
        async with asking(world, path, live(ada)):
            await eventually(lambda: len(world.event_streams) == 1)
            await eventually(lambda: not len(world.event_streams) and not world.feeds.followers)


async def test_who_reads_slowly_is_served_from_the_log() -> None:
    async with a_world(CHEAP, SIZES, replace(LIMITS, grace_s=60)) as world:
        ada, project, path = await a_log(world, 0)
        seqs: list[int] = []
        async with asking(world, path, live(ada)) as reader, asyncio.timeout(60):
            await eventually(lambda: world.feeds.followers == 1)
            await write(world, ada, project, 40, "d" * 10_000)
            while not seqs or seqs[-1] < 41:
                line = await reader.readline()
                assert line, seqs
                if line.startswith(b"data: ") and b'"seq"' in line:
                    seqs.append(orjson.loads(line[6:])["seq"])
        assert seqs == list(range(1, 42))
        assert world.feeds.pages.reads


async def test_one_user_has_a_bounded_number() -> None:
    async with a_world(CHEAP, SIZES, replace(LIMITS, connections_per_user_max=1)) as world:
        ada, project, path = await a_log(world)
        bob = await world.register("bob")
        await world.send(ada, project, AddMember(user_id=bob.id, role="viewer"))
        async with listening(world, ada, path), listening(world, bob, path):
            refused = await world.http.get(path, headers={**ada.auth, "Accept": "text/event-stream"})
            problem = await problem_of(refused, 503)
            assert (problem["code"], problem["details"]["limit"]) == ("overloaded", "event-streams-per-user")
        await eventually(lambda: not len(world.event_streams))
        async with listening(world, ada, path) as again:
            assert await again.next()


async def test_the_last_id_has_the_form_of_a_cursor(world: World) -> None:
    ada, _, path = await a_log(world)
    asked = {**ada.auth, "Accept": "text/event-stream", "Last-Event-ID": "none"}
    await problem_of(await world.http.get(path, headers=asked), 400)
    async with listening(world, ada, path) as listener:
        await listener.next()
        await listener.seqs(1)
        assert Cursor.parse(str(listener.said[-1].id)).seq == 1


@pytest.mark.parametrize(
    ("accept", "is_live"),
    [
        ("TEXT/Event-Stream", True),
        ("text/event-stream, */*;q=0.1", True),
        ("application/json, text/event-stream", True),
        ("text/event-stream; q=0.001", True),
        ("text/event-stream;q=0", False),
        ("text/event-stream;Q=0.0, */*", False),
        ("text/event-stream;q=0.5, application/json", False),
        ("text/event-stream;q=often", False),
        ("text/event-streams", False),
        ("*/*", False),
        ("", False),
    ],
)
async def test_whoever_asks_for_the_media_type_rather_than_json_gets_it(
    world: World, accept: str, is_live: bool
) -> None:
    ada, _, path = await a_log(world)
    async with world.http.get(path, headers={**ada.auth, "Accept": accept}) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream" if is_live else "application/json")


async def test_a_second_field_of_accept_counts_too(world: World) -> None:
    ada, _, path = await a_log(world)
    asked = [*ada.auth.items(), ("Accept", "application/json;q=0.5"), ("Accept", "text/event-stream")]
    async with world.http.get(path, headers=asked) as answer:
        assert answer.content_type == "text/event-stream"
