"""Socket.IO, revision 5: the cases of its public suite above Engine.IO's, written anew from the protocol's text."""

from __future__ import annotations

from typing import Final

import msgpack

from tests.server.gateway.conformance.case import BOTH, Case, Start, Wire
from tests.server.gateway.conformance.engineio_cases import CONNECT, HERE, packet, text
from tests.server.gateway.conformance.frames import BINARY, JSON, MSGPACK, Dialect, frame

_CLOSED: Final = "DISCONNECT, close 1002, closed"
_NAMESPACES: Final = "Connection to a namespace"
_LEAVING: Final = "Disconnection from a namespace"
_PACKETS: Final = "Sending and receiving data"
_ACKS: Final = "Acknowledgement"
_ENCODING: Final = "Packet encoding"

_ONE_NAMESPACE: Final = "only the main namespace is served; what comes is the refusal of one that is not there"
_JSON_VALUES: Final = "commands hold JSON values, which have nothing that an attachment could be"
_TOKEN: Final = "nobody comes in without a token; what comes is the refusal"
_GONE: Final = "leaving the only namespace is leaving: the connection ends at once instead of staying for nothing"

EVENT: Final = '421["leave",{}]'


def raw(**fields: object) -> Wire:
    """A msgpack packet of these fields."""
    data = bytes(msgpack.packb(fields))
    return lambda _dialect: frame(data, BINARY)


def named(name: str, section: str, sent: str, comes: str, start: Start = "entered", waiver: str = "") -> Case:
    """A packet that both paths can say."""
    return Case(name, section, f"`{sent}`", comes, start, packet(sent), BOTH, waiver)


def malformed(name: str, section: str, sent: str, start: Start = "entered") -> Case:
    """Text that is no Socket.IO packet; it must end the connection at once."""
    return Case(name, section, f"`{sent}`", _CLOSED, start, text(sent), (JSON,))


def misshapen(name: str, section: str, sent: str, **fields: object) -> Case:
    """The same in msgpack."""
    return Case(name, section, sent, _CLOSED, "entered", raw(**fields), (MSGPACK,))


def attachments(name: str, section: str, start: str) -> Case:
    """A packet with two attachments."""

    def wire(_dialect: Dialect) -> bytes:
        head = f'4{start}["join",{{"_placeholder":true,"num":0}},{{"_placeholder":true,"num":1}}]'
        return frame(head.encode()) + frame(b"\1\2\3", BINARY) + frame(b"\4\5\6", BINARY)

    return Case(name, section, f"`4{start}[…]` and two binaries", _CLOSED, "entered", wire, (JSON,), _JSON_VALUES)


SUITE: Final = [
    named(
        "the main namespace", _NAMESPACES, "40", "CONNECT_ERROR unauthenticated, close 1000, closed", "opened", _TOKEN
    ),
    Case("the main namespace, with a payload", _NAMESPACES, "`40{…}`", "CONNECT sid, open", "opened", packet(CONNECT)),
    named(
        "a custom namespace", _NAMESPACES, "40/custom,", "CONNECT_ERROR /custom not_found, open", waiver=_ONE_NAMESPACE
    ),
    named(
        "a custom namespace, with a payload",
        _NAMESPACES,
        '40/custom,{"token":"abc"}',
        "CONNECT_ERROR /custom not_found, open",
        waiver=_ONE_NAMESPACE,
    ),
    Case(
        "a namespace that is not there",
        _NAMESPACES,
        "`40/random`",
        "CONNECT_ERROR /random not_found, open",
        "opened",
        lambda dialect: packet("40/random" if dialect is JSON else "40/random,")(dialect),
    ),
    malformed("an invalid handshake", _NAMESPACES, "4abc", "opened"),
    Case(
        "no handshake at all",
        _NAMESPACES,
        "nothing",
        "closed within `connect_timeout_s`",
        shown_by=f"{HERE}/test_connect.py::test_who_never_sends_connect_is_gone_in_time",
    ),
    named("from the main namespace", _LEAVING, "41", "close 1000, closed", waiver=_GONE),
    Case(
        "into a custom namespace and out of it",
        _LEAVING,
        "`40/custom,` `41/custom,`",
        f"CONNECT_ERROR /custom not_found, {_CLOSED}",
        "entered",
        packet("40/custom,", "41/custom,"),
        waiver=_ONE_NAMESPACE,
    ),
    named("a packet of plain text", _PACKETS, '42["leave",{}]', "open"),
    attachments("a packet with binary attachments", _PACKETS, "52-"),
    named("a packet of plain text, with an ack", _ACKS, '42456["leave",{}]', "ACK 456 invalid, open"),
    attachments("a packet with binary attachments, with an ack", _ACKS, "52-789"),
    malformed("an invalid format: an unknown type of packet", _ENCODING, "4abc"),
    malformed("an invalid format: a payload of another form", _ENCODING, "42{}"),
    malformed("an invalid format: an invalid ack id", _ENCODING, '42abc["leave",{}]'),
]
"""As many as the public suite has above Engine.IO's: 16."""

MORE: Final = [
    named("a second CONNECT", _NAMESPACES, CONNECT, _CLOSED),
    named("an event before CONNECT", _NAMESPACES, EVENT, _CLOSED, "opened"),
    named("an ack before CONNECT", _NAMESPACES, "431[]", "open", "opened"),
    named("an event for a namespace that nobody is in", _PACKETS, '42/custom,["leave",{}]', _CLOSED),
    Case(
        "events that nobody asked an ack for",
        _PACKETS,
        '`42["join",{…}]`',
        "the state, then an event for every entry",
        shown_by=f"{HERE}/test_join.py::test_without_a_cursor_the_state_comes_first",
    ),
    named("an event that nobody knows", _PACKETS, '421["message",1,"2",{"3":[true]}]', "ACK 1 invalid, open"),
    named("an event without a payload", _PACKETS, '421["leave"]', "ACK 1 invalid, open"),
    named("an ack that nobody awaits", _ACKS, "437[1]", "open"),
    named("an ack id of 0", _ACKS, '420["leave",{}]', "ACK 0 invalid, open"),
    Case(
        "two events keep their order",
        _ACKS,
        "events with the ids 7 and 3",
        "ACK 7 invalid, ACK 3 invalid, open",
        wire=packet('427["leave",{}]', '423["leave",{}]'),
    ),
    malformed("an ack without an id", _ACKS, "43[]"),
    malformed("an ack whose data is no list", _ACKS, "431{}"),
    malformed("an ack id of 16 digits", _ACKS, '421234567890123456["leave",{}]'),
    malformed("CONNECT with what is no JSON", _ENCODING, "40{", "opened"),
    malformed("CONNECT_ERROR, which only servers send", _ENCODING, '44{"message":"x"}'),
    malformed("an event that is cut off", _ENCODING, '42["leave"'),
    malformed("an event without a name", _ENCODING, "42[]"),
    malformed("an event whose name is a number", _ENCODING, "42[1]"),
    malformed("an event without anything", _ENCODING, "42"),
    malformed("DISCONNECT with something behind it", _ENCODING, "41x"),
    malformed("a message without a type", _ENCODING, "4"),
    malformed("a type that is not there", _ENCODING, "47"),
    malformed("an event with NaN", _ENCODING, '421["leave",NaN]'),
    misshapen("msgpack: a type that is not there", _ENCODING, "`type` 7", type=7, nsp="/", data=[]),
    misshapen("msgpack: a type in words", _ENCODING, "`type` as text", type="2", nsp="/", data=["leave", {}]),
    misshapen("msgpack: no namespace", _ENCODING, "no `nsp`", type=2, data=["leave", {}]),
    misshapen("msgpack: a payload of another form", _ENCODING, "`data` a map", type=2, nsp="/", data={}),
    misshapen("msgpack: an invalid ack id", _ENCODING, "`id` a text", type=2, nsp="/", data=["leave", {}], id="abc"),
    misshapen("msgpack: an ack without an id", _ENCODING, "no `id`", type=3, nsp="/", data=[]),
    misshapen("msgpack: a binary event", _ENCODING, "`type` 5", type=5, nsp="/", data=["leave", {}], attachments=0),
    Case(
        "msgpack: bytes that are none",
        _ENCODING,
        "`C1`",
        _CLOSED,
        "entered",
        lambda _dialect: frame(b"\xc1", BINARY),
        (MSGPACK,),
    ),
    Case(
        "msgpack: something behind the packet",
        _ENCODING,
        "a packet and `00`",
        _CLOSED,
        "entered",
        lambda dialect: frame(dialect.encode(EVENT) + b"\0", BINARY),
        (MSGPACK,),
    ),
]
