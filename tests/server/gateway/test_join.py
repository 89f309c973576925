"""Joining: the state or what was missed, then the live tail, without a gap and without a double."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from actors.runtime.limits import RuntimeLimits
from protocol.members import AddMember
from protocol.tasks import CreateTask
from tests.server.clock import RandomIds
from tests.server.gateway.client import LiveClient, Replica, command
from tests.server.gateway.hive import LONG_PINGS, Hive, a_hive, new_project


async def test_without_a_cursor_the_state_comes_first() -> None:
    async with a_hive(replace(LONG_PINGS, snapshot_part_max_bytes=3000)) as hive:
        ada, token = await hive.user("ada")
        stream = await hive.project(20, ada)
        client = await hive.client(token)
        answer = await client.join(stream)
        assert answer["mode"] == "snapshot"
        assert answer["parts"] > 3
        assert answer["reason"] is None
        assert answer["present"] == [{"userId": ada, "connections": 1}]
        await client.until(lambda: len(client.of("snapshot")) == answer["parts"])
        assert {part["cursor"] for part in client.of("snapshot")} == {answer["cursor"]}
        replica = Replica(stream)
        replica.take(client.events)
        assert (replica.view(), replica.cursor.seq) == await hive.view(stream)
        await hive.send(stream, CreateTask(title="live"))
        await client.until_seq(stream, 22)
        [entry] = client.entries(stream)
        assert entry["events"][0]["data"]["task"]["title"] == "live"


@pytest.mark.parametrize("known", [0, 1, 3, 6])
async def test_with_a_cursor_only_what_was_missed_comes(hive: Hive, known: int) -> None:
    stream = await hive.project(5)
    client = await hive.client()
    cursor = "0.0" if known == 0 else f"{known}.{(await client.join(stream))['cursor'].partition('.')[2]}"
    client.events.clear()
    again = await hive.client()
    answer = await again.join(stream, cursor)
    assert (answer["mode"], answer["cursor"], answer["parts"]) == ("resume", cursor, 0)
    await hive.send(stream, CreateTask(title="live"))
    await again.until_seq(stream, 7)
    assert [entry["seq"] for entry in again.entries(stream)] == list(range(known + 1, 8))
    assert not again.of("snapshot")


@pytest.mark.parametrize(("cursor", "reason"), [("3.999999", "epoch"), ("99.1", "ahead"), ("0.5", "epoch")])
async def test_a_cursor_of_another_history_is_reset_and_told_why(hive: Hive, cursor: str, reason: str) -> None:
    stream = await hive.project(3)
    client = await hive.client()
    answer = await client.join(stream, cursor)
    assert (answer["mode"], answer["reason"]) == ("reset", reason)
    await client.until_seq(stream, 4)
    replica = Replica(stream)
    replica.take(client.events)
    assert (replica.view(), replica.cursor.seq) == await hive.view(stream)


async def test_who_is_very_far_behind_gets_the_state() -> None:
    async with a_hive(runtime=RuntimeLimits(resume_entries_max=3)) as hive:
        stream = await hive.project(5)
        client = await hive.client()
        answer = await client.join(stream, "0.0")
        assert (answer["mode"], answer["reason"]) == ("snapshot", "behind")
        assert answer["parts"] > 0


@pytest.mark.parametrize("cursor", ["", "x", "1", "-1.0", "1.1.1", "01.1", "9" * 20 + ".1"])
async def test_what_is_no_cursor_is_refused(hive: Hive, cursor: str) -> None:
    client = await hive.client()
    answer = await client.ask("join", {"stream": new_project(), "cursor": cursor})
    assert answer["error"]["code"] == "invalid"


async def test_what_one_may_not_see_does_not_exist(hive: Hive) -> None:
    _, token = await hive.user("eve")
    stream = await hive.project(3)
    eve, operator = await hive.client(token), await hive.client()
    hidden = [await eve.join(stream, cursor) for cursor in (None, "0.0", "1.7", "9.9")]
    absent = [await eve.join(new_project(), cursor) for cursor in (None, "0.0", "1.7", "9.9")]
    nothing = [await operator.join(new_project())]
    assert hidden == absent
    assert {answer["error"]["code"] for answer in hidden + nothing} == {"not_found"}
    assert await eve.join("circle/" + RandomIds().new_id()) == hidden[0]
    assert not eve.events
    assert hive.feeds.followers == 0


async def test_joining_again_replaces_the_place(hive: Hive) -> None:
    stream = await hive.project(3)
    client = await hive.client()
    for cursor in (None, "2.0", None):
        assert "error" not in await client.join(stream, cursor)
    assert hive.feeds.followers == 1
    await client.until_seq(stream, 4)
    client.events.clear()
    await hive.send(stream, CreateTask(title="once"))
    await client.until_seq(stream, 5)
    assert [entry["seq"] for entry in client.entries(stream)] == [5]


async def test_who_leaves_gets_nothing_more(hive: Hive) -> None:
    left, kept = await hive.project(1), await hive.project(1)
    client = await hive.client()
    for stream in (left, kept):
        await client.join(stream)
    assert await client.ask("leave", {"stream": left}) == {}
    assert await client.ask("leave", {"stream": left}) == {}
    assert hive.feeds.followers == 1
    await hive.send(left, CreateTask(title="unseen"))
    await hive.send(kept, CreateTask(title="seen"))
    await client.until_seq(kept, 3)
    assert not client.entries(left)


async def test_leaving_before_the_join_is_through_ends_it(hive: Hive) -> None:
    stream = await hive.project(1)
    client = await hive.client()
    join = await client.emit("join", {"stream": stream})
    leave = await client.emit("leave", {"stream": stream})
    assert await client.answer(leave) == {}
    error = (await client.answer(join))["error"]
    assert (error["code"], error["message"]) == ("conflict", "left before it was joined")
    assert hive.feeds.followers == 0
    assert "error" not in await client.join(stream)


async def test_a_join_that_is_under_way_is_not_begun_again(hive: Hive) -> None:
    stream = await hive.project(1)
    client = await hive.client()
    first, second = [await client.emit("join", {"stream": stream}) for _ in range(2)]
    answers = [await client.answer(number) for number in (first, second)]
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, "conflict"]


async def test_the_number_of_streams_is_limited() -> None:
    async with a_hive(replace(LONG_PINGS, joins_per_socket_max=2)) as hive:
        streams = [await hive.project(0) for _ in range(3)]
        client = await hive.client()
        assert [(await client.join(stream)).get("error", {}).get("code") for stream in streams] == [
            None,
            None,
            "overloaded",
        ]
        assert "error" not in await client.join(streams[0])
        await client.ask("leave", {"stream": streams[0]})
        assert "error" not in await client.join(streams[2])


async def test_a_join_while_the_log_is_away_is_answered(hive: Hive) -> None:
    stream = await hive.project(3)
    client = await hive.client()
    hive.journal.away = True
    answer = await client.join(stream, "2.7")
    hive.journal.away = False
    assert answer["error"]["code"] == "unavailable"
    assert answer["error"]["retryable"] is True


class Watcher:
    """A client with a replica of every stream; it comes and goes, and keeps what it knows."""

    def __init__(self, streams: list[str], client: LiveClient) -> None:
        self.replicas = {stream: Replica(stream) for stream in streams}
        self.client = client

    def take(self) -> None:
        """What came, into the replicas."""
        for name, payload in self.client.events:
            if "stream" in payload:
                self.replicas[payload["stream"]].take([(name, payload)])
        self.client.events.clear()

    async def join(self, stream: str, *, resume: bool) -> None:
        self.take()
        known = self.replicas[stream].cursor
        answer = await self.client.join(stream, str(known) if known.seq and resume else None)
        # Until the answer it is the old place that speaks; the new one begins where the answer says.
        self.client.events = [(name, data) for name, data in self.client.events if data.get("stream") != stream]
        assert answer["mode"] == ("resume" if known.seq and resume and answer["reason"] is None else "snapshot")

    async def until_seq(self, stream: str, seq: int) -> None:
        def is_there() -> bool:
            self.take()
            return self.replicas[stream].cursor.seq >= seq

        await self.client.until(is_there)


@pytest.mark.parametrize("seed", range(6))
async def test_state_and_entries_are_the_server_s_state_however_one_joins(seed: int) -> None:
    """Clients that join, resume, leave and go, in the middle of everybody's traffic, over several streams."""
    choose = random.Random(seed)
    limits = replace(LONG_PINGS, snapshot_part_max_bytes=2000, entries_per_packet_max=3, entries_packet_bytes_max=900)
    async with a_hive(limits, RuntimeLimits(ring_entries_max=4, resume_entries_max=25)) as hive:
        streams = [await hive.project(choose.randrange(5)) for _ in range(3)]
        writer = await hive.client()
        watchers = [Watcher(streams, await hive.client()) for _ in range(3)]
        for _ in range(60):
            stream, watcher = choose.choice(streams), choose.choice(watchers)
            for _ in range(choose.randrange(4)):
                await writer.emit("command", command(stream, "CreateTask", {"title": str(choose.random())}))
            if choose.random() < 0.3:
                await watcher.client.abort()
                watcher.take()
                watcher.client = await hive.client()
            await watcher.join(stream, resume=choose.random() < 0.8)
            if choose.random() < 0.1:
                await watcher.client.ask("leave", {"stream": stream})
        for watcher in watchers:
            for stream in streams:
                await watcher.join(stream, resume=True)
        await writer.until(lambda: len(writer.acks) == writer.asked)
        for stream in streams:
            view, seq = await hive.view(stream)
            for watcher in watchers:
                await watcher.until_seq(stream, seq)
                assert (watcher.replicas[stream].view(), watcher.replicas[stream].cursor.seq) == (view, seq)


async def test_a_new_member_joins_at_once(hive: Hive) -> None:
    ada, token = await hive.user("ada")
    stream = await hive.project(1)
    client = await hive.client(token)
    assert "error" in await client.join(stream)
    await hive.send(stream, AddMember(user_id=ada, role="viewer"))
    assert (await client.join(stream))["mode"] == "snapshot"
