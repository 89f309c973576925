"""How long a client that reads slowly is waited for: as long as it reads, and no longer than the grace without."""

from __future__ import annotations

import asyncio
import re
import socket as sockets
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import WSMessage, WSMsgType

from server.gateway.engine_socket import EngineSocket
from server.gateway.frames import PING_FRAME
from server.gateway.json_parser import JsonParser
from server.gateway.limits import GatewayLimits
from server.gateway.outlet import _duplicate
from server.gateway.talk import Talk
from server.gateway.tick import Tick
from server.gateway.turns import Turns

LIMITS = replace(
    GatewayLimits(),
    slow_follower_grace_s=0.01,
    ping_timeout_s=0.01,
    ping_interval_s=60,
    transport_buffer_max_bytes=1000,
)


class Transport:
    """Takes everything in, and lets go of as much as it is told."""

    def __init__(self, on_wait: Callable[[int], int]) -> None:
        self.waiting = 0
        self.written: list[bytes] = []
        self.aborted = asyncio.Event()
        # What is left of what waits, each time somebody looks.
        self._on_wait = on_wait

    def write(self, data: bytes) -> None:
        self.waiting += len(data)
        self.written.append(data)

    def lets_go_of_all(self) -> None:
        """From now on, at once."""
        self._on_wait = lambda _: 0

    def get_write_buffer_size(self) -> int:
        self.waiting = self._on_wait(self.waiting)
        return self.waiting

    def get_extra_info(self, name: str) -> None:
        """The kernel tells nothing of it."""

    def is_closing(self) -> bool:
        return self.aborted.is_set()

    def abort(self) -> None:
        self.aborted.set()


def a_socket(on_wait: Callable[[int], int], limits: GatewayLimits = LIMITS) -> tuple[EngineSocket, Transport]:
    tick, turns = Tick(lambda: False), Turns(limits.read_slice_s)
    entrance: Any = SimpleNamespace(limits=limits, parser=JsonParser(), tick=tick, turns=turns)
    socket, transport = EngineSocket("sid", "", entrance), Transport(on_wait)
    changed: Any = socket
    changed._transport = transport
    socket.write(b"x" * 2000)
    socket.flush()
    return socket, transport


def a_little(waiting: int) -> int:
    return waiting - waiting // 50


def nothing(waiting: int) -> int:
    return waiting


async def test_who_reads_is_waited_for() -> None:
    socket, transport = a_socket(a_little)
    tasks = asyncio.all_tasks()
    waiting, slow = asyncio.create_task(socket.drained()), 0
    async with asyncio.timeout(10):
        with socket.turn() as turn:
            while await turn.room(asyncio.get_running_loop().time() + 0.01) == "slow":
                slow += 1
    assert slow
    assert asyncio.all_tasks() - tasks <= {waiting}, "nobody else waits"
    socket.has_room()
    assert await waiting
    assert await socket.drained()
    assert not transport.is_closing()


async def test_who_reads_nothing_is_cut_off_whoever_waits_for_it() -> None:
    socket, transport = a_socket(nothing)
    async with asyncio.timeout(10):
        await transport.aborted.wait()
    assert not await socket.drained()


async def test_who_gives_up_waiting_gives_the_client_no_new_grace() -> None:
    socket, transport = a_socket(nothing, replace(LIMITS, slow_follower_grace_s=0.2))
    async with asyncio.timeout(2):
        while not transport.is_closing():
            waiting = asyncio.create_task(socket.drained())
            await asyncio.wait({waiting}, timeout=0.02)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


async def test_several_who_wait_hear_the_same_and_one_that_gives_up_takes_it_from_nobody() -> None:
    socket, _ = a_socket(nothing, replace(LIMITS, slow_follower_grace_s=60))
    first, second = asyncio.create_task(socket.drained()), asyncio.create_task(socket.drained())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    socket.has_room()
    assert await second


async def test_what_waited_for_its_sender_to_read_is_handled_a_slice_at_a_time() -> None:
    socket, transport = a_socket(nothing, replace(LIMITS, slow_follower_grace_s=60, read_slice_s=0))
    heard: list[str] = []
    changed: Any = socket
    changed._connection = SimpleNamespace(received=heard.append)
    for number in range(5):
        changed._link._inbox.feed_data(WSMessage(WSMsgType.TEXT, f"4{number}", ""), 2)
    await asyncio.sleep(0)
    transport.waiting = 0
    socket.has_room()
    while len(heard) < 5:
        before = len(heard)
        await asyncio.sleep(0)
        assert len(heard) <= before + 1
    assert heard == list("01234")
    await changed._waiting


def pushed(socket: EngineSocket) -> int:
    """How many frames of 100 bytes it takes in one tick."""
    count = 0
    while count < 100 and socket.push(b"y" * 100, at_once=False):
        count += 1
    return count


async def test_what_is_written_in_this_tick_counts() -> None:
    socket, transport = a_socket(nothing)
    transport.waiting = 500
    assert pushed(socket) == 6
    assert socket.unsent_bytes == 1100


async def test_who_waits_in_line_is_overtaken_only_while_there_is_room_for_both() -> None:
    socket, transport = a_socket(nothing)
    transport.waiting = 0
    with socket.turn():
        assert pushed(socket) == 3, "a quarter, and what begins before it is full"
    assert pushed(socket) == 8


async def test_room_is_for_one_at_a_time() -> None:
    socket, transport = a_socket(nothing, replace(LIMITS, slow_follower_grace_s=60))

    async def send() -> None:
        with socket.turn() as turn:
            assert await turn.room() == "room"
            socket.write(b"z" * 400)

    tasks = [asyncio.create_task(send()) for _ in range(5)]
    for done in range(1, 6):
        await asyncio.sleep(0)
        transport.waiting = 0
        socket.has_room()
        for _ in range(5):
            await asyncio.sleep(0)
        assert sum(task.done() for task in tasks) == done
        assert transport.waiting <= 400
    await asyncio.gather(*tasks)


# — answers ——————————————————————————————————————————————————————————————————————————————————————————


async def turns_over(count: int = 3) -> None:
    """What a few turns of the loop bring."""
    for _ in range(count):
        await asyncio.sleep(0)


def answer(talk: Talk, number: int, size: int = 300) -> None:
    """An ack of about that size."""
    talk.answer(number, {"x": "a" * size})


def acks_in(transport: Transport) -> list[int]:
    """Their numbers, in the order in which the transport was given them."""
    return [int(number) for number in re.findall(rb"43(\d+)\[", b"".join(transport.written))]


async def test_answers_beyond_the_limit_wait_in_their_order_and_leave_as_the_client_reads() -> None:
    socket, transport = a_socket(nothing, replace(LIMITS, slow_follower_grace_s=60))
    talk = Talk(socket)
    for number in range(20):
        answer(talk, number)
        await asyncio.sleep(0)
    assert acks_in(transport) == []
    assert socket.is_slow
    for _ in range(100):
        if len(acks_in(transport)) == 20:
            break
        transport.waiting = 0
        socket.has_room()
        await turns_over()
        assert transport.waiting <= 1000 + 400, "a buffer, and the one that passes it"
    assert acks_in(transport) == list(range(20))
    transport.waiting = 0
    socket.has_room()
    assert not socket.is_slow


async def test_answers_of_one_turn_are_bounded_as_well() -> None:
    socket, transport = a_socket(nothing, replace(LIMITS, slow_follower_grace_s=60))
    transport.waiting = 0
    socket.has_room()
    talk = Talk(socket)
    for number in range(20):
        answer(talk, number)
    assert socket.out_bytes <= 1000 + 400
    await turns_over()
    assert acks_in(transport) == [0, 1, 2, 3]


async def test_what_the_transport_lets_go_of_at_once_is_waited_for_by_nobody() -> None:
    """No call of `has_room` comes: there was never more than room."""
    socket, transport = a_socket(lambda _: 0, replace(LIMITS, slow_follower_grace_s=60))
    talk = Talk(socket)
    await turns_over()
    for number in range(20):
        answer(talk, number)
    drained = asyncio.create_task(socket.drained())
    async with asyncio.timeout(10):
        assert await drained
        with socket.turn() as turn:
            assert await turn.room() == "room"
    assert acks_in(transport) == list(range(20))
    assert not transport.is_closing()


async def test_nobody_goes_before_answers_that_wait() -> None:
    socket, transport = a_socket(nothing, replace(LIMITS, slow_follower_grace_s=60))
    talk, sent = Talk(socket), []

    async def send() -> None:
        with socket.turn() as turn:
            assert await turn.room() == "room"
            sent.append(len(acks_in(transport)))

    sending = asyncio.create_task(send())
    await turns_over()
    for number in range(7):
        answer(talk, number)
    while not sending.done():
        transport.waiting = 0
        socket.has_room()
        await turns_over()
        assert sending.done() or not socket.push(b"y", at_once=True)
    assert sent == [7]


async def test_what_is_told_behind_an_answer_comes_behind_it() -> None:
    socket, transport = a_socket(nothing, replace(LIMITS, slow_follower_grace_s=60))
    talk = Talk(socket)
    answer(talk, 1)
    talk.tell(b"closed")
    answer(talk, 2)
    transport.waiting = 0
    socket.has_room()
    await turns_over()
    told = b"".join(transport.written)
    assert told.index(b"431[") < told.index(b"closed") < told.index(b"432[")


async def test_who_takes_no_answer_that_waits_is_cut_off_and_the_answers_with_it() -> None:
    socket, transport = a_socket(nothing)
    written: list[int] = []
    for number in range(5):
        socket.hold(partial(written.append, number))
    async with asyncio.timeout(10):
        await transport.aborted.wait()
    assert not written
    socket.hold(partial(written.append, 5))
    socket.has_room()
    assert not written


async def test_an_answer_that_cannot_be_written_keeps_no_other_one_back() -> None:
    socket, transport = a_socket(nothing, replace(LIMITS, slow_follower_grace_s=60))
    talk = Talk(socket)
    talk.answer(1, {"x": object()})
    answer(talk, 2)
    talk.answer(3, {"x": object()})
    for _ in range(3):
        transport.waiting = 0
        socket.has_room()
        await turns_over()
    assert acks_in(transport) == [2]
    assert not socket.is_slow


async def test_a_pong_counts_though_answers_came_behind_the_ping() -> None:
    """They may be written as soon as the ping is with the kernel; the client answers before it has read them."""
    socket, transport = a_socket(nothing, replace(LIMITS, slow_follower_grace_s=60))
    talk, changed = Talk(socket), cast(Any, socket)
    answer(talk, 1)
    transport.lets_go_of_all()
    socket._ping()
    assert socket.out_bytes
    assert changed._pong_after_bytes == 2000 + len(PING_FRAME)
    changed._timer.cancel()


PATIENT = replace(LIMITS, transport_buffer_max_bytes=10_000)


@pytest.mark.parametrize(
    ("reads", "left"), [(lambda waiting: max(waiting - 100, 0), 0), (nothing, 2003)], ids=["reads", "reads nothing"]
)
async def test_a_pong_is_waited_for_while_the_ping_is_behind_what_is_read(
    reads: Callable[[int], int], left: int
) -> None:
    socket, transport = a_socket(reads, PATIENT)
    socket._ping()
    async with asyncio.timeout(10):
        await transport.aborted.wait()
    assert transport.waiting == left


async def test_a_ping_that_is_acknowledged_a_moment_later_buys_no_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on every connection with a way to go; that the ping itself is read does not say that the client was behind."""
    loop, looks, still_silent = asyncio.get_running_loop(), [0], EngineSocket._still_silent
    acknowledged_s = loop.time() + 0.002

    def counted(socket: EngineSocket, read_before: int) -> None:
        looks[0] += 1
        still_silent(socket, read_before)

    monkeypatch.setattr(EngineSocket, "_still_silent", counted)
    limits = replace(PATIENT, ping_timeout_s=0.1)
    socket, transport = a_socket(lambda waiting: waiting if loop.time() < acknowledged_s else 0, limits)
    socket._ping()
    async with asyncio.timeout(10):
        await transport.aborted.wait()
    assert looks == [1]


def test_the_last_half_of_the_descriptors_is_for_connections_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = sockets.socketpair()
    with first, second:
        monkeypatch.setattr("resource.getrlimit", lambda _: (2 * first.fileno(), 1 << 20))
        duplicate = _duplicate(first.fileno())
        assert duplicate is not None
        duplicate.close()
        monkeypatch.setattr("resource.getrlimit", lambda _: (2 * first.fileno() - 1, 1 << 20))
        assert _duplicate(first.fileno()) is None
