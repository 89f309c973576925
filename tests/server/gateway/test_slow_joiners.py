"""Who joins and reads slowly: what is kept for all of them together is bounded, and a slow network is no hindrance."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from protocol.members import AddMember, RemoveMember
from protocol.tasks import EditTask
from server.gateway.limits import GatewayLimits
from server.gateway.session import Session
from tests.server.gateway.hive import ADMIN_TOKEN, Hive, a_hive, eventually
from tests.server.gateway.raw import RawClient, frames
from tests.server.gateway.sleepers import SMALL, Scenario, read_little

TASKS, TASK_BYTES = 20, 20_000
STATE_BYTES = TASKS * TASK_BYTES
"""About; far more than a connection takes before it counts as slow."""
LIMITS = replace(
    SMALL,
    transport_buffer_max_bytes=65_536,
    snapshot_part_max_bytes=25_000,
    slow_follower_grace_s=20,
    snapshots_kept_max_bytes=0,
    snapshots_sending_max_bytes=6 * STATE_BYTES,
    snapshots_sending_per_user_max_bytes=3 * STATE_BYTES,
)


async def a_project(hive: Hive, *members: str) -> tuple[str, str]:
    """A project with a large state, and one of its tasks."""
    stream = await hive.project(TASKS, description="d" * TASK_BYTES)
    for member in members:
        await hive.send(stream, AddMember(user_id=member, role="viewer"))
    view, _ = await hive.view(stream)
    return stream, next(iter(view["tasks"]))


async def a_joiner(hive: Hive, stream: str, token: str) -> tuple[RawClient, Session]:
    """A client that has sent its join and has read nothing of what it brings."""
    before = set(hive.gateway._entered)
    raw = await RawClient.entered(hive.url, token)
    [session] = set(hive.gateway._entered) - before
    await raw.emit(1, "join", {"stream": stream})
    return raw, session


async def answer(raw: RawClient) -> dict[str, Any]:
    """Of its join. What has come with it is kept."""
    while True:
        found, _ = frames(raw._rest)
        acks = [text for _, text in found if text.startswith(b"431")]
        if acks:
            said: dict[str, Any] = orjson.loads(acks[0][3:])[0]
            return said
        await read_little(raw)


async def parts_read(raw: RawClient, count: int, size: int) -> list[dict[str, Any]]:
    """So many parts of a state, read little by little. Raises ConnectionResetError when it was cut off."""
    parts: list[dict[str, Any]] = []
    while len(parts) < count:
        had = len(raw._rest)
        await read_little(raw, size)
        if len(raw._rest) == had:
            raise ConnectionResetError
        found, raw._rest = frames(raw._rest)
        events = [orjson.loads(text[2:]) for _, text in found if text.startswith(b"42")]
        parts += [message for name, message in events if name == "snapshot"]
    return parts


def bounds_hold(hive: Hive, limits: GatewayLimits) -> bool:
    """For all users together, and for each."""
    loads = hive.gateway.snapshots._loads
    state_bytes = 1.1 * STATE_BYTES
    each = [load.bytes <= limits.snapshots_sending_per_user_max_bytes + state_bytes for load in loads._of_user.values()]
    return all(each) and loads.bytes <= limits.snapshots_sending_max_bytes + state_bytes


async def test_slow_joiners_take_no_more_than_a_users_share_and_others_still_get_theirs() -> None:
    """Each joins at a point of its own, so each would have a copy of its own."""
    async with a_hive(LIMITS) as hive:
        (ada, ada_token), (bob, bob_token) = await hive.user("ada"), await hive.user("bob")
        stream, task_id = await a_project(hive, ada, bob)
        raws, refused = [], 0
        for number in range(12):
            raw, _ = await a_joiner(hive, stream, ada_token)
            said = await answer(raw)
            if "error" in said:
                refused += 1
                assert said["error"]["code"] == "overloaded"
                assert said["error"]["details"] == {"limit": "snapshots-sending-per-user", "retryAfterS": 2}
            assert bounds_hold(hive, LIMITS)
            raws.append(raw)
            await hive.send(stream, EditTask(task_id=task_id, title=f"Title {number}"))
        assert refused >= 9
        assert hive.gateway.connections == 12
        client = await hive.client(bob_token)
        joined = await client.join(stream)
        _, seq = await hive.view(stream)
        await client.until_seq(stream, seq)
        assert joined["mode"] == "snapshot"
        assert len(client.of("snapshot")) == joined["parts"]
        for raw in raws:
            raw.close()
        await eventually(lambda: hive.gateway.snapshots.on_way_bytes == 0)
        assert not len(hive.gateway.snapshots._loads)


async def test_slow_joiners_of_many_users_take_no_more_than_all_may() -> None:
    async with a_hive(LIMITS) as hive:
        users = [await hive.user(f"user {number}") for number in range(6)]
        stream, task_id = await a_project(hive, *(user for user, _ in users))
        raws, said = [], []
        for _, token in users * 2:
            raw, _ = await a_joiner(hive, stream, token)
            said.append(await answer(raw))
            assert bounds_hold(hive, LIMITS)
            raws.append(raw)
            await hive.send(stream, EditTask(task_id=task_id, title=f"Title {len(raws)}"))
        limits = [one["error"]["details"]["limit"] for one in said if "error" in one]
        assert set(limits) == {"snapshots-sending"}
        assert len(limits) >= 6
        for raw in raws:
            raw.close()
        await eventually(lambda: hive.gateway.snapshots.on_way_bytes == 0)


@pytest.mark.only_if(sys.platform == "linux")
def test_a_steady_reader_on_a_slow_network_gets_its_whole_state(run: Callable[[Scenario], None]) -> None:
    """It takes several times the grace for it."""

    async def scenario() -> None:
        async with a_hive(replace(LIMITS, slow_follower_grace_s=0.3)) as hive:
            stream, _ = await a_project(hive)
            raw, session = await a_joiner(hive, stream, ADMIN_TOKEN)
            joined = await answer(raw)
            began_s = asyncio.get_running_loop().time()
            parts = await parts_read(raw, joined["parts"], 5000)
            assert asyncio.get_running_loop().time() - began_s > 2 * 0.3
            assert [part["part"] for part in parts] == list(range(1, joined["parts"] + 1))
            assert sum(len(part["state"].get("tasks", [])) for part in parts) == TASKS
            await eventually(lambda: session.places.deliveries[stream].is_live)
            assert not hive.gateway.snapshots.on_way_bytes
            raw.close()

    run(scenario)


@pytest.mark.only_if(sys.platform == "linux")
def test_who_reads_a_state_below_the_pace_gives_the_place_away(
    run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However steadily: it is never silent for the grace."""

    async def scenario() -> None:
        limits = replace(LIMITS, slow_follower_grace_s=0.5, snapshot_bytes_per_s_min=10 << 20)
        async with a_hive(limits) as hive:
            ended: list[Session] = []
            monkeypatch.setattr(Session, "slow", lambda session: ended.append(session))  # a method, so it is bound
            stream, _ = await a_project(hive)
            raw, session = await a_joiner(hive, stream, ADMIN_TOKEN)
            joined = await answer(raw)
            with pytest.raises(ConnectionResetError):
                await parts_read(raw, joined["parts"], 1000)
            assert ended == [session]
            await eventually(lambda: not hive.gateway.snapshots.on_way_bytes and not hive.left())
            raw.close()

    run(scenario)


async def test_who_leaves_or_is_removed_meanwhile_gets_no_further_part_and_takes_no_room() -> None:
    async with a_hive(LIMITS) as hive:
        (ada, ada_token), (bob, bob_token) = await hive.user("ada"), await hive.user("bob")
        stream, _ = await a_project(hive, ada, bob)
        leaver, session = await a_joiner(hive, stream, ada_token)
        removed, _ = await a_joiner(hive, stream, bob_token)
        for raw in (leaver, removed):
            assert (await answer(raw))["parts"] > 10
        await eventually(lambda: len(hive.gateway.snapshots._loads) == 2)
        await leaver.emit(2, "leave", {"stream": stream})
        await hive.send(stream, RemoveMember(user_id=bob))
        await eventually(lambda: not hive.gateway.snapshots.on_way_bytes)
        assert not session.places.deliveries
        texts: list[str] = []
        while not any(text.startswith('42["closed"') for text in texts):
            texts += await removed.read()
        assert len([text for text in texts if text.startswith('42["snapshot"')]) < 10
        for raw in (leaver, removed):
            raw.close()


async def test_who_falls_far_behind_gets_the_entries_while_there_is_no_room_for_its_state() -> None:
    """The states of slow followers and those of joiners are bounded together."""
    limits = replace(LIMITS, snapshots_sending_max_bytes=0, lag_entries_max=30)
    async with a_hive(limits) as hive:
        stream, task_id = await a_project(hive)
        _, seq = await hive.view(stream)
        before = set(hive.gateway._entered)
        behind = await RawClient.entered(hive.url, ADMIN_TOKEN)
        [session] = set(hive.gateway._entered) - before
        await behind.emit(0, "join", {"stream": stream, "cursor": str(await hive.feeds.cursor_at(stream, seq))})
        await eventually(lambda: stream in session.places.deliveries and session.places.deliveries[stream].is_live)
        joiner, _ = await a_joiner(hive, stream, ADMIN_TOKEN)
        assert (await answer(joiner))["parts"]
        for number in range(100):
            await hive.send(stream, EditTask(task_id=task_id, description=f"{number} " + "x" * TASK_BYTES))
        events: list[tuple[str, Any]] = []
        while [entry["seq"] for name, message in events if name == "entries" for entry in message["entries"]][-1:] != [
            seq + 100
        ]:
            events += [tuple(orjson.loads(text[2:])) for text in await behind.read() if text.startswith("42")]
        assert not [name for name, _ in events if name == "reset"]
        for raw in (behind, joiner):
            raw.close()
