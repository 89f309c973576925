"""How long a client that reads slowly is waited for: as long as it reads, and no longer than the grace without."""

from __future__ import annotations

import asyncio
import socket as sockets
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from server.gateway.engine import EngineSocket
from server.gateway.json_parser import JsonParser
from server.gateway.limits import GatewayLimits
from server.gateway.outlet import _duplicate
from server.gateway.tick import Tick

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
        self.aborted = asyncio.Event()
        # What is left of what waits, each time somebody looks.
        self._on_wait = on_wait

    def write(self, data: bytes) -> None:
        self.waiting += len(data)

    def get_write_buffer_size(self) -> int:
        self.waiting = self._on_wait(self.waiting)
        return self.waiting

    def is_closing(self) -> bool:
        return self.aborted.is_set()

    def abort(self) -> None:
        self.aborted.set()


class Peer:
    """aiohttp's protocol, paused for ever."""

    async def _drain_helper(self) -> None:
        await asyncio.Event().wait()


def a_socket(on_wait: Callable[[int], int]) -> tuple[EngineSocket, Transport]:
    entrance: Any = SimpleNamespace(limits=LIMITS, parser=JsonParser(), tick=Tick(lambda: None))
    socket, transport = EngineSocket("sid", "", entrance), Transport(on_wait)
    changed: Any = socket
    changed._transport, changed._protocol = transport, Peer()
    socket.write(b"x" * 2000)
    socket.flush()
    return socket, transport


def a_little(waiting: int) -> int:
    return waiting - waiting // 50


def nothing(waiting: int) -> int:
    return waiting


@pytest.mark.parametrize(("reads", "drained"), [(a_little, True), (nothing, False)])
async def test_who_reads_is_waited_for(reads: Callable[[int], int], drained: bool) -> None:
    socket, _ = a_socket(reads)
    assert await socket.drained() is drained
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


@pytest.mark.parametrize(
    ("reads", "left"), [(lambda waiting: max(waiting - 100, 0), 0), (nothing, 2003)], ids=["reads", "reads nothing"]
)
async def test_a_pong_is_waited_for_while_the_ping_is_behind_what_is_read(
    reads: Callable[[int], int], left: int
) -> None:
    socket, transport = a_socket(reads)
    socket._ping()
    async with asyncio.timeout(10):
        await transport.aborted.wait()
    assert transport.waiting == left


def test_the_last_half_of_the_descriptors_is_for_connections_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = sockets.socketpair()
    with first, second:
        monkeypatch.setattr("resource.getrlimit", lambda _: (2 * first.fileno(), 1 << 20))
        duplicate = _duplicate(first.fileno())
        assert duplicate is not None
        duplicate.close()
        monkeypatch.setattr("resource.getrlimit", lambda _: (2 * first.fileno() - 1, 1 << 20))
        assert _duplicate(first.fileno()) is None
