"""What the kernel knows about one connection's unread bytes (tcp(7)), how it is made to forget them, and how our half
of a connection ends before the other one.

Only Linux tells; elsewhere the answers are None and 0.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket as sockets
import sys
from contextlib import suppress
from struct import pack, unpack_from
from typing import Final

_TCP_INFO_BYTES: Final = 128
# `tcpi_bytes_acked` of `struct tcp_info`, since Linux 4.1 (RFC 4898, tcpEStatsAppHCThruOctetsAcked).
_BYTES_ACKED_AT: Final = 120
_SIOCOUTQ: Final = 0x5411
_RESET_ON_CLOSE: Final = pack("ii", 1, 0)
"""Of SO_LINGER, socket(7)."""


def acknowledged_bytes(connection: sockets.socket | None) -> int | None:
    """How many bytes the other side has acknowledged, ever; None where the system does not tell.

    Its kernel acknowledges what it has room for, so once that is full this is what is read, in steps: room is told of
    only when a good part of its buffer, up to a half, is free.
    """
    if connection is None or sys.platform != "linux":
        return None
    try:
        told = connection.getsockopt(sockets.IPPROTO_TCP, sockets.TCP_INFO, _TCP_INFO_BYTES)
    except OSError:
        return None
    if len(told) < _TCP_INFO_BYTES:
        return None
    acknowledged: int = unpack_from("=Q", told, _BYTES_ACKED_AT)[0]
    return acknowledged


def unacknowledged_bytes(connection: sockets.socket | None) -> int:
    """How many bytes our kernel still has to send, or to send again; 0 where the system does not tell."""
    if connection is None or sys.platform != "linux":
        return 0
    try:
        waiting: int = unpack_from("=i", fcntl.ioctl(connection.fileno(), _SIOCOUTQ, bytes(4)))[0]
    except (OSError, ValueError):  # ValueError: it is closed
        return 0
    return waiting


def bound_unsent(connection: sockets.socket, size_bytes: int) -> None:
    """How much our kernel takes at once; by itself it takes some 4 MB before anybody notices a slow client."""
    with suppress(OSError):  # the client has gone, and nobody has been told yet
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, size_bytes)


def forget_unsent_after(connection: sockets.socket, seconds: float) -> None:
    """What is left when the connection is closed is let go once the other side had no room for about so long (Linux).

    For a connection that is about to be closed: the kernel counts until a whole piece of its own has room, up to
    64 KiB, so it takes whoever reads less than that in this time for one that reads nothing.
    """
    if sys.platform == "linux":
        milliseconds = max(1, round(seconds * 1000))
        connection.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_USER_TIMEOUT, milliseconds)


def forget_unsent(connection: sockets.socket) -> None:
    """What is not sent when the connection is closed goes with it; else the kernel would offer it for minutes."""
    connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, _RESET_ON_CLOSE)


def ended_half(transport: asyncio.Transport) -> bool:
    """Whether our half of a connection, of which all is sent, could be ended; the other half is read from still."""
    if transport.is_closing() or transport.get_write_buffer_size() or not transport.can_write_eof():
        return False
    try:
        transport.write_eof()
    except OSError:  # the client has gone, and nobody has been told yet
        return False
    return True
