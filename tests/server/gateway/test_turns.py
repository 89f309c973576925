"""Who sends much at once is handled a slice at a time: everybody else runs in between, and order is kept.

Time is the readers' own: each message takes as long as the test says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import WSMessage

from server.gateway.link import Link
from server.gateway.turns import Turns
from server.gateway.upgrade import Handed
from tests.server.gateway.conformance.frames import PING, frame
from tests.server.gateway.hive import ADMIN_TOKEN, LONG_PINGS, a_hive, eventually
from tests.server.gateway.raw import RawClient, masked
from tests.server.gateway.sleepers import Scenario

SLICE_S = 0.01
COST_S = 0.001
PIECE_MAX = 34
"""How many of the numbered frames begin in one piece."""
IN_A_TURN_MAX = int(SLICE_S / COST_S) + PIECE_MAX
UNCLOCKED_MAX = 16
"""How many of the smallest frames are handled without a look at the clock."""
LITTLE_IN_A_TURN_MAX = UNCLOCKED_MAX + int(SLICE_S / COST_S) + UNCLOCKED_MAX
PACKET_BYTES_MAX = 300_000


class Time:
    now_s = 0.0


class Transport(asyncio.Transport):
    """Remembers whether it was told to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses = 0
        self.reads = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """The link is called directly."""

    def pause_reading(self) -> None:
        self.pauses += 1
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True


class Taker:
    """Takes each message in `cost_s`, unless it wants none now."""

    def __init__(self, time: Time, cost_s: float, said: list[Any]) -> None:
        self.closing = False
        self.wants = True
        self._time, self._cost_s, self._said = time, cost_s, said

    def take(self, message: WSMessage) -> bool:
        if self.wants:
            self._time.now_s += self._cost_s
            self._said.append(message.data)
        return self.wants

    def has_room(self) -> None: ...

    def broken(self, error: BaseException) -> None:
        self.closing = True
        self._said.append(error)

    def hung_up(self) -> None:
        self.closing = True
        self._said.append("hung up")

    def lost(self) -> None: ...


class Stage:
    """Links that share their turns, and what they take, in order."""

    def __init__(self) -> None:
        self.time = Time()
        self.turns = Turns(SLICE_S, lambda: self.time.now_s)
        self.said: list[Any] = []

    def link(self, cost_s: float = COST_S, early: bytes = b"") -> tuple[Link, Transport, Taker]:
        taker, transport = Taker(self.time, cost_s, self.said), Transport()
        link = Link(taker, PACKET_BYTES_MAX, self.turns)
        link.begin(Handed(transport, early, is_paused=False))
        return link, transport, taker


async def until_through(stage: Stage) -> list[int]:
    """Lets the loop run until nobody waits for a turn; how many messages were handled in each."""
    turns = []
    while len(stage.turns):
        before = len(stage.said)
        await asyncio.sleep(0)
        turns.append(len(stage.said) - before)
    return turns


def numbered(name: str, count: int) -> tuple[bytes, list[str]]:
    """Frames that are longer together than one piece, and what is in them."""
    texts = [f"{name}{number}".ljust(120) for number in range(count)]
    return b"".join(frame(text.encode()) for text in texts), texts


async def test_a_flood_is_handled_in_slices_and_read_from_only_when_it_is_through() -> None:
    stage = Stage()
    link, transport, _ = stage.link()
    flood, texts = numbered("a", 300)
    link.data_received(flood)
    assert len(stage.said) <= IN_A_TURN_MAX
    assert not transport.reads
    assert max(await until_through(stage)) <= IN_A_TURN_MAX
    assert stage.said == texts
    assert transport.reads
    assert transport.pauses == 1


async def test_what_is_through_within_the_slice_costs_no_pause() -> None:
    stage = Stage()
    link, transport, _ = stage.link(cost_s=0)
    flood, texts = numbered("a", 300)
    link.data_received(flood)
    assert stage.said == texts
    assert not transport.pauses


async def test_no_more_pieces_than_may_be_are_read_in_a_turn() -> None:
    class Counting:
        left, read = 5, 0

        def read_piece(self) -> bool:
            self.read += 1
            return self.read < self.left

    turns, readers = Turns(SLICE_S, lambda: 0.0, pieces_max=3), [Counting() for _ in range(4)]
    for reader in readers:
        turns.take(reader)
    assert [reader.read for reader in readers] == [3, 0, 0, 0]
    for expected in ([4, 1, 1, 0], [5, 2, 1, 1], [5, 3, 2, 2], [5, 4, 3, 3], [5, 5, 4, 4], [5, 5, 5, 5]):
        await asyncio.sleep(0)
        assert [reader.read for reader in readers] == expected
    assert len(turns) == 0


async def test_who_has_sent_little_has_a_turn_before_those_who_had_one() -> None:
    class Noting:
        def __init__(self, name: str, left: int) -> None:
            self.name, self.left = name, left

        def read_piece(self) -> bool:
            read.append(self.name)
            self.left -= 1
            return self.left > 0

    read: list[str] = []
    turns = Turns(SLICE_S, lambda: 0.0, pieces_max=2)
    for name in "abcd":
        turns.take(Noting(name, 3))
    for name in "xyz":
        turns.take(Noting(name, 1), is_little=True)
    for _ in range(7):
        await asyncio.sleep(0)
    assert "".join(read) == "aaxaybzcdbcdbcd"


async def test_whoever_sends_little_runs_before_the_rest_of_a_flood() -> None:
    stage = Stage()
    flooder, _, _ = stage.link()
    other, _, _ = stage.link()
    flood, texts = numbered("a", 300)
    flooder.data_received(flood)
    other.data_received(frame(b"other"))
    assert "other" in stage.said[: IN_A_TURN_MAX + 1]
    await until_through(stage)
    assert [text for text in stage.said if text != "other"] == texts


async def test_floods_share_one_slice_of_a_turn_and_go_on_in_rotation() -> None:
    stage = Stage()
    links = [stage.link()[0] for _ in range(4)]
    floods = [numbered(name, 300) for name in "abcd"]
    for link, (flood, _) in zip(links, floods, strict=True):
        link.data_received(flood)
    assert len(stage.said) <= IN_A_TURN_MAX
    assert max(await until_through(stage)) <= IN_A_TURN_MAX
    assert {text[0] for text in stage.said[:200]} == set("abcd")
    for name, (_, texts) in zip("abcd", floods, strict=True):
        assert [text for text in stage.said if text[0] == name] == texts


async def test_a_second_read_in_the_same_turn_gets_no_second_slice() -> None:
    """libuv asks a connection of which much has come again, up to 32 times."""
    stage = Stage()
    link, transport, _ = stage.link(cost_s=SLICE_S / 42)
    one, first = numbered("a", 40)
    link.data_received(one)
    before = len(stage.said)
    other, second = numbered("b", 100)
    link.data_received(other)
    assert len(stage.said) <= before + PIECE_MAX
    assert not transport.reads
    await until_through(stage)
    assert stage.said == first + second


async def test_a_flood_of_control_frames_and_fragments_is_sliced_too() -> None:
    stage = Stage()
    link, transport, _ = stage.link()
    fragments = frame(b"", last=False) + frame(b"", 0, last=False) * 5000 + frame(b"x", 0)
    link.data_received(frame(b"", PING) * 1500 + fragments)
    assert len(stage.said) < 700
    assert not transport.reads
    await until_through(stage)
    assert stage.said == [b""] * 1500 + ["x"]


async def test_a_long_frame_amid_a_flood_is_put_together() -> None:
    stage = Stage()
    link, _, _ = stage.link(cost_s=1)
    long = "y" * 200_000
    data = frame(b"a") * 500 + frame(long.encode()) + frame(b"z")
    for at in range(0, len(data), 65_536):
        link.data_received(data[at : at + 65_536])
        await until_through(stage)
    assert stage.said == ["a"] * 500 + [long, "z"]


async def test_what_came_behind_the_handshake_is_sliced_as_well() -> None:
    stage = Stage()
    flood, texts = numbered("a", 300)
    _, transport, _ = stage.link(early=flood)
    assert len(stage.said) <= IN_A_TURN_MAX
    assert not transport.reads
    await until_through(stage)
    assert stage.said == texts


async def test_who_is_closed_or_lost_amid_its_flood_is_handled_no_further() -> None:
    for is_lost in (False, True):
        stage = Stage()
        link, _, taker = stage.link()
        link.data_received(numbered("a", 300)[0])
        before = len(stage.said)
        if is_lost:
            link.connection_lost(None)
            link.release()
        else:
            taker.closing = True
        await until_through(stage)
        assert len(stage.said) == before


async def test_a_flood_goes_on_when_its_taker_has_room_again() -> None:
    stage = Stage()
    link, transport, taker = stage.link()
    taker.wants = False
    flood, texts = numbered("a", 1500)
    link.data_received(flood)
    await until_through(stage)
    assert not transport.reads
    came: list[Any] = []
    while len(came) < len(texts):
        while (message := await link.next()) is not None:
            came.append(message.data)
        await until_through(stage)
    assert came == texts
    assert transport.reads


def rush(stage: Stage, count: int = 200) -> tuple[list[Link], list[str]]:
    """So many clients send one little frame each before the loop does anything else; what all of them say."""
    links = [stage.link()[0] for _ in range(count)]
    for number, link in enumerate(links):
        link.data_received(frame(b"%d" % number))
    return links, [str(number) for number in range(count)]


async def test_little_of_many_at_once_is_handled_in_slices() -> None:
    stage = Stage()
    _, texts = rush(stage)
    assert len(stage.said) <= LITTLE_IN_A_TURN_MAX
    assert max(await until_through(stage)) <= int(SLICE_S / COST_S) + 1
    assert stage.said == texts


async def test_commands_of_many_at_once_count_by_their_length() -> None:
    stage = Stage()
    links = [stage.link(cost_s=SLICE_S)[0] for _ in range(20)]
    for link in links:
        link.data_received(frame(b"c" * 4000))
    assert len(stage.said) == 1
    assert max(await until_through(stage)) == 1
    assert len(stage.said) == 20


async def test_whoever_comes_later_does_not_wait_for_all_who_came_at_once() -> None:
    stage = Stage()
    other, _, _ = stage.link()
    _, texts = rush(stage)
    await asyncio.sleep(0)
    other.data_received(frame(b"other"))
    assert stage.said[-1] == "other"
    await until_through(stage)
    assert [text for text in stage.said if text != "other"] == texts


async def test_one_who_sends_on_while_it_waits_is_read_from_when_it_is_through() -> None:
    stage = Stage()
    last, transport, _ = stage.link()
    _, texts = rush(stage)
    last.data_received(frame(b"one"))
    assert transport.reads
    last.data_received(frame(b"two") + frame(b"three"))
    assert not transport.reads
    last.data_received(frame(b"four"))
    assert transport.pauses == 1
    await until_through(stage)
    assert stage.said == [*texts, "one", "two", "three", "four"]
    assert transport.reads


async def test_what_came_before_the_end_is_handled_before_it() -> None:
    stage = Stage()
    last, _, _ = stage.link()
    _, texts = rush(stage)
    last.data_received(frame(b"one"))
    assert last.eof_received()
    await until_through(stage)
    assert stage.said == [*texts, "one", "hung up"]


@pytest.mark.parametrize("closes_first", [True, False])
async def test_who_is_closed_while_it_waits_is_told_of_the_end_all_the_same(closes_first: bool) -> None:
    stage = Stage()
    last, _, taker = stage.link()
    _, texts = rush(stage)
    last.data_received(frame(b"one"))
    taker.closing = closes_first
    last.eof_received()
    taker.closing = True
    await until_through(stage)
    assert [said for said in stage.said if said not in texts] == ["hung up"]


async def test_who_is_lost_while_it_waits_is_handled_no_further() -> None:
    stage = Stage()
    last, _, _ = stage.link()
    _, texts = rush(stage)
    last.data_received(frame(b"one"))
    last.eof_received()
    last.connection_lost(None)
    last.release()
    await until_through(stage)
    assert stage.said == texts


async def test_who_sends_little_alone_costs_no_look_at_the_clock() -> None:
    looks: list[None] = []

    def now_s() -> float:
        looks.append(None)
        return 0.0

    stage = Stage()
    stage.turns = Turns(SLICE_S, now_s)
    rush(stage, UNCLOCKED_MAX - 1)
    assert len(stage.said) == UNCLOCKED_MAX - 1
    assert not looks


@pytest.mark.parametrize("flood", [b"2", b"3", b'42["leave",{"stream":"x"}]'])
def test_another_connection_is_answered_amid_a_flood(run: Callable[[Scenario], None], flood: bytes) -> None:
    async def scenario() -> None:
        async with a_hive(replace(LONG_PINGS, read_slice_s=0)) as hive:
            raw, other = await RawClient.entered(hive.url, ADMIN_TOKEN), await hive.client()
            turns = hive.engines[0].turns
            sending = asyncio.create_task(raw.send(masked(flood) * 60_000))
            await eventually(lambda: len(turns) > 0)
            assert "error" in await other.ask("leave", {})
            assert not sending.done() or len(turns)
            sending.cancel()
            raw.reset()

    run(scenario)
