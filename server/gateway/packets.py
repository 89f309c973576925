"""Socket.IO v5 packets inside Engine.IO v4 messages, text form (socket.io-protocol, revision 5).

Only the main namespace is served, and no binary attachments. To enter another namespace is refused, as the protocol has
it; whatever else a client sends is a bad packet.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import orjson

from protocol.poison import LONE_SURROGATE, find_poison

OPEN, CLOSE, PING, PONG, MESSAGE = "0", "1", "2", "3", "4"
"""Engine.IO packet types."""

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR = "0", "1", "2", "3", "4"
"""Socket.IO packet types inside MESSAGE."""

_ACK_ID_DIGITS_MAX = 15
_NAMESPACE_CHARACTERS_MAX = 200
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class BadPacket(Exception):
    """The client does not speak the protocol, and the connection ends; the message says why, without the content."""


@dataclass(frozen=True, slots=True)
class EventPacket:
    """`name` with its arguments; `ack_id` when the client waits for an answer."""

    name: str
    arguments: list[Any]
    ack_id: int | None


@dataclass(frozen=True, slots=True)
class PoisonedEvent:
    """An event that is JSON and holds what does harm: it is answered with `why` and looked at no further."""

    why: str
    ack_id: int


@dataclass(frozen=True, slots=True)
class ConnectPacket:
    """The request to enter the main namespace, with its auth payload."""

    auth: Any


@dataclass(frozen=True, slots=True)
class ForeignConnectPacket:
    """The request to enter a namespace that is not served, as the client named it."""

    namespace: str


@dataclass(frozen=True, slots=True)
class DisconnectPacket:
    """The client leaves the namespace."""


@dataclass(frozen=True, slots=True)
class AckPacket:
    """An answer to an event of ours; none is ever asked for, so it is ignored."""


Packet = EventPacket | PoisonedEvent | ConnectPacket | ForeignConnectPacket | DisconnectPacket | AckPacket


def decode_packet(text: str, depth_max: int) -> Packet:
    """The packet in an Engine.IO message (without its type digit). Raises BadPacket."""
    kind, rest = text[:1], text[1:]
    if rest.startswith("/"):
        return _foreign(kind, rest, depth_max)
    if kind == EVENT:
        return _event(rest, depth_max)
    if kind == CONNECT:
        return ConnectPacket(_clean_json(rest, depth_max) if rest else None)
    if kind == DISCONNECT and not rest:
        return DisconnectPacket()
    if kind == ACK:
        ack_id, body = _leading_number(rest)
        if ack_id is None or not isinstance(_clean_json(body, depth_max), list):
            raise BadPacket("an ack needs an id and a list")
        return AckPacket()
    raise BadPacket("unknown packet type")


def _foreign(kind: str, rest: str, depth_max: int) -> ForeignConnectPacket:
    namespace, _, body = rest.partition(",")
    if kind != CONNECT:
        raise BadPacket("only the main namespace is served, and nobody is in another")
    if len(namespace) > _NAMESPACE_CHARACTERS_MAX or not namespace.isprintable():
        raise BadPacket("no name of a namespace")
    if body:
        _clean_json(body, depth_max)
    return ForeignConnectPacket(namespace)


def _event(rest: str, depth_max: int) -> EventPacket | PoisonedEvent:
    ack_id, body = _leading_number(rest)
    if ack_id is not None and _holds_lone_surrogates(body):
        return PoisonedEvent(LONE_SURROGATE, ack_id)
    arguments = _json(body)
    if not isinstance(arguments, list) or not arguments or not isinstance(arguments[0], str):
        raise BadPacket("an event is a list that starts with its name")
    poison = find_poison(arguments, depth_max)
    if poison is None:
        return EventPacket(arguments[0], arguments[1:], ack_id)
    if ack_id is None:
        raise BadPacket(poison)  # nobody waits for an answer, and in silence the sender would go on for ever
    return PoisonedEvent(poison, ack_id)


def _leading_number(text: str) -> tuple[int | None, str]:
    end = 0
    while end < len(text) and text[end] in "0123456789":
        end += 1
        if end > _ACK_ID_DIGITS_MAX:
            raise BadPacket("the ack id is too long")
    return (int(text[:end]) if end else None), text[end:]


def _holds_lone_surrogates(text: str) -> bool:
    """Whether it is JSON but for them: a page that cuts a text within an emoji writes that, and means no harm."""
    if _SURROGATE.search(text) is None:
        return False
    try:
        return find_poison(json.loads(text)) == LONE_SURROGATE
    except (ValueError, RecursionError):
        return False


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise BadPacket("not JSON") from error


def _clean_json(text: str, depth_max: int) -> Any:
    value = _json(text)
    poison = find_poison(value, depth_max)
    if poison is not None:
        raise BadPacket(poison)
    return value
