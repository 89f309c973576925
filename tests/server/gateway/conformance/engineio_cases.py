"""Engine.IO, revision 4: the cases of its public suite, written anew from the protocol's text, and some more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.server.gateway.conformance.case import BOTH, Case, Wire, polling
from tests.server.gateway.conformance.frames import BINARY, JSON, MSGPACK, TEXT, Dialect, frame
from tests.server.gateway.conformance.peer import request
from tests.server.gateway.hive import ADMIN_TOKEN

HERE: Final = "tests/server/gateway"
OPEN: Final = "101, no extensions, OPEN maxPayload pingInterval pingTimeout sid upgrades"
CONNECT: Final = f'40{{"token":"{ADMIN_TOKEN}"}}'
NO_UPGRADES: Final = "WebSocket only: there is nothing to upgrade from, and a session id stands in no URL"


def text(payload: str) -> Wire:
    """A text message, whatever the path."""
    return lambda _dialect: frame(payload.encode(), TEXT)


def binary(payload: bytes) -> Wire:
    """A binary message, whatever the path."""
    return lambda _dialect: frame(payload, BINARY)


def packet(*packets: str) -> Wire:
    """Socket.IO packets in the form of the path, given as JSON's."""
    return lambda dialect: b"".join(frame(dialect.encode(one), dialect.opcode) for one in packets)


def upgrade(query: str, method: str = "GET", version: str = "1.1", **headers: str | Sequence[str] | None) -> Wire:
    """An upgrade at the path."""

    def wire(dialect: Dialect) -> bytes:
        return request(dialect.path, query, method, version, **headers)

    return wire


def refused(name: str, query: str, sent: str) -> Case:
    """An upgrade that is none of ours."""
    return Case(name, "Handshake", sent, "400", "http", upgrade(query))


def upgrading(name: str) -> Case:
    """A case of the change from polling to WebSocket."""
    return Case(name, "Upgrade", "", "", waiver=NO_UPGRADES)


_POLLED: Final = [
    *("a session opens", "an invalid `EIO` is refused", "an invalid `transport` is refused"),
    "an invalid method is refused",
]

HANDSHAKE: Final = [
    *(polling(f"HTTP long-polling: {name}", "Handshake") for name in _POLLED),
    Case(
        "WebSocket: a session opens",
        "Handshake",
        "`?EIO=4&transport=websocket`",
        OPEN,
        "http",
        upgrade("EIO=4&transport=websocket"),
    ),
    refused("WebSocket: an invalid `EIO` is refused (none)", "transport=websocket", "`?transport=websocket`"),
    refused("WebSocket: an invalid `transport` is refused (none)", "EIO=4", "`?EIO=4`"),
]

MESSAGE: Final = [
    *(
        polling(f"HTTP long-polling: {name}", "Message")
        for name in (
            "one text packet there and back",
            "several text packets there and back",
            "text and binary packets there and back",
            "an invalid packet closes the session",
            "a second poll beside the first closes the session",
            "a cancelled poll closes the session",
        )
    ),
    Case(
        "WebSocket: a text packet there and back",
        "Message",
        "`4` and a Socket.IO CONNECT",
        "CONNECT sid, open",
        "opened",
        packet(CONNECT),
        (JSON,),
    ),
    Case(
        "WebSocket: a binary packet there and back",
        "Message",
        "a Socket.IO CONNECT in msgpack",
        "CONNECT sid, open",
        "opened",
        packet(CONNECT),
        (MSGPACK,),
    ),
    Case(
        "WebSocket: an invalid packet closes the session",
        "Message",
        "`abc`",
        "close 1002, closed",
        "opened",
        text("abc"),
    ),
]

HEARTBEAT: Final = [
    polling("HTTP long-polling: pings and pongs", "Heartbeat"),
    polling("HTTP long-polling: no pong in time closes the session", "Heartbeat"),
    Case(
        "WebSocket: pings and pongs",
        "Heartbeat",
        "`3` for each of three `2`",
        "a `2` after each",
        dialects=BOTH,
        shown_by=f"{HERE}/conformance/test_heartbeat.py::test_pings_come_one_after_the_other_while_they_are_answered",
    ),
    Case(
        "WebSocket: no pong in time closes the session",
        "Heartbeat",
        "nothing",
        "one `2`, then closed",
        shown_by=f"{HERE}/conformance/test_heartbeat.py::test_who_does_not_answer_is_let_go",
    ),
]

CLOSE: Final = [
    polling("HTTP long-polling: the client closes the session", "Close"),
    Case("WebSocket: the client closes the session", "Close", "`1`", "close 1000, closed", "opened", text("1")),
]

UPGRADE: Final = [
    upgrading("from HTTP long-polling to WebSocket"),
    upgrading("HTTP requests with the session's id after the upgrade are ignored"),
    upgrading("a WebSocket with the session's id after the upgrade is ignored"),
]

SUITE: Final = [*HANDSHAKE, *MESSAGE, *HEARTBEAT, *CLOSE, *UPGRADE]
"""As many as the public suite has: 25. All but those of "Message" stand in Socket.IO's suite, too."""

_CLOSED: Final = "close 1002, closed"

MORE: Final = [
    refused("WebSocket: another `EIO`", "EIO=3&transport=websocket", "`?EIO=3&transport=websocket`"),
    refused("WebSocket: an `EIO` that is no number", "EIO=abc&transport=websocket", "`?EIO=abc&transport=websocket`"),
    refused("WebSocket: another `transport`", "EIO=4&transport=abc", "`?EIO=4&transport=abc`"),
    refused("polling is refused", "EIO=4&transport=polling", "`?EIO=4&transport=polling`"),
    refused("a session's id in the URL", "EIO=4&transport=websocket&sid=x", "`?EIO=4&transport=websocket&sid=x`"),
    Case("an upgrade by POST", "Handshake", "POST", "400", "http", upgrade("EIO=4&transport=polling", "POST")),
    Case("the client pings", "Heartbeat", "`2`", "pong, open", "opened", text("2")),
    Case("a pong that nobody asked for", "Heartbeat", "`3`", "open", "opened", text("3")),
    Case("a ping with something behind it", "Packet types", "`2x`", _CLOSED, "opened", text("2x")),
    Case("a pong with something behind it", "Packet types", "`3x`", _CLOSED, "opened", text("3x")),
    Case("the server's own packet", "Packet types", "`0{}`", _CLOSED, "opened", text("0{}")),
    Case("`upgrade` with nothing to upgrade", "Packet types", "`5`", _CLOSED, "opened", text("5")),
    Case("`noop`, which only servers send", "Packet types", "`6`", _CLOSED, "opened", text("6")),
    Case("a type that is not there", "Packet types", "`7`", _CLOSED, "opened", text("7")),
    Case("an empty packet", "Packet types", "an empty text", _CLOSED, "opened", text("")),
    Case("base64, which is polling's", "Packet encoding", "`bAQIDBA==`", _CLOSED, "opened", text("bAQIDBA==")),
    Case("a record separator, which is polling's", "Packet encoding", "`2\\x1e2`", _CLOSED, "opened", text("2\x1e2")),
    Case("binary where text is spoken", "Packet encoding", "4 bytes", _CLOSED, "opened", binary(b"\1\2\3\4"), (JSON,)),
    Case("text where binary is spoken", "Packet encoding", "`4` and text", _CLOSED, "opened", text("40{}"), (MSGPACK,)),
    Case(
        "what comes after `1` is not looked at",
        "Close",
        "`1`, `abc`",
        "close 1000, closed",
        "opened",
        lambda _dialect: frame(b"1") + frame(b"abc"),
    ),
]
