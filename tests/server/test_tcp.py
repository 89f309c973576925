"""What the kernel tells of a connection: how much the other side has acknowledged, and how much it still has to."""

from __future__ import annotations

import socket as sockets
import sys
from collections.abc import Iterator
from select import select

import pytest

from server.tcp import acknowledged_bytes, unacknowledged_bytes

LINUX = pytest.mark.only_if(sys.platform == "linux")


@pytest.fixture
def connection() -> Iterator[tuple[sockets.socket, sockets.socket]]:
    """Server's and client's end of a TCP connection; the client's kernel takes little."""
    with sockets.create_server(("127.0.0.1", 0)) as listening:
        client = sockets.socket()
        client.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        client.connect(listening.getsockname())
        server, _ = listening.accept()
    with server, client:
        server.setblocking(False)
        yield server, client


def acknowledged(server: sockets.socket) -> int:
    found = acknowledged_bytes(server)
    assert found is not None
    return found


def fill(server: sockets.socket) -> int:
    """Sends until the kernel takes no more; how much it took."""
    taken = 0
    try:
        while True:
            taken += server.send(b"x" * 10_000)
    except BlockingIOError:
        return taken


@LINUX
def test_all_that_was_sent_is_acknowledged_or_waits(connection: tuple[sockets.socket, sockets.socket]) -> None:
    server, _ = connection
    before = acknowledged(server)
    taken = fill(server)
    assert unacknowledged_bytes(server) == taken - (acknowledged(server) - before) > 0


@LINUX
def test_a_client_that_reads_little_is_seen_while_no_room_is_told_of(
    connection: tuple[sockets.socket, sockets.socket],
) -> None:
    """A loop writes again only when a third of the kernel's buffer is free."""
    server, client = connection
    fill(server)
    before, read = acknowledged(server), 0
    while acknowledged(server) == before:
        read += len(client.recv(1000))
    assert read < 20_000
    assert select([], [server], [], 0) == ([], [], [])


def test_of_what_is_closed_or_no_connection_nothing_is_told() -> None:
    closed = sockets.socket()
    closed.close()
    for nothing in (closed, None):
        assert acknowledged_bytes(nothing) is None
        assert unacknowledged_bytes(nothing) == 0
