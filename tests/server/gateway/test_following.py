"""What followers are told: entries, heads, presence, and the end: removal, deletion, expiry, shutdown."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest

from protocol.cursors import Cursor
from protocol.members import AddMember, RemoveMember
from protocol.projects import DeleteProject, EditProject, RestoreProject
from protocol.tasks import CreateTask
from server.gateway.crowd import Crowd
from storage.memory.faulty import Hold
from tests.server.clock import RandomIds
from tests.server.gateway.client import LiveClient
from tests.server.gateway.hive import LONG_PINGS, Hive, a_hive, eventually


async def a_member(hive: Hive, stream: str, name: str) -> tuple[str, LiveClient]:
    """A new member of the project who follows it."""
    user_id, token = await hive.user(name)
    await hive.send(stream, AddMember(user_id=user_id, role="member"))
    client = await hive.client(token)
    assert "error" not in await client.join(stream)
    return user_id, client


async def test_heads_are_told_at_every_beat() -> None:
    async with a_hive(replace(LONG_PINGS, heads_interval_s=0.02)) as hive:
        first, second = await hive.project(2), await hive.project(4)
        client = await hive.client()
        cursors = {stream: (await client.join(stream))["cursor"] for stream in (first, second)}
        client.events.clear()
        await client.until(lambda: len(client.of("heads")) == 3)
        assert client.of("heads")[-1] == {"heads": cursors}
        await hive.send(first, CreateTask(title="x"))
        await client.until(lambda: Cursor.parse(client.of("heads")[-1]["heads"][first]).seq == 4)
        assert client.seq(first) == 4


async def test_heads_never_name_what_is_still_on_its_way(hive: Hive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sees a head beyond its entries takes them for lost. Here every entry is told while it is due."""
    stream = await hive.project()
    client = await hive.client()
    await client.join(stream)
    await client.until_seq(stream, 1)
    published = Crowd.published

    def told_too_early(crowd: Crowd, hub: Any) -> None:
        published(crowd, hub)
        for session in hive.gateway._entered:
            session.places.tell_heads()

    monkeypatch.setattr(Crowd, "published", told_too_early)
    for _ in range(3):
        await hive.send(stream, CreateTask(title="x"))
    await client.until_seq(stream, 4)
    assert not client.of("heads")


async def test_presence_is_told_when_it_changes(hive: Hive) -> None:
    stream = await hive.project()
    ada, first = await a_member(hive, stream, "ada")
    bob, second = await a_member(hive, stream, "bob")
    await first.until(lambda: len((first.of("presence") or [{"present": []}])[-1]["present"]) == 2)
    assert sorted(user["userId"] for user in first.of("presence")[-1]["present"]) == sorted([ada, bob])
    third = await hive.client(hive.token(bob))
    answer = await third.join(stream)
    assert {"userId": bob, "connections": 2} in answer["present"]
    await first.until(lambda: {"userId": bob, "connections": 2} in first.of("presence")[-1]["present"])
    await second.abort()
    await third.ask("leave", {"stream": stream})
    await first.until(lambda: first.of("presence")[-1]["present"] == [{"userId": ada, "connections": 1}])
    watcher = await hive.client()
    assert (await watcher.join(stream))["present"] == [{"userId": ada, "connections": 1}]


async def test_at_a_token_s_end_the_connection_is_closed(hive: Hive) -> None:
    user, _ = await hive.user("ada")
    stream = await hive.project(owner=user)
    hive.clock.now_s += 0.9
    token = hive.token(user)  # whole seconds: it began 0.9 s ago
    hive.clock.now_s += 899
    client = await hive.client(token)
    await client.join(stream)
    await client.until_end()
    assert client.events[-1] == ("closed", {"reason": "expired"})
    assert client.control[-1] == "41"
    await eventually(lambda: not hive.left())


async def test_what_is_under_way_at_the_server_s_end_is_answered_first_and_nothing_more_begun(hive: Hive) -> None:
    stream = await hive.project()
    client = await hive.client()
    hold = hive.journal.next(Hold())
    first = await client.emit("command", new_task(stream))
    await hold.reached.wait()
    stopping = asyncio.create_task(hive.gateway.stop(answers_within_s=10))
    await asyncio.sleep(0)
    second = await client.emit("command", new_task(stream))
    assert (await client.answer(second))["error"]["code"] == "unavailable"
    hold.release()
    assert "cursor" in await client.answer(first)
    await client.until_end()
    assert client.events[-1] == ("closed", {"reason": "shutdown"})
    await stopping
    assert (await hive.view(stream))[1] == 2


async def test_at_its_end_the_server_waits_for_no_answer_longer_than_it_is_told(hive: Hive) -> None:
    stream = await hive.project()
    client = await hive.client()
    hold = hive.journal.next(Hold())
    await client.emit("command", new_task(stream))
    await hold.reached.wait()
    await hive.gateway.stop(answers_within_s=0.05)
    await client.until_end()
    hold.release()


def new_task(stream: str) -> dict[str, Any]:
    return {"stream": stream, "opId": RandomIds().new_id(), "type": "CreateTask", "data": {"title": "x"}}


async def test_at_the_server_s_end_everybody_is_told(hive: Hive) -> None:
    clients = [await hive.client() for _ in range(3)]
    waiting = await hive.opened()
    await hive.gateway.stop()
    for client in clients:
        await client.until_end()
        assert client.events[-1] == ("closed", {"reason": "shutdown"})
        assert "41" not in client.control, "clients come back by themselves unless they get a DISCONNECT"
    await waiting.until_end()
    assert not hive.left()


async def test_who_is_removed_gets_nothing_more(hive: Hive) -> None:
    stream = await hive.project()
    other = await hive.project()
    bob, client = await a_member(hive, stream, "bob")
    await hive.send(other, AddMember(user_id=bob, role="member"))
    await client.join(other)
    await hive.send(stream, CreateTask(title="seen"))
    await hive.send(stream, RemoveMember(user_id=bob))
    await hive.send(stream, CreateTask(title="unseen"))
    await hive.send(other, CreateTask(title="seen"))
    await client.until_seq(other, 3)
    assert client.of("closed") == [{"stream": stream, "reason": "removed"}]
    assert [entry["seq"] for entry in client.entries(stream)] == [3]
    after = client.events[client.events.index(("closed", {"stream": stream, "reason": "removed"})) + 1 :]
    assert not [payload for _, payload in after if stream in str(payload)]
    for answer in (
        await client.join(stream, "2.1"),
        await client.join(stream),
        await client.command(stream, "CreateTask", {"title": "x"}),
    ):
        assert answer["error"]["code"] == "not_found"


async def test_a_removed_user_may_come_back(hive: Hive) -> None:
    stream = await hive.project()
    bob, client = await a_member(hive, stream, "bob")
    await client.until_seq(stream, 2)
    await hive.send(stream, RemoveMember(user_id=bob))
    await hive.send(stream, AddMember(user_id=bob, role="viewer"))
    await client.until(lambda: bool(client.of("closed")))
    answer = await client.join(stream, "2.1")
    assert answer["mode"] == "resume"
    await client.until_seq(stream, 4)
    assert [entry["seq"] for entry in client.entries(stream)] == [3, 4]


async def test_a_deleted_project_is_followed_by_its_owners_only(hive: Hive) -> None:
    ada, token = await hive.user("ada")
    stream = await hive.project(owner=ada)
    owner = await hive.client(token)
    await owner.join(stream)
    _, member = await a_member(hive, stream, "bob")
    await hive.send(stream, DeleteProject(), ada)
    await hive.send(stream, RestoreProject(), ada)
    await owner.until_seq(stream, 4)
    assert [entry["seq"] for entry in owner.entries(stream)] == [2, 3, 4]
    await member.until(lambda: bool(member.of("closed")))
    assert await member.ask("leave", {"stream": stream}) == {}
    assert not member.entries(stream)


async def test_a_public_project_that_becomes_private_loses_its_visitors_at_once(hive: Hive) -> None:
    ada, _ = await hive.user("ada")
    stream = await hive.project(owner=ada)
    _, member = await a_member(hive, stream, "bob")
    _, strange = await hive.user("eve")
    visitor = await hive.client(strange)
    assert (await visitor.join(stream))["error"]["code"] == "not_found"
    await hive.send(stream, EditProject(visibility="public"), ada)
    joined = await visitor.join(stream)
    assert (joined["mode"], joined["present"]) == ("snapshot", [])
    refused = await visitor.command(stream, "CreateTask", {"title": "mine"})
    assert refused["error"]["code"] == "forbidden"
    await hive.send(stream, CreateTask(title="seen"), ada)
    await visitor.until_seq(stream, 4)
    async with asyncio.timeout(1):
        await hive.send(stream, EditProject(visibility="private"), ada)
        await hive.send(stream, CreateTask(title="unseen"), ada)
        await visitor.until(lambda: bool(visitor.of("closed")))
    await member.until_seq(stream, 6)
    assert visitor.of("closed") == [{"stream": stream, "reason": "removed"}]
    assert [entry["seq"] for entry in visitor.entries(stream)] == [4]
    assert (await visitor.join(stream))["error"]["code"] == "not_found"
    assert (await visitor.command(stream, "CreateTask", {"title": "x"}))["error"]["code"] == "not_found"


def stuffed(client: LiveClient) -> Any:
    """The client's transport reads nothing any more."""
    transport = client.socket._writer.transport
    transport.pause_reading()
    return transport


async def test_who_lags_and_is_removed_gets_nothing_later_either() -> None:
    limits = replace(LONG_PINGS, transport_buffer_max_bytes=200_000, send_buffer_bytes=8192, slow_follower_grace_s=5)
    async with a_hive(limits) as hive:
        stream = await hive.project()
        bob, client = await a_member(hive, stream, "bob")
        await client.until_seq(stream, 2)
        transport = stuffed(client)
        session = next(session for session in hive.gateway._entered if session.places.principal.id == bob)
        last = 2
        await eventually(lambda: session.places.deliveries[stream].is_live)
        while session.places.deliveries[stream].is_live and not session.socket.is_slow:
            last = (await hive.send(stream, CreateTask(title="x", description="d" * 30_000))).cursor.seq
        removed = await hive.send(stream, RemoveMember(user_id=bob))
        await hive.send(stream, CreateTask(title="unseen"))
        transport.resume_reading()
        await client.until(lambda: bool(client.of("closed")))
        await client.ask("leave", {"stream": stream})
        seqs = [entry["seq"] for entry in client.entries(stream)]
        assert seqs == list(range(3, seqs[-1] + 1))
        assert seqs[-1] <= last < removed.cursor.seq
        assert client.events[-1] == ("closed", {"stream": stream, "reason": "removed"})


async def test_who_is_removed_amid_a_snapshot_gets_no_further_part() -> None:
    limits = replace(
        LONG_PINGS,
        transport_buffer_max_bytes=100_000,
        send_buffer_bytes=8192,
        slow_follower_grace_s=5,
        snapshot_part_max_bytes=40_000,
    )
    async with a_hive(limits) as hive:
        stream = await hive.project(300, description="d" * 30_000)
        bob, token = await hive.user("bob")
        await hive.send(stream, AddMember(user_id=bob, role="member"))
        client = await hive.client(token)
        await client.emit("join", {"stream": stream})
        await client.until(lambda: bool(client.acks))
        transport = stuffed(client)
        session = next(session for session in hive.gateway._entered if session.places.principal.id == bob)
        await eventually(lambda: session.socket.unsent_bytes > 25_000)
        await hive.send(stream, RemoveMember(user_id=bob))
        transport.resume_reading()
        await client.until(lambda: bool(client.of("closed")))
        await client.ask("leave", {"stream": stream})
        parts = client.of("snapshot")
        assert [part["part"] for part in parts] == list(range(1, len(parts) + 1))
        assert not parts or len(parts) < parts[0]["parts"]
        assert client.events[-1] == ("closed", {"stream": stream, "reason": "removed"})


@pytest.mark.parametrize("seed", range(4))
async def test_removal_holds_amid_any_traffic(seed: int) -> None:
    """Whatever is on its way when a removal commits: no entry from the removal on reaches the removed."""
    choose = random.Random(seed)
    async with a_hive() as hive:
        stream = await hive.project()
        members = [await a_member(hive, stream, f"user{number}") for number in range(4)]
        barred: dict[str, int] = {}
        for _ in range(40):
            sending = [hive.send(stream, CreateTask(title="x")) for _ in range(choose.randrange(4))]
            user, client = choose.choice(members)
            if user not in barred:
                if choose.random() < 0.3:
                    sending.insert(choose.randrange(len(sending) + 1), hive.send(stream, RemoveMember(user_id=user)))
                    answers = await asyncio.gather(*sending, client.join(stream))
                    entries = await hive.journal.read(stream, 0, 10_000)
                    barred[user] = max(
                        e.seq for e in entries if b"MemberRemoved" in e.payload and user.encode() in e.payload
                    )
                    del answers
                    continue
                await asyncio.gather(*sending, client.join(stream))
            else:
                answers = await asyncio.gather(*sending, client.join(stream))
                assert answers[-1]["error"]["code"] == "not_found"
        for user, client in members:
            await client.ask("leave", {"stream": stream})
            if user in barred:
                assert max((entry["seq"] for entry in client.entries(stream)), default=0) < barred[user]
                cursors = [Cursor.parse(part["cursor"]).seq for part in client.of("snapshot")]
                assert max(cursors) < barred[user]
