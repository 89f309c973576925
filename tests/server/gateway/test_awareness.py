"""Where others look and what they type: told to those who may see it, kept nowhere, gone with whoever showed it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from actors.runtime import awareness
from actors.runtime.awareness import Awareness
from actors.runtime.feeds import Feeds
from actors.runtime.limits import RuntimeLimits
from protocol.members import AddMember, RemoveMember
from protocol.projects import EditProject
from protocol.tasks import CreateTask
from server.rate_limits import RateLimits
from tests.server.gateway.client import LiveClient
from tests.server.gateway.hive import LONG_PINGS, Hive, a_hive, eventually
from tests.server.gateway.msgpack_client import MsgpackClient
from tests.server.gateway.raw import RawClient, masked

LOOKS: dict[str, Any] = {"taskId": "T-1", "typing": True}


class Room:
    """A project and members who follow it."""

    def __init__(self, hive: Hive, stream: str) -> None:
        self.hive = hive
        self.stream = stream

    @classmethod
    async def of(cls, hive: Hive) -> Room:
        return cls(hive, await hive.project())

    async def member(self, name: str, kind: type[LiveClient] = LiveClient) -> tuple[str, LiveClient]:
        """(user id, client) of a new member who follows."""
        user_id, token = await self.hive.user(name)
        await self.hive.send(self.stream, AddMember(user_id=user_id, role="viewer"))
        return user_id, await self.follower(token, kind)

    async def follower(self, token: str, kind: type[LiveClient] = LiveClient) -> LiveClient:
        client = await self.hive.client(token, kind)
        assert "error" not in await client.join(self.stream)
        await client.until(lambda: bool(client.of("snapshot")))
        return client

    async def show(self, client: LiveClient, state: dict[str, Any] | None) -> Any:
        return await client.ask("awareness", {"stream": self.stream, "state": state})


def seen(client: LiveClient) -> dict[str, Any]:
    """User → state, as a client keeps it."""
    states: dict[tuple[str, str], Any] = {}
    for message in client.of("awareness"):
        if message.get("complete"):
            states.clear()
        for one in message["states"]:
            states[one["userId"], one["connection"]] = one["state"]
    return {user: state for (user, _), state in states.items() if state is not None}


@pytest.mark.parametrize("kind", [LiveClient, MsgpackClient])
async def test_the_others_see_it_and_the_log_does_not(hive: Hive, kind: type[LiveClient]) -> None:
    room = await Room.of(hive)
    ada, shows = await room.member("ada", kind)
    others = [(await room.member(name, kind))[1] for name, kind in (("ben", LiveClient), ("cid", MsgpackClient))]
    _, seq = await hive.view(room.stream)
    assert await room.show(shows, LOOKS) == {}
    for client in others:
        await client.until(lambda: seen(client) == {ada: LOOKS})  # noqa: B023 awaited within the turn
    assert await room.show(shows, None) == {}
    for client in others:
        await client.until(lambda: seen(client) == {})  # noqa: B023 awaited within the turn
    assert not shows.of("awareness")
    assert (await hive.view(room.stream))[1] == seq


async def test_a_state_is_encoded_once_for_each_parser_and_framed_once_for_all(
    hive: Hive, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await Room.of(hive)
    _, shows = await room.member("ada")
    kinds = [LiveClient, MsgpackClient] * 3
    others = [(await room.member(f"n{number}", kind))[1] for number, kind in enumerate(kinds)]
    encodings: list[Awareness] = []
    wire = Awareness.wire

    def counting(awareness: Awareness) -> Any:
        encodings.append(awareness)
        return wire(awareness)

    monkeypatch.setattr(Awareness, "wire", counting)
    for _ in range(2):
        await room.show(shows, LOOKS)
    for client in others:
        await client.until(lambda: len(client.of("awareness")) == 2)  # noqa: B023 awaited within the turn
    assert len(encodings) == 4


async def test_what_several_show_in_one_tick_is_one_message_without_one_s_own(hive: Hive) -> None:
    room = await Room.of(hive)
    (ada, first), (ben, second), (_, third) = [await room.member(name) for name in ("ada", "ben", "cid")]
    sessions = {session.places.principal.id: session for session in hive.gateway._entered}
    for user, state in ((ada, {"n": 1}), (ada, {"n": 2}), (ben, {"n": 3})):
        sessions[user].received(f'2["awareness",{{"stream":"{room.stream}","state":{{"n":{state["n"]}}}}}]')
    await third.until(lambda: bool(third.of("awareness")))
    assert len(third.of("awareness")) == 1
    assert seen(third) == {ada: {"n": 2}, ben: {"n": 3}}
    await first.until(lambda: seen(first) == {ben: {"n": 3}})
    await second.until(lambda: seen(second) == {ada: {"n": 2}})


async def test_of_many_who_show_something_in_one_tick_a_few_are_told_in_each_turn(
    hive: Hive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awareness, "STATES_IN_A_TURN", 2)
    room = await Room.of(hive)
    members = [await room.member(name) for name in ("ada", "ben", "cid", "dan", "eve")]
    sessions = {session.places.principal.id: session for session in hive.gateway._entered}
    shown = {user: {"n": number} for number, (user, _) in enumerate(members)}
    for user, state in shown.items():
        sessions[user].received(f'2["awareness",{{"stream":"{room.stream}","state":{{"n":{state["n"]}}}}}]')
    for user, client in members:
        of_others = {other: state for other, state in shown.items() if other != user}
        await client.until(lambda: seen(client) == of_others)  # noqa: B023 awaited within the turn
        assert max(len(told["states"]) for told in client.of("awareness")) <= 2


async def test_a_newcomer_is_told_what_there_is(hive: Hive) -> None:
    room = await Room.of(hive)
    ada, shows = await room.member("ada")
    await room.show(shows, LOOKS)
    _, newcomer = await room.member("ben")
    await newcomer.until(lambda: seen(newcomer) == {ada: LOOKS})
    assert newcomer.of("awareness")[0]["complete"] is True
    await newcomer.ask("leave", {"stream": room.stream})
    cursor = newcomer.of("snapshot")[-1]["cursor"]
    newcomer.events.clear()
    assert (await newcomer.join(room.stream, cursor))["mode"] == "resume"
    await newcomer.until(lambda: seen(newcomer) == {ada: LOOKS})


@pytest.mark.parametrize("goes", ["leaves", "vanishes"])
async def test_it_ends_with_whoever_showed_it(hive: Hive, goes: str) -> None:
    room = await Room.of(hive)
    ada, shows = await room.member("ada")
    _, other = await room.member("ben")
    await room.show(shows, LOOKS)
    await other.until(lambda: seen(other) == {ada: LOOKS})
    await (shows.ask("leave", {"stream": room.stream}) if goes == "leaves" else shows.abort())
    await other.until(lambda: seen(other) == {})


async def test_who_joins_anew_from_far_behind_has_no_place_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state that they need is read by a second look, and by then they may be removed."""
    reached, held = asyncio.Event(), asyncio.Event()
    from_state = Feeds._from_state

    async def waiting(feeds: Feeds, *arguments: Any) -> Any:
        reached.set()
        await held.wait()
        return await from_state(feeds, *arguments)

    async with a_hive(runtime=RuntimeLimits(resume_entries_max=2)) as hive:
        room = await Room.of(hive)
        ada, client = await room.member("ada")
        _, other = await room.member("ben")
        assert await room.show(client, LOOKS) == {}
        await other.until(lambda: seen(other) == {ada: LOOKS})
        old = client.of("snapshot")[-1]["cursor"]
        monkeypatch.setattr(Feeds, "_from_state", waiting)
        for _ in range(4):
            await hive.send(room.stream, CreateTask(title="x"))
        joining = await client.emit("join", {"stream": room.stream, "cursor": old})
        await reached.wait()
        await other.until(lambda: seen(other) == {})
        assert (await room.show(client, LOOKS))["error"]["code"] == "not_found"
        await hive.send(room.stream, RemoveMember(user_id=ada))
        client.events.clear()
        assert await room.show(other, {"secret": True}) == {}
        held.set()
        assert (await client.answer(joining))["error"]["code"] == "not_found"
        assert (await client.ask("leave", {"stream": room.stream})) == {}, "whatever was sent before has come"
        assert not client.events
        assert (await room.show(client, LOOKS))["error"]["code"] == "not_found"
        assert seen(other) == {}


async def test_two_connections_of_one_user_are_told_apart(hive: Hive) -> None:
    room = await Room.of(hive)
    ada, first = await room.member("ada")
    second = await room.follower(hive.token(ada))
    await room.show(first, {"tab": 1})
    await second.until(lambda: seen(second) == {ada: {"tab": 1}})
    await room.show(second, {"tab": 2})
    _, other = await room.member("ben")
    await other.until(lambda: bool(other.of("awareness")))
    states = other.of("awareness")[0]["states"]
    assert len({one["connection"] for one in states}) == 2
    assert sorted(one["state"]["tab"] for one in states) == [1, 2]


async def test_who_is_removed_neither_sees_nor_is_seen(hive: Hive) -> None:
    room = await Room.of(hive)
    (ada, removed), (ben, other) = await room.member("ada"), await room.member("ben")
    await room.show(removed, LOOKS)
    await other.until(lambda: seen(other) == {ada: LOOKS})
    await hive.send(room.stream, RemoveMember(user_id=ada))
    await removed.until(lambda: bool(removed.of("closed")))
    assert (await room.show(removed, LOOKS))["error"]["code"] == "not_found"
    await other.until(lambda: seen(other) == {})
    await room.show(other, LOOKS)
    _, third = await room.member("cid")
    await third.until(lambda: seen(third) == {ben: LOOKS})
    assert (await removed.ask("leave", {"stream": room.stream})) == {}
    assert not removed.of("awareness")


async def test_who_does_not_follow_shows_nothing(hive: Hive) -> None:
    room = await Room.of(hive)
    _, token = await hive.user("eve")
    client = await hive.client(token)
    assert (await room.show(client, LOOKS))["error"]["code"] == "not_found"


async def test_where_strangers_follow_nobody_is_shown(hive: Hive) -> None:
    room = await Room.of(hive)
    (ada, first), (_, second) = await room.member("ada"), await room.member("ben")
    await room.show(first, LOOKS)
    await second.until(lambda: seen(second) == {ada: LOOKS})
    await hive.send(room.stream, EditProject(visibility="public"))
    await second.until(lambda: seen(second) == {})
    assert (await room.show(first, LOOKS))["error"]["code"] == "forbidden"
    await first.join(f"profile/{ada}")
    answer = await first.ask("awareness", {"stream": f"profile/{ada}", "state": LOOKS})
    assert answer["error"]["code"] in ("forbidden", "not_found")


async def test_the_operator_watches_unseen(hive: Hive) -> None:
    room = await Room.of(hive)
    ada, shows = await room.member("ada")
    operator = await hive.client()
    await operator.join(room.stream)
    assert (await room.show(operator, LOOKS))["error"]["code"] == "forbidden"
    await room.show(shows, LOOKS)
    await operator.until(lambda: seen(operator) == {ada: LOOKS})


@pytest.mark.parametrize(
    "payload",
    [{"state": LOOKS}, {"stream": "S"}, {"stream": "S", "state": []}, {"stream": "S", "state": 1, "more": 1}, None],
)
async def test_what_is_no_state_is_refused(hive: Hive, payload: Any) -> None:
    room = await Room.of(hive)
    _, client = await room.member("ada")
    if isinstance(payload, dict) and "stream" in payload:
        payload = {**payload, "stream": room.stream}
    assert (await client.ask("awareness", payload))["error"]["code"] == "invalid"


async def test_size_rate_and_number_are_limited() -> None:
    limits = replace(LONG_PINGS, aware_state_bytes_max=100, aware_streams_per_socket_max=2)
    rates = RateLimits(awareness_updates_max=6)
    async with a_hive(limits, RuntimeLimits(aware_states_max=2), rate_limits=rates) as hive:
        room = await Room.of(hive)
        user, client = await room.member("ada")
        error = (await room.show(client, {"text": "x" * 100}))["error"]
        assert (error["code"], error["retryable"]) == ("too_large", False)
        more = [await hive.project(owner=user) for _ in range(2)]
        codes = []
        for stream in (room.stream, *more):
            await client.join(stream)
            answer = await client.ask("awareness", {"stream": stream, "state": LOOKS})
            codes.append(answer.get("error", {}).get("code"))
        assert codes == [None, None, "overloaded"]
        others = [(await room.member(name))[1] for name in ("ben", "cid")]
        assert [await room.show(other, LOOKS) == {} for other in others] == [True, False]
        for _ in range(2):
            assert await room.show(client, LOOKS) == {}
        error = (await room.show(client, LOOKS))["error"]
        assert (error["code"], error["details"]["limit"]) == ("rate_limited", "awareness-updates")
        hive.clock.now_s += 10
        assert await room.show(client, LOOKS) == {}


SMALL = replace(LONG_PINGS, transport_buffer_max_bytes=100_000, send_buffer_bytes=8192, aware_state_bytes_max=1 << 14)


async def _stuffed(room: Room, shows: LiveClient) -> tuple[RawClient, Any]:
    """A member that has stopped reading before its buffer was full, and its session."""
    user, token = await room.hive.user("sleepy")
    await room.hive.send(room.stream, AddMember(user_id=user, role="viewer"))
    raw = await RawClient.entered(room.hive.url, token)
    await raw.send(masked(f'420["join",{{"stream":"{room.stream}","cursor":"0.0"}}]'.encode()))
    [session] = [one for one in room.hive.gateway._entered if one.places.principal.id == user]
    await eventually(lambda: room.stream in session.places.deliveries)
    await eventually(lambda: session.places.deliveries[room.stream].is_live)
    while not session.socket.is_slow:
        await room.show(shows, {"text": "x" * 10_000})
    return raw, session


async def test_who_reads_late_is_told_the_newest_as_a_whole() -> None:
    async with a_hive(replace(SMALL, slow_follower_grace_s=5)) as hive:
        room = await Room.of(hive)
        ada, shows = await room.member("ada")
        raw, session = await _stuffed(room, shows)
        await room.show(shows, {"last": 1})
        unsent = session.socket.unsent_bytes
        for number in range(100):
            await room.show(shows, {"last": number, "text": "x" * 10_000})
        assert session.socket.unsent_bytes == unsent
        await room.show(shows, {"last": "this"})
        texts: list[str] = []
        while not [text for text in texts if "complete" in text and '"last":"this"' in text and ada in text]:
            texts += await raw.read()
        assert not [text for text in texts if '"last":50' in text]
        raw.close()


async def test_who_never_reads_is_let_go_where_nothing_but_awareness_comes() -> None:
    async with a_hive(replace(SMALL, slow_follower_grace_s=0.3)) as hive:
        room = await Room.of(hive)
        _, shows = await room.member("ada")
        raw, _ = await _stuffed(room, shows)
        await room.show(shows, LOOKS)
        await eventually(lambda: hive.gateway.connections == 1)
        await hive.send(room.stream, CreateTask(title="x"))
        await asyncio.sleep(0)
        raw.close()
