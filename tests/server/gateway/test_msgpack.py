"""The msgpack parser on its path: the same packets, answers and refusals as with JSON."""

from __future__ import annotations

import asyncio
import math
import tracemalloc
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.runtime.publication import Publication
from protocol.poison import NODES_MAX, too_many_values
from protocol.projects import CreateProject
from protocol.tasks import CreateTask
from server.gateway.json_parser import JsonParser
from server.gateway.msgpack_parser import MsgpackParser
from server.gateway.packets import BadPacket, EventPacket, PoisonedEvent
from tests.server.gateway.client import LiveClient, Replica
from tests.server.gateway.hive import Hive, eventually, new_project
from tests.server.gateway.msgpack_client import MsgpackClient

DEPTH_MAX = 32


def packet(**fields: Any) -> bytes:
    return msgpack.packb({"type": 2, "nsp": "/", **fields})


NO_PACKETS = {
    "nothing": b"",
    "reserved byte": b"\xc1",
    "half a map": packet(data=["x"])[:-1],
    "more behind": packet(data=["x"]) + b"\x00",
    "no map": msgpack.packb([2, "/", ["x"]]),
    "no type": msgpack.packb({"nsp": "/", "data": ["x"]}),
    "no namespace": msgpack.packb({"type": 2, "data": ["x"]}),
    "unknown type": packet(type=5, data=["x"]),
    "binary type": packet(type=-1, data=["x"]),
    "true as type": packet(type=True, data=["x"]),
    "float as type": packet(type=2.0, data=["x"]),
    "namespace of another kind": packet(nsp=1, data=["x"]),
    "event elsewhere": packet(nsp="/admin", data=["x"]),
    "no name of a namespace": packet(type=0, nsp="/a\x00"),
    "no arguments": packet(data=[]),
    "no data": packet(),
    "arguments in a map": packet(data={"0": "x"}),
    "name is a number": packet(data=[1]),
    "id is text": packet(data=["x"], id="1"),
    "id is true": packet(data=["x"], id=True),
    "negative id": packet(data=["x"], id=-1),
    "large id": packet(data=["x"], id=2**53),
    "ack without id": packet(type=3, data=[]),
    "ack without list": packet(type=3, data={}, id=1),
    "goodbye with data": packet(type=1, data=[]),
    "connect error": packet(type=4, data={"message": "x"}),
    "keys are numbers": packet(data=["x", {1: 1}]),
    "endless list": b"\xdd\xff\xff\xff\xff",
    "endless text": b"\xdb\xff\xff\xff\xff",
    "endless map": b"\xdf\xff\xff\xff\xff",
    "deeper than any stack": b"\x91" * 5000 + b"\xc0",
    "no UTF-8": packet(data=["x"]).replace(b"\xa1x", b"\xa1\xff"),
    "a time that is none": packet(data=["x", 1]).replace(b"\xa1x\x01", b"\xa1x\xc7\x03\xff123"),
}
POISON = {
    "NaN": math.nan,
    "infinity": math.inf,
    "NUL": "\0",
    "2^53+1": 2**53 + 1,
    "2^64-1": 2**64 - 1,
    "deep": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],
    "bytes": b"x",
    "extension": msgpack.ExtType(5, b"x"),
    "JavaScript's Date": msgpack.ExtType(0, b"\x00\x00\x01\x8f\x00\x00\x00\x00"),
    "time": msgpack.Timestamp(1, 2),
    "many": [[0] * 60_000, [0] * 60_000],
    "many in one list": [0] * 120_000,
    "a key that is a number": {1: 2},
    "numbers as keys of the same hash": {1: 2, 2**61: 3},
    "a key that is a list": {(1,): 2},
    "a key that is a number, beside what is undefined": {1: msgpack.ExtType(0, b"\0")},
    "NUL in a key": {"\0": 1},
    "a key of bytes": {b"x": 1},
}


@pytest.mark.parametrize("data", NO_PACKETS.values(), ids=NO_PACKETS.keys())
def test_what_is_no_packet_is_bad(data: bytes) -> None:
    with pytest.raises(BadPacket):
        MsgpackParser().decode(data, DEPTH_MAX)


@pytest.mark.parametrize(
    "head", [b"\xdd\x00\x01\x86\xa0", b"\xdc\xff\xff", b"\xdd\x00\x00\x13\x88"], ids=["32", "16", "small"]
)
def test_what_an_array_claims_takes_no_room_unless_it_is_there(head: bytes) -> None:
    """Each of the thousand within each other would take room for all that it claims, before anybody has a token."""
    bomb = packet(data=["x", 0])[:-1] + head * 1000
    tracemalloc.start()
    try:
        with pytest.raises(BadPacket):
            MsgpackParser().decode(bomb, DEPTH_MAX)
        assert tracemalloc.get_traced_memory()[1] < 20 * len(bomb)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("value", POISON.values(), ids=POISON.keys())
def test_poison_is_refused_where_an_answer_is_awaited(value: Any) -> None:
    parser = MsgpackParser()
    assert isinstance(parser.decode(packet(data=["x", value], id=7), DEPTH_MAX), PoisonedEvent)
    with pytest.raises(BadPacket):
        parser.decode(packet(data=["x", value]), DEPTH_MAX)
    with pytest.raises(BadPacket):
        parser.decode(packet(type=0, data=value), DEPTH_MAX)


def test_a_lone_surrogate_is_poison() -> None:
    data = packet(data=["x", "@@@"], id=7).replace(b"@@@", b"\xed\xa0\xbd")
    assert isinstance(MsgpackParser().decode(data, DEPTH_MAX), PoisonedEvent)


def test_undefined_is_a_field_that_is_not_there() -> None:
    """JavaScript writes it as an extension of type 0."""
    undefined = msgpack.ExtType(0, b"\0")
    arguments = ["join", {"stream": "s", "cursor": undefined, "list": [1, undefined]}, undefined]
    decoded = MsgpackParser().decode(packet(data=arguments, id=undefined), DEPTH_MAX)
    assert decoded == EventPacket("join", [{"stream": "s", "list": [1, None]}, None], None)


UNDEFINED = msgpack.ExtType(0, b"\0")
FLOODS = {
    "a list": [0] * NODES_MAX,
    "lists in lists": [[[]] * 1000] * 100,
    "empty maps": [{}] * (NODES_MAX + 1),
    "a map": {str(key): 0 for key in range(NODES_MAX)},
    "undefined": [{"a": UNDEFINED}] * NODES_MAX,
    "undefined in lists": [[UNDEFINED]] * NODES_MAX,
    "keys that are numbers": [{1: None}] * NODES_MAX,
    "a map with keys that are numbers": dict.fromkeys(range(NODES_MAX + 1)),
    "lists beside a key that is a number": [{1: None}, [[]] * (NODES_MAX + 1)],
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_of_values_is_answered_where_an_answer_is_awaited(flood: Any) -> None:
    parser = MsgpackParser()
    assert parser.decode(packet(data=["x", flood], id=7), DEPTH_MAX) == PoisonedEvent(too_many_values(), 7)
    for no_event in (packet(data=["x", flood]), packet(type=0, data=flood), packet(data=["x"], id=flood)):
        with pytest.raises(BadPacket):
            parser.decode(no_event, DEPTH_MAX)


def test_a_flood_of_values_is_not_made() -> None:
    flood = packet(data=["x", [[[]] * 1000] * 250], id=7)
    tracemalloc.start()
    try:
        MsgpackParser().decode(flood, DEPTH_MAX)
        assert tracemalloc.get_traced_memory()[1] < 100 * NODES_MAX + 2 * len(flood)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("flood", [{str(key): 0 for key in range(NODES_MAX)}, {3: 0} | dict.fromkeys(range(NODES_MAX))])
def test_a_packet_that_is_a_flood_itself_is_bad(flood: Any) -> None:
    with pytest.raises(BadPacket):
        MsgpackParser().decode(msgpack.packb(flood), DEPTH_MAX)


@pytest.mark.parametrize("crowd", [{"a": None}, [None]], ids=["maps", "arrays"])
def test_undefined_is_looked_for_among_all_that_a_packet_may_hold(crowd: Any) -> None:
    few = packet(data=["x", [crowd] * (NODES_MAX // 2 - 10), UNDEFINED], id=7)
    assert isinstance(MsgpackParser().decode(few, DEPTH_MAX), EventPacket)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(), inner, max_size=20),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(JSON_VALUES, max_size=3), st.none() | st.integers(0, 10**15 - 1))
def test_both_parsers_read_the_same(values: list[Any], ack_id: int | None) -> None:
    head = "" if ack_id is None else str(ack_id)
    arguments = ["x", *values]
    fields = {"data": arguments} | ({} if ack_id is None else {"id": ack_id})

    def read(parser: JsonParser | MsgpackParser, message: Any) -> Any:
        try:
            return parser.decode(message, DEPTH_MAX)
        except BadPacket as bad:
            return str(bad)

    text = f"2{head}{JsonParser().dumps(arguments).decode()}"
    assert read(JsonParser(), text) == read(MsgpackParser(), packet(**fields))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 60), st.binary(max_size=4))
def test_no_bytes_do_harm(data: bytes, cut: int, noise: bytes) -> None:
    whole = packet(data=["command", {"stream": "s", "data": {"title": "x", "labels": ["a"]}}], id=3)
    for message in (data, whole[:cut] + noise + whole[cut + len(noise) :]):
        try:
            MsgpackParser().decode(message, DEPTH_MAX)
        except BadPacket:
            continue


@pytest.mark.parametrize("name", ["reserved byte", "event elsewhere", "no arguments"])
async def test_a_malformed_packet_ends_the_connection_at_once(hive: Hive, name: str) -> None:
    for client in (await hive.client(kind=MsgpackClient), await hive.opened(kind=MsgpackClient)):
        await client.socket.send_bytes(NO_PACKETS[name])
        assert await client.until_end() == 1002
    await eventually(lambda: not hive.left())


async def test_packets_in_text_are_none_on_the_path_for_msgpack(hive: Hive) -> None:
    client = await hive.client(kind=MsgpackClient)
    await client.socket.send_str('42["leave",{}]')
    assert await client.until_end() == 1002


async def test_another_namespace_is_refused_and_the_connection_goes_on(hive: Hive) -> None:
    client = await hive.client(kind=MsgpackClient)
    await client.send("40/admin,{}")
    await client.until(lambda: len(client.control) == 2)
    assert client.control[1].startswith("44/admin,")
    assert "error" in await client.ask("leave", {})
    await client.send("41")
    assert await client.until_end() == 1000


async def test_followers_on_both_paths_see_the_same(hive: Hive) -> None:
    """States, entries alone and several in one packet, presence."""
    ada, token = await hive.user("ada")
    stream = new_project()
    await hive.send(stream, CreateProject(name="雨", owner_id=ada))
    for number in range(20):
        await hive.send(stream, CreateTask(title=f"Task {number}"))
    clients = [await hive.client(token), await hive.client(token, MsgpackClient)]
    replicas = [Replica(stream), Replica(stream)]
    for client in clients:
        assert (await client.join(stream))["mode"] == "snapshot"
        await client.until_seq(stream, 21)
    await asyncio.gather(*(hive.send(stream, CreateTask(title=f"Burst {number}")) for number in range(40)))
    await hive.send(stream, CreateTask(title="One more"))
    for client, replica in zip(clients, replicas, strict=True):
        await client.until_seq(stream, 62)
        await client.until(lambda: bool(client.of("presence")))  # noqa: B023 awaited within the turn
        replica.take(client.events)
        assert max(len(message["entries"]) for message in client.of("entries")) > 1
    assert clients[0].entries(stream) == clients[1].entries(stream)
    assert replicas[0].view() == replicas[1].view() == (await hive.view(stream))[0]


async def test_an_entry_is_encoded_once_for_each_parser(hive: Hive, monkeypatch: pytest.MonkeyPatch) -> None:
    encodings: list[int] = []
    wire = Publication.wire

    def counting(publication: Publication) -> Any:
        encodings.append(publication.entry.seq)
        return wire(publication)

    monkeypatch.setattr(Publication, "wire", counting)
    stream = await hive.project()
    clients = [await hive.client(kind=kind) for kind in (LiveClient, MsgpackClient) * 5]
    for client in clients:
        await client.join(stream)
        await client.until_seq(stream, 1)
    await asyncio.gather(*(hive.send(stream, CreateTask(title=str(number))) for number in range(3)))
    for client in clients:
        await client.until_seq(stream, 4)
    assert sorted(encodings) == [2, 2, 3, 3, 4, 4]
